import Logging
import UsherCore
import UsherStore

/// Makes the rooms at the providers fit the booking: creates, moves, removes, settles what is unclear, falls back.
struct ProvisionRooms {
    private let provisioner: ProviderResolver
    private let context: EngineContext

    init(_ context: EngineContext) {
        self.context = context
        provisioner = ProviderResolver(context)
    }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let booking = try step.tx.wholeBooking(id) else { return try step.finish(claim) }
        let rooms = try step.tx.rooms(of: booking.id)
        switch RoomPlan.next(booking, rooms, now: step.now, isRepeatable: provisioner.isRepeatable) {
        case .begin(let link, let generation):
            var room = try RoomKey.first(of: link, booking, generation, try step.tx.installation())
            // What may have been made under this key before a restore is looked for first.
            if room.state == .unclear {
                room.host = try host(of: room, booking, step)
                try step.tx.save(room)
                return try prepare(id, claim, step)
            }
            return try attempt(room, booking, step)
        case .create(let room): return try attempt(room, booking, step)
        case .settle(let room), .lookForTwins(let room): return search(try placed(room, booking, step), booking, rooms, step)
        case .update(let room) where !bearsTime(room):
            // The link that was sent stays, whatever the catalogue says by now.
            return try prepare(booking, claim, step) { try $0.keptThroughMove(room) }
        case .update(let room): return try update(room, booking, step)
        case .show(let room): return try prepare(booking, claim, step) { try $0.showRoom(room) }
        case .check(let room): return check(room, booking, step)
        case .remove(let room) where provisioner.otherModule(of: room) != nil && provisioner.standsNowhere(room.module):
            return try prepare(booking, claim, step) { try $0.removed(room) }
        case .remove(var room):
            if room.state == .live { room.failures = 0 }
            room.state = .removing
            try step.tx.save(room)
            return remove(room, booking, step)
        case .giveUp(let room): return try prepare(booking, claim, step) { try $0.gaveUp(room) }
        case .rest(let until?):
            var claim = claim
            claim.service = booking.providerToAsk(rooms.last)
            try step.tx.release(claim, due: until, attempt: 0)
            return nil
        case .rest(nil):
            // A person may retry what failed, until the meeting is over.
            if booking.meeting.status == .failed, step.now < booking.end {
                try step.tx.release(claim, due: booking.end, attempt: 0)
                return nil
            }
            return try step.finish(claim)
        }
    }

    /// Goes on after what needs no call.
    private func prepare(
        _ booking: Booking, _ claim: Claim, _ step: StepTransaction, writing write: (inout RoomOutcomes) throws -> Void
    ) throws -> Effect? {
        var book = RoomOutcomes(booking, step)
        try write(&book)
        return try prepare(booking.id, claim, step)
    }

    /// Whether the room at the provider has a time that a move must change.
    private func bearsTime(_ room: RoomRecord) -> Bool {
        context.registry.descriptor(room.module)?.capabilities.contains(.schedule) ?? true
    }

    /// What went wrong, for the log; the timeline gets it with the outcome.
    private func say(_ error: ProviderError, _ booking: Booking, _ room: RoomRecord) {
        var metadata: Logger.Metadata = [
            "provider": "\(room.provider)", "code": "\(error.code.rawValue)", "unclear": "\(error.isUnclear)", "reason": "\(error.message)",
        ]
        for (name, words) in [("operation", error.operation), ("cause", error.cause)] where !words.isEmpty { metadata[name] = "\(words)" }
        context.logger.warning("a provider did not do what it was asked", metadata: metadata)
    }

    // MARK: The effects

    /// The intent is part of the commit that claims the work; the request leaves after it.
    private func attempt(_ untried: RoomRecord, _ booking: Booking, _ step: StepTransaction) throws -> Effect {
        var room = untried
        // Of a create that is repeated because nobody knows what became of it.
        let mayExist = room.state != .absent
        let isUntouched = room.duplicateChecksLeft == 0 && !mayExist
        if let present = provisioner.otherModule(of: room), isUntouched || provisioner.standsNowhere(room.module) { room.module = present }
        if room.host.isEmpty || isUntouched {
            // Nothing can be there yet, or nobody knew where.
            room.host = try host(of: room, booking, step)
        }
        let untouched = room
        room.state = .attempting
        room.requestDeadline = step.deadline
        room.notBefore = Instant(microseconds: 0)
        (room.appliedStart, room.appliedEnd) = (booking.start, booking.end)
        try step.tx.save(room)
        let (intent, deadline) = (room, step.deadline)
        let request = provisioner.request(room, for: booking)
        return Effect(provider: room.provider, for: booking) { step in
            try step.tx.save(untouched)
            return .lookAgain
        } run: { [provisioner, context] in
            do throws(ProviderError) {
                let (module, call) = try await provisioner.call(intent, owner: booking.terms.owner.id, deadline: deadline)
                context.budgets.spend(intent.provider, account: intent.host)
                let provided = try await module.create(request, call).checked(module.descriptor)
                return book(booking, at: intent) { try $0.made(intent, provided, start: request.start, end: request.end) }
            } catch {
                say(error, booking, intent)
                let ended = context.now
                return book(booking, at: intent, error) { try $0.createFailed(intent, error, ended: ended, mayExist: mayExist) }
            }
        }
    }

    /// What was refused for want of an account, and is doubted since, is looked for at the account that is connected now.
    private func placed(_ room: RoomRecord, _ booking: Booking, _ step: StepTransaction) throws -> RoomRecord {
        guard room.host.isEmpty, case let host = try host(of: room, booking, step), !host.isEmpty else { return room }
        var placed = room
        placed.host = host
        try step.tx.save(placed)
        return placed
    }

    /// Whoever is connected now, or written under `hosts:` now, hosts it.
    private func host(of room: RoomRecord, _ booking: Booking, _ step: StepTransaction) throws -> String {
        let owner = try step.tx.owner(booking.terms.owner.id)?.owner ?? booking.terms.owner
        let link = Terms.Link(provider: room.provider, module: room.module)
        let isOwners = context.registry.descriptor(room.module)?.connection == .owner
        let connection = isOwners ? try step.tx.connection(owner: owner.id, provider: room.provider) : nil
        return provisioner.host(link, owner, connection)
    }

    /// Finds the rooms that carry the key; adopts the oldest where one is wanted, and removes the others.
    private func search(_ room: RoomRecord, _ booking: Booking, _ rooms: [RoomRecord], _ step: StepTransaction) -> Effect {
        let deadline = step.deadline
        let settled = provisioner.settled(room)
        let mayAdopt = room.state != .live && booking.wantsRoom && rooms.last?.generation == room.generation
        return Effect(provider: room.provider, for: booking) { [provisioner, context] in
            let began = context.now
            do throws(ProviderError) {
                let (module, call) = try await provisioner.call(room, owner: booking.terms.owner.id, deadline: deadline)
                let found = try await module.find(room.key, host: room.host, call)
                let kept = room.state == .live ? room.roomID : (mayAdopt ? found.first?.id : nil)
                var adopted: ProvidedRoom?
                if mayAdopt, let kept {
                    // One that was listed and is gone by now is no room to adopt; the next look sees another list.
                    do throws(ProviderError) {
                        adopted = try await module.fetch(kept, host: room.host, call).checked(module.descriptor)
                    } catch {
                        guard error.code == .meetingGone else { throw error }
                        return book(booking, at: room) { try $0.vanished(room, isOnlyOne: found.count == 1, isSettled: began >= settled) }
                    }
                }
                for twin in found where twin.id != kept { try await module.cancel(twin.id, host: room.host, call) }
                let removed = found.count { $0.id != kept }
                return book(booking, at: room) { [adopted] in
                    try $0.searched(room, adopted: adopted, removed: removed, isSettled: began >= settled)
                }
            } catch {
                say(error, booking, room)
                return book(booking, at: room, error) { try $0.searchFailed(room, error) }
            }
        }
    }

    /// Until its provider has answered, nobody knows which time the room has: whoever moves the booking back has it told again.
    private func update(_ untold: RoomRecord, _ booking: Booking, _ step: StepTransaction) throws -> Effect {
        var room = untold
        (room.appliedStart, room.appliedEnd) = (.epoch, .epoch)
        if room != untold { try step.tx.save(room) }
        let (asked, deadline) = (room, step.deadline)
        let request = provisioner.request(asked, for: booking)
        return Effect(provider: asked.provider, for: booking) { step in
            try RoomOutcomes(booking, step).neverAsked(untold)
            return .lookAgain
        } run: { [provisioner, context] in
            do throws(ProviderError) {
                let (module, call) = try await provisioner.call(asked, owner: booking.terms.owner.id, deadline: deadline)
                context.budgets.spend(asked.provider, account: asked.host)
                let provided = try await module.update(asked.roomID, to: request, call).checked(module.descriptor)
                return book(booking, at: asked) { try $0.moved(asked, provided, start: request.start, end: request.end) }
            } catch {
                say(error, booking, asked)
                return book(booking, at: asked, error) {
                    try $0.updateFailed(asked, error, start: request.start, end: request.end, before: untold)
                }
            }
        }
    }

    private func check(_ room: RoomRecord, _ booking: Booking, _ step: StepTransaction) -> Effect {
        let deadline = step.deadline
        return Effect(provider: room.provider, for: booking) { [provisioner] in
            do throws(ProviderError) {
                let (module, call) = try await provisioner.call(room, owner: booking.terms.owner.id, deadline: deadline)
                let provided = try await module.fetch(room.roomID, host: room.host, call).checked(module.descriptor)
                return book(booking, at: room) { try $0.checked(room, provided) }
            } catch {
                say(error, booking, room)
                return book(booking, at: room, error) { try $0.checkFailed(room, error) }
            }
        }
    }

    private func remove(_ room: RoomRecord, _ booking: Booking, _ step: StepTransaction) -> Effect {
        let deadline = step.deadline
        return Effect(provider: room.provider, for: booking) { [provisioner] in
            do throws(ProviderError) {
                let (module, call) = try await provisioner.call(room, owner: booking.terms.owner.id, deadline: deadline)
                try await module.cancel(room.roomID, host: room.host, call)
                return book(booking, at: room) { try $0.removed(room) }
            } catch {
                say(error, booking, room)
                return book(booking, at: room, error) { try $0.removeFailed(room, error) }
            }
        }
    }
}

