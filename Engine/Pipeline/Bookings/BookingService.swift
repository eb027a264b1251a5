import UsherCore
import UsherStore
import UsherVault

/// Where bookings are made, moved, cancelled and retried. Each change and the work that follows from it are one commit.
package struct BookingService: Sendable {
    /// Everything that it works with.
    package let context: EngineContext
    private let starter: any JobStarter

    /// - Parameter starter: begins the work of new bookings at once; without one it waits to be claimed.
    package init(_ context: EngineContext, starter: (any JobStarter)? = nil) {
        self.context = context
        self.starter = starter ?? NoStarter(context: context)
    }

    /// Makes a booking, or answers a repeated call with the booking as it now stands.
    /// - Parameter catalog: in place of the one in force.
    /// - Throws: ``UsherError`` with ``ErrorCode/validationFailed`` and every finding, ``ErrorCode/bookingConflict``,
    ///   ``ErrorCode/bookingInPast``, ``ErrorCode/idempotencyMismatch``.
    package func book(
        _ request: BookingRequest, in catalog: Catalog? = nil, known findings: [UsherError.Finding] = [],
        repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<BookingView> {
        let catalog = catalog ?? context.catalog.current
        let id = context.environment.id("bk_")
        let (secret, trace) = (try Links(context).newSecret(of: id), TraceContext.current)
        let accepted = try await context.explainingRefusals {
            try await starter.change { step in
                let (tx, now) = (step.tx, step.now)
                return try context.idempotent(key, tx, now: now, replay: { try view($0, tx) }) {
                    let acceptance = BookingAcceptance(context: context, catalog: catalog, now: now, tx: tx)
                    let assigned = try acceptance.assign(request, BookingValidator(catalog, now: now))
                    var drafting = BookingValidator(acceptance.catalog(for: assigned), now: now, findings: findings)
                    let readiness = OwnerReadiness(context, owner: assigned.request.owner, tx)
                    var booking = try drafting.draft(
                        assigned.request, owner: assigned.owner, known: try owners(unless: assigned.owner, tx), id: id,
                        readinessProblem: readiness.problem
                    ).booking
                    try readiness.check()
                    (booking.linkSecret, booking.ownerBecause, booking.trace) = (secret, assigned.because, trace)
                    try acceptance.check(booking, assigned, anyTime: request.anyTime)
                    try acceptance.consume(assigned.hold, as: id)
                    try store(booking, isHeld: assigned.hold.map { now < $0.expiresAt } ?? false, step)
                    if let note = assigned.note { tx.note(id, "booking.assigned", note, at: now) }
                    return (try view(id, tx), id)
                }
            }
        }
        return IdempotentResult(accepted)
    }

    /// What a booking would become, without making it.
    package func dryRun(_ request: BookingRequest) async throws -> (booking: Booking, resolution: Resolution) {
        let catalog = context.catalog.current
        return try await context.explainingRefusals {
            try await context.store.read { tx in
                let now = context.now
                let acceptance = BookingAcceptance(context: context, catalog: catalog, now: now, tx: tx)
                var assigned = try acceptance.assign(request, BookingValidator(catalog, now: now))
                var drafting = BookingValidator(acceptance.catalog(for: assigned), now: now)
                let readiness = OwnerReadiness(context, owner: assigned.request.owner, tx)
                assigned.owner = try tx.owner(assigned.request.owner, in: catalog)
                let known = try assigned.owner == nil ? tx.owners(in: catalog).filter(\.isActive).map(\.owner.id) : []
                var draft = try drafting.draft(
                    assigned.request, owner: assigned.owner, known: known, id: "bk_dry-run", readinessProblem: readiness.problem)
                try readiness.check()
                draft.booking.ownerBecause = assigned.because
                try acceptance.check(draft.booking, assigned, anyTime: request.anyTime)
                if assigned.hold == nil { try refuseConflict(draft.booking, tx) }
                return (draft.booking, draft.resolution)
            }
        }
    }

    /// Why whoever acts may not move a booking now; `nil` where they may.
    package func refusalOfMove(_ booking: Booking) async throws -> UsherError? {
        let (actor, now) = (Actor.current, context.now)
        return try await context.store.read { tx in
            do { try GuestRules(booking: booking, tx: tx, actor: actor, now: now).checkMove() } catch let error as UsherError {
                return error
            }
            return nil
        }
    }

    /// Moves a booking. The same time again changes nothing.
    package func reschedule(
        _ id: String, to start: String, timeZone: String? = nil, disambiguation: BookingRequest.Disambiguation? = nil,
        anyTime: Bool = false, repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<BookingView> {
        try await context.explainingRefusals {
            try await change(id, key, locksOwner: true) { booking, tx, now in
                guard booking.status == .confirmed else {
                    throw UsherError(.bookingCancelled, "This booking is cancelled, and cannot be moved.")
                }
                var drafting = BookingValidator(context.catalog.current, now: now)
                let newStart = try drafting.newStart(start, timeZone: timeZone ?? booking.timeZone, disambiguation: disambiguation)
                guard newStart != booking.start else { return false }
                try GuestRules(booking: booking, tx: tx, actor: tx.actor, now: now).checkMove()
                (booking.start, booking.end) = (newStart, newStart + booking.duration)
                try BookingAcceptance(context: context, catalog: context.catalog.current, now: now, tx: tx).checkMove(
                    booking, anyTime: anyTime)
                try refuseConflict(booking, tx)
                if booking.meeting.status == .ready { booking.meeting.status = .pending }
                try context.audit("booking.reschedule", id, tx)
                tx.note(id, "booking.rescheduled", newStart.rfc3339, at: now)
                return true
            }
        }
    }

    /// Cancels a booking. A second time changes nothing.
    package func cancel(_ id: String, repeating key: IdempotencyKey? = nil) async throws -> IdempotentResult<BookingView> {
        try await change(id, key) { booking, tx, now in
            guard booking.status == .confirmed else { return false }
            try GuestRules(booking: booking, tx: tx, actor: tx.actor, now: now).checkCancel()
            booking.status = .cancelled
            booking.meeting.status = .cancelled
            booking.meeting.problem = nil
            try context.audit("booking.cancel", id, tx)
            tx.note(id, "booking.cancelled", at: now)
            return true
        }
    }

    /// Has the room made that waits for the first press on Start or Join; any further press changes nothing.
    package func enter(_ id: String) async throws -> BookingView {
        let entered = try await context.store.write { tx in
            guard var booking = try tx.booking(id) else { throw Self.notFound(id) }
            let now = context.now
            guard booking.status == .confirmed, booking.meeting.status == .onJoin, now < booking.end else { return try view(id, tx) }
            booking.meeting.status = .pending
            try context.update(booking, tx)
            tx.note(id, "booking.entered", at: now)
            try touchRooms(of: booking, tx, now)
            return try view(id, tx)
        }
        return entered
    }

    /// Tries again at once what failed, is blocked or waits.
    package func retry(_ id: String, repeating key: IdempotencyKey? = nil) async throws -> IdempotentResult<BookingView> {
        let changed = try await context.store.write { tx in
            try context.idempotent(key, tx, now: context.now, replay: { try view($0, tx) }) {
                try retry(id, tx, context.now)
                return (try view(id, tx), id)
            }
        }
        return IdempotentResult(changed)
    }

    private func retry(_ id: String, _ tx: Tx, _ now: Instant) throws {
        guard var booking = try tx.booking(id) else { throw Self.notFound(id) }
        guard booking.status == .confirmed else {
            throw UsherError(.bookingCancelled, "This booking is cancelled: there is nothing to retry.")
        }
        guard now < booking.end else { throw UsherError(.bookingInPast, "This meeting is over: there is nothing to retry.") }
        if var room = try tx.rooms(of: id).last {
            if room.state == .refused { room.state = .absent }
            room.notBefore = Instant(microseconds: 0)
            room.failures = 0
            try tx.save(room)
        }
        if booking.meeting.status == .failed || booking.meeting.status == .blocked {
            booking.meeting.status = .pending
            try context.update(booking, tx)
        }
        for mail in try tx.mails(of: id) where mail.state == .failed && mail.revision == booking.revision {
            var mail = mail
            // A person wants it sent, though it may have arrived and looks otherwise now.
            (mail.state, mail.look) = (.queued, "")
            try tx.update(mail)
            try tx.enqueue(followUps(of: .mailRetried(mail, booking), now: now), now: now)
        }
        try context.audit("booking.retry", id, tx)
        tx.note(id, "booking.retried", at: now)
        try touchRooms(of: booking, tx, now)
    }

    /// Has a job run now that waits.
    package func doNow(_ job: JobID) async throws {
        let isThere = try await context.store.write { [context] in try $0.runNow(job, now: context.now) }
        guard isThere else { throw UsherError(.notFound, "That job is done, or somebody is at it.") }
    }

    /// A booking as it stands.
    /// - Throws: ``ErrorCode/notFound``.
    package func view(_ id: String) async throws -> BookingView { try await context.store.read { try view(id, $0) } }

    /// All that happened, in order.
    package func timeline(_ id: String) async throws -> [TimelineEntry] {
        try await context.store.read { tx in
            guard try tx.revision(of: id) != nil else { throw Self.notFound(id) }
            return try tx.timeline(of: id)
        }
    }

    /// What a list of bookings is to hold.
    package struct Filter: Sendable {
        /// An owner's id.
        package var owner: String?
        /// Confirmed or cancelled.
        package var status: Booking.Status?
        /// Starts at or after this.
        package var from = Instant(microseconds: 0)
        /// Starts before this.
        package var to = Instant.never
        /// Every booking.
        package init() {}
    }

    /// A page of bookings by start, and where the next one begins; a row that comes in later shifts none.
    package func page(
        _ filter: Filter, after: (start: Instant, id: String)?, limit: Int
    ) async throws -> (views: [BookingView], next: (start: Instant, id: String)?) {
        try await context.store.read { tx in
            let found = try tx.bookings(
                after: after ?? (filter.from, ""), until: filter.to, owner: filter.owner, status: filter.status, limit: limit + 1)
            let shown = found.prefix(limit)
            let last = found.count > limit ? shown.last.map { ($0.start, $0.id) } : nil
            return (try shown.map { try view($0.id, tx) }, last)
        }
    }

    // MARK: Inside the transaction

    /// Changes a booking, raises its revision and enqueues what follows. `body` says whether anything changed.
    /// - Parameter locksOwner: for a change that other bookings of the owner may stand in the way of.
    private func change(
        _ id: String, _ key: IdempotencyKey?, locksOwner: Bool = false,
        _ body: @escaping @Sendable (inout Booking, Tx, Instant) throws -> Bool
    ) async throws -> IdempotentResult<BookingView> {
        let changed = try await context.store.write { tx in
            let now = context.now
            return try context.idempotent(key, tx, now: now, replay: { try view($0, tx) }) {
                if locksOwner { try tx.lockOwner(ofBooking: id) }
                guard var booking = try tx.wholeBooking(id) else { throw Self.notFound(id) }
                if try body(&booking, tx, now) { try followUp(&booking, tx, now) }
                return (try view(id, tx), id)
            }
        }
        return IdempotentResult(changed)
    }

    private func followUp(_ booking: inout Booking, _ tx: Tx, _ now: Instant) throws {
        booking.revision += 1
        booking.changedAt = now
        try context.update(booking, tx)
        let alerts = try [
            AlertSubject.booking(booking.id), .connection(owner: booking.terms.owner.id, provider: booking.meeting.provider),
        ].filter { try tx.notice($0) != nil }
        let newest = try tx.rooms(of: booking.id).last
        try tx.enqueue(followUps(of: .bookingChanged(booking, newest: newest, alerts: alerts), now: now), now: now)
    }

    private func touchRooms(of booking: Booking, _ tx: Tx, _ now: Instant) throws {
        try tx.enqueue(followUps(of: .roomsTouched(booking, newest: try tx.rooms(of: booking.id).last), now: now), now: now)
    }

    private func store(_ booking: Booking, isHeld: Bool, _ step: StepTransaction) throws {
        let (tx, now) = (step.tx, step.now)
        let termsID = try Fingerprint.of(booking.terms)
        try tx.keep(booking.terms, as: termsID)
        guard try tx.insert(booking, termsID: termsID, isHeld: isHeld) else { throw Self.conflict(booking) }
        try context.audit("booking.create", booking.id, tx)
        tx.note(booking.id, "booking.confirmed", "\(booking.meeting.provider), because \(booking.meeting.because.rawValue)", at: now)
        for job in followUps(of: .bookingAccepted(booking), now: now) {
            let mayStart = job.due <= now && starter.hasSlot(job.job.queue, service: job.service)
            try mayStart ? step.start(job) : tx.enqueue([job], now: now)
        }
        try context.announce(from: nil, to: booking, tx)
    }

    /// The ids of all owners, for who was probably meant; asked for only where nobody was found.
    private func owners(unless owner: StoredOwner?, _ tx: Tx) throws -> [String] {
        owner == nil ? try tx.owners().filter(\.isActive).map(\.owner.id) : []
    }

    private func refuseConflict(_ booking: Booking, _ tx: Tx) throws {
        if try tx.hasConflict(booking) || tx.isHeld(booking, now: context.now) { throw Self.conflict(booking) }
    }

    private static func conflict(_ booking: Booking) -> UsherError {
        UsherError(
            .bookingConflict, "\(booking.terms.owner.name) has another booking at that time. Choose another time.",
            findings: [.init("/start", "is taken")])
    }

    private func view(_ id: String, _ tx: Tx) throws -> BookingView {
        guard let booking = try tx.booking(id) else { throw Self.notFound(id) }
        return try BookingView(booking, context, tx)
    }

    private static func notFound(_ id: String) -> UsherError { UsherError(.notFound, "There is no booking '\(id.prefix(80))'.") }
}
