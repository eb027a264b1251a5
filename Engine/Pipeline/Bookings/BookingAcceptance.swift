import UsherAvailability
import UsherCore
import UsherStore

/// Decides who hosts a booking, and whether its time is theirs to give: inside the transaction that makes or moves it, under the owner's
/// lock.
struct BookingAcceptance {
    let context: EngineContext
    let catalog: Catalog
    let now: Instant
    let tx: Tx

    /// A request with what its hold says, and who hosts it.
    struct Assigned {
        var request: BookingRequest
        /// Locked; `nil` where nobody is called so.
        var owner: StoredOwner?
        var hold: StoredHold?
        var because = OwnerBecause.requested
        /// The numbers that a pool chose by.
        var note: String?
    }

    /// Locks the owner of a booking: the hold's, the one who was asked for, or whose turn it is.
    /// - Throws: ``ErrorCode/notFound`` for a hold that is not there, ``ErrorCode/validationFailed`` for one that says otherwise,
    ///   ``ErrorCode/holdExpired`` for one that is booked, ``SlotRefused``.
    func assign(_ request: BookingRequest, _ validator: BookingValidator) throws -> Assigned {
        if let id = request.hold {
            guard let hold = try tx.hold(id) else { throw UsherError.noHold(id) }
            return try assign(request, to: hold)
        }
        if request.owner.isEmpty, let type = catalog.meetingType(request.meetingType), let hosts = type.hosts {
            let choice = HostChoice(context: context, catalog: catalog, type: type, hosts: hosts, now: now)
            var assigned = Assigned(request: request)
            if let time = validator.time(request, type) {
                let chosen = try choice.choose(time.start, time.length, anyTime: request.anyTime, tx)
                (assigned.owner, assigned.because, assigned.note) = (chosen.owner, .pool, chosen.note)
            } else {
                // What is wrong with the request is said once it is drafted.
                assigned.owner = try choice.active(tx).first
            }
            assigned.request.owner = assigned.owner?.owner.id ?? ""
            return assigned
        }
        return Assigned(request: request, owner: request.owner.isEmpty ? nil : try tx.lockOwner(request.owner))
    }

    /// The hold is read again under the lock of its owner: whoever books or releases it has the lock.
    private func assign(_ request: BookingRequest, to known: StoredHold) throws -> Assigned {
        let owner = try tx.lockOwner(known.ownerID)
        guard let hold = try tx.hold(known.id) else { throw UsherError.noHold(known.id) }
        if let booking = hold.bookingID {
            throw UsherError(.holdExpired, "This hold has been booked already, as \(booking).")
        }
        var (completed, findings) = (request, [UsherError.Finding]())
        func fill(_ key: WritableKeyPath<BookingRequest, String>, _ pointer: String, _ held: String) {
            if completed[keyPath: key].isEmpty { completed[keyPath: key] = held }
            if completed[keyPath: key] != held { findings.append(.init(pointer, "differs from the hold's, \(held)")) }
        }
        fill(\.meetingType, "/meetingType", hold.type.id)
        fill(\.owner, "/owner", hold.ownerID)
        if completed.start.isEmpty { completed.start = hold.start.rfc3339 }
        let length = hold.end - hold.start
        if completed.duration == nil { completed.duration = length.inWords }
        if let written = completed.duration.flatMap(Duration.init(written:)), written != length {
            findings.append(.init("/duration", "differs from the hold's, \(length.inWords)"))
        }
        guard findings.isEmpty else {
            throw UsherError(.validationFailed, "The booking differs from what is held.", findings: findings)
        }
        return Assigned(
            request: completed, owner: owner, hold: hold, because: hold.note.isEmpty ? .requested : .pool,
            note: hold.note.isEmpty ? nil : hold.note)
    }

    /// The catalogue that a booking is drafted by: a hold that lives keeps its meeting type as it was.
    func catalog(for assigned: Assigned) -> Catalog {
        guard let hold = assigned.hold, now < hold.expiresAt else { return catalog }
        let types = catalog.meetingTypes.filter { $0.id != hold.type.id } + [hold.type]
        return Catalog(
            site: catalog.site, providers: catalog.providers, owners: catalog.owners, meetingTypes: types, schedules: catalog.schedules,
            busy: catalog.busy, embedOrigins: catalog.embedOrigins)
    }

    /// Whether a drafted booking may be made. It changes nothing; see ``consume(_:as:)``.
    /// - Throws: ``SlotRefused``, ``ErrorCode/holdExpired``.
    func check(_ booking: Booking, _ assigned: Assigned, anyTime: Bool) throws {
        let hold = assigned.hold
        if let hold, hold.start != booking.start {
            throw UsherError(
                .validationFailed, "The booking differs from what is held.",
                findings: [.init("/start", "differs from the hold's, \(hold.start.rfc3339)")])
        }
        if hold.map({ now >= $0.expiresAt }) ?? true, let owner = assigned.owner?.owner {
            try decide(booking, owner, except: HostReader.Exempt(hold: hold?.id), anyTime: anyTime, hold)
        }
    }

    /// Gives the time of a booking's hold free for it.
    func consume(_ hold: StoredHold?, as booking: String) throws {
        guard let hold else { return }
        guard try tx.book(hold: hold.id, as: booking) else { throw UsherError.noHold(hold.id) }
    }

    /// Whether a booking may be moved where it stands now. A type that is gone asks for overlaps alone.
    /// - Throws: ``SlotRefused``
    func checkMove(_ booking: Booking, anyTime: Bool) throws {
        guard let owner = try tx.owner(booking.terms.owner.id)?.owner else { return }
        try decide(booking, owner, except: HostReader.Exempt(booking: booking.id), anyTime: anyTime, nil)
    }

    private func decide(
        _ booking: Booking, _ owner: Owner, except exempt: HostReader.Exempt, anyTime: Bool, _ ended: StoredHold?
    ) throws {
        guard let type = catalog.meetingType(booking.terms.type.id), let rules = type.slots else { return }
        let decision = SlotDecision(
            context: context, catalog: catalog, type: type, rules: rules, now: now, length: booking.duration,
            provider: booking.meeting.provider)
        let reasons = try decision.reasons(booking.start, owner, except: exempt, anyTime: anyTime, tx)
        guard !reasons.isEmpty else { return }
        if ended != nil {
            throw UsherError(.holdExpired, "The hold has ended, and its time is taken meanwhile: choose another time.")
        }
        try decision.refuse(booking.start, [HostRefusal(owner: owner.id, reasons: reasons)], [owner], except: exempt)
    }
}