/// The transaction that writes an outcome into the booking as it stands by then, and what it says of the provider.
private func book(
    _ booking: Booking, at room: RoomRecord, _ error: ProviderError? = nil, _ write: @escaping @Sendable (inout RoomOutcomes) throws -> Void
) -> OutcomeWriter {
    { step in
        if let error {
            let connection = step.context.registry.descriptor(room.module)?.connection
            // A room of another module says nothing of the provider.
            if ProviderResolver(step.context).otherModule(of: room) == nil {
                try step.context.health.failed(room.provider, error, connection, step.tx, now: step.now)
            }
            if connection == .owner, error.code == .reauthorize { try refused(booking.terms.owner.id, room, error, step) }
        } else {
            try step.context.health.works(room.provider, step.tx)
        }
        var book = try RoomOutcomes(step, booking.id)
        try write(&book)
        return .lookAgain
    }
}

/// The service refuses even a fresh token: the connection's health says so, until it is made anew.
private func refused(_ owner: String, _ room: RoomRecord, _ error: ProviderError, _ step: StepTransaction) throws {
    guard let connection = try step.tx.connection(owner: owner, provider: room.provider), connection.health != .reauthorize,
        // A connection that was made during the call is another one.
        connection.account.id == room.host, connection.connectedAt < step.now - EngineSettings.workLength
    else { return }
    try step.tx.setHealth(.reauthorize, error.problem, of: connection)
    try step.followUp(.ownerNeeded(.connection(owner: owner, provider: room.provider)))
    if let dead = try step.tx.connection(owner: owner, provider: room.provider) {
        try step.context.announcer.tell(.connectionNeedsAttention, dead, step.tx)
    }
}

extension ProvidedRoom {
    /// A room as an attendee can use it, or an error: a link that is no link must never reach a mail.
    fileprivate func checked(_ descriptor: ProviderDescriptor) throws(ProviderError) -> ProvidedRoom {
        let url = room.joinURL
        guard !id.isEmpty, url.hasPrefix("https://") || url.hasPrefix("http://"), url.utf8.count <= 2_000,
            url.unicodeScalars.allSatisfy({ $0.value > 32 && $0.value < 127 && $0 != "\"" && $0 != "<" && $0 != ">" })
        else {
            throw ProviderError(
                .unavailable, retry: .backoff, isUnclear: true, "\(descriptor.name) answered without a usable join link.",
                remedy: "Nothing to do: it is looked up again by itself.", cause: "join link: \(url.prefix(200))")
        }
        return self
    }
}
