import UsherCore
import UsherStore

/// Writes down what became of a room, and what that means for its booking. Everything happens inside one transaction.
struct RoomOutcomes {
    var booking: Booking
    let step: StepTransaction

    /// How long after 'gone' the provider is asked again: only a word said twice counts.
    static let goneDelay = Duration.seconds(30)
    /// A fallback is tried when a wait would last beyond this long before the start.
    private static let lastMoment = Duration.minutes(30)
    /// A wait no longer than this is never a reason to fall back: a moment's trouble, or another process that gets a token.
    private static let hiccup = Duration.seconds(10)
    /// After a create that was repeated, its twin is looked for at these times.
    static let duplicateChecks: [Duration] = [.minutes(1), .minutes(9)]
    /// So many keys of a booking may be used up by deletions at the provider.
    private static let mostBurntKeys = 3
    /// Work that waits for a new daily quota begins within this long after it.
    private static let quotaSpread = Duration.minutes(10)

    init(_ booking: Booking, _ step: StepTransaction) {
        self.booking = booking
        self.step = step
    }

    /// Reads the booking as it now stands: it may have changed while the provider was asked.
    init(_ step: StepTransaction, _ bookingID: String) throws {
        guard let booking = try step.tx.wholeBooking(bookingID) else { throw DatabaseError(.corrupt, "no booking \(bookingID)") }
        self.init(booking, step)
    }

    /// The room as it now stands: as the claim's commit left it, and with what others have written while the provider was being asked, as
    /// a person does who has it tried again.
    func present(_ asked: RoomRecord) throws -> RoomRecord { try stored(asked) ?? asked }

    private func stored(_ room: RoomRecord) throws -> RoomRecord? {
        try step.tx.rooms(of: booking.id).first { $0.generation == room.generation }
    }

    /// Whether the service told of a change while it was being asked: then it is to be looked at once more.
    func isTouched(since asked: RoomRecord) throws -> Bool { try stored(asked).map { $0.checkAt != asked.checkAt } ?? false }

    // MARK: A room is there

    mutating func made(_ room: RoomRecord, _ provided: ProvidedRoom, start: Instant, end: Instant) throws {
        try hold(room, provided, start: start, end: end, event: "meeting.created")
    }

    /// A room that has no time fits the new one as it is.
    mutating func keptThroughMove(_ room: RoomRecord) throws {
        var room = room
        (room.appliedStart, room.appliedEnd) = (booking.start, booking.end)
        try step.tx.save(room)
        try note("meeting.updated", "\(room.provider): the same room")
        try showRoom(room)
    }

    /// - Parameter start: what the provider was told, where it does not say itself when the room is.
    mutating func hold(
        _ asked: RoomRecord, _ provided: ProvidedRoom, start: Instant, end: Instant, event: String, isFound: Bool = false
    ) throws {
        var room = try present(asked)
        room.state = .live
        room.roomID = provided.id
        room.room = provided.room
        (room.appliedStart, room.appliedEnd) = (provided.start ?? start, provided.end ?? end)
        (room.failures, room.goneReports, room.notBefore) = (0, 0, Instant(microseconds: 0))
        room.checkAt = try isTouched(since: asked) ? room.checkAt : nextCheck(room)
        try step.tx.save(room)
        if !ProviderResolver(step.context).isRepeatable(room.module) { try step.followUp(.roomHeld(room, owner: accountOwner(of: room))) }
        try note(event, "\(room.provider): \(provided.room.meetingID.isEmpty ? provided.id : provided.room.meetingID)")
        for text in provided.notes { try note("meeting.note", text) }
        try showRoom(room, isFound: isFound)
    }

    /// Makes the room the booking's own, if it is still wanted; whoever has been told of another is told of this one.
    /// - Parameter isFound: it was there already.
    mutating func showRoom(_ room: RoomRecord, isFound: Bool = false) throws {
        guard booking.wantsRoom, try step.tx.rooms(of: booking.id).last?.generation == room.generation else { return }
        let fits = room.appliedStart == booking.start && room.appliedEnd == booking.end
        let isFallback = booking.terms.chain.first?.provider != room.provider
        // A room that is made on the click is no news: every mail leads to the join page.
        if booking.meeting.room != room.room, booking.terms.type.provision != .onJoin, try !countsAsTold(room, isFound) {
            try raiseRevisionIfTold()
        }
        booking.meeting.status = fits ? .ready : .pending
        booking.meeting.provider = room.provider
        booking.meeting.module = room.module
        booking.meeting.because = isFallback ? .fallback : booking.terms.because
        booking.meeting.room = room.room
        if booking.meeting.problem != nil { try step.tx.removeNotice(.booking(booking.id)) }
        booking.meeting.problem = nil
        try save()
        // A room that is made on the click may be an event by itself, beside the entry that was made before. No mail follows, which would
        // have the entry looked at.
        if booking.terms.type.provision == .onJoin { try step.followUp(.calendarEntryTouched(booking)) }
    }

    // MARK: A create went wrong

    /// - Parameter mayExist: the create was asked again under its key, because an earlier one may have made a room.
    mutating func createFailed(_ room: RoomRecord, _ error: ProviderError, ended: Instant, mayExist: Bool) throws {
        var room = try present(room)
        room.failures += 1
        if ProviderResolver(step.context).isRepeatable(room.module), error.isUnclear || mayExist {
            // Only a create that succeeds tells; until then a room may stand there, whatever this one was answered.
            room.state = .unclear
            room.notBefore = unclearTime(error, room.failures)
            try step.tx.save(room)
            let event = error.isUnclear ? "meeting.unclear" : "meeting.refused"
            try note(event, "\(room.provider): \(error.message) \(error.cause)")
            return try show(error.code.isBlocking ? .blocked : .pending, error.problem, of: room)
        }
        if error.isUnclear {
            room.state = .unclear
            room.requestDeadline = max(ended, step.now)
            room.notBefore = Instant(microseconds: 0)
            try step.tx.save(room)
            try note("meeting.unclear", "\(room.provider): \(error.message) \(error.cause)")
            return
        }
        try note("meeting.refused", "\(room.provider): \(error.message) \(error.cause)")
        if error.code == .meetingGone, try isFirstBurntKey() { return try burnt(room) }
        try denied(room, error)
    }

    /// What stood under the key was deleted at the provider before it was a room, and its key makes no other: a new one begins.
    private func burnt(_ room: RoomRecord) throws {
        var room = room
        room.state = .removed
        try step.tx.save(room)
        try note("meeting.gone", "\(room.provider): what was made under the key \(room.key) was deleted there; another is made")
    }

    /// A provider that says so of each new key is not asked for ever.
    private func isFirstBurntKey() throws -> Bool {
        try step.tx.rooms(of: booking.id).count { $0.state == .removed && $0.roomID.isEmpty } < Self.mostBurntKeys
    }

    /// There is no room for certain: wait and ask again, fall back, or show what a person must do.
    private mutating func denied(_ room: RoomRecord, _ error: ProviderError) throws {
        var room = room
        let again = error.code == .providerRemoved ? nil : retryTime(error, room.failures)
        let hasFallback = RoomPlan.link(after: room, booking) != nil
        let isFinal = error.retry == .never || again.map { $0 > booking.start - Self.lastMoment && $0 - step.now > Self.hiccup } ?? true
        if hasFallback, isFinal {
            room.state = .refused
            try step.tx.save(room)
            try note("meeting.fallback", "\(room.provider) is given up: \(error.message)")
            return try show(.pending, error.problem, of: room)
        }
        if let again {
            room.state = .absent
            room.notBefore = again
            try step.tx.save(room)
            return try show(error.code.isBlocking ? .blocked : .pending, error.problem, of: room)
        }
        room.state = .refused
        try step.tx.save(room)
        try show(.failed, error.problem, of: room)
    }

    mutating func gaveUp(_ room: RoomRecord?) throws {
        var room = try room.map { try present($0) }
        let unclear = room.flatMap { $0.state == .unclear || $0.state == .attempting ? $0 : nil }
        room?.state = .refused
        if let room { try step.tx.save(room) }
        try note(
            "meeting.given-up",
            unclear.map { "the meeting is over, and \($0.provider) never said whether it made a room under the key \($0.key)" }
                ?? "the meeting is over")
        guard booking.wantsRoom, try room?.generation == step.tx.rooms(of: booking.id).last?.generation else { return }
        let problem = booking.meeting.problem
        booking.meeting.status = .failed
        booking.meeting.problem = Problem(
            problem?.code ?? .unavailable, "No room could be made before the meeting was over. \(problem?.message ?? "")".trimmingBlanks,
            remedy: "Book a new meeting.")
        try save()
    }

    // MARK: A room is gone

    /// The provider says that the room is gone: said twice, it counts, and is mended as the meeting type says.
    mutating func gone(_ room: RoomRecord, _ error: ProviderError) throws {
        var room = try present(room)
        room.goneReports += 1
        guard room.goneReports > 1 else {
            (room.notBefore, room.checkAt) = (step.now + Self.goneDelay, step.now + Self.goneDelay)
            return try step.tx.save(room)
        }
        room.state = .removed
        try step.tx.save(room)
        try note("meeting.gone", "\(room.provider): \(room.roomID) was deleted at the provider")
        booking.meeting.room = nil
        try raiseRevisionIfTold()
        try show(try isRecreated(room) ? .pending : .failed, error.problem, of: room)
    }

    // MARK: A removal

    mutating func removed(_ room: RoomRecord) throws {
        var room = try present(room)
        room.state = .removed
        room.failures = 0
        try step.tx.save(room)
        try note("meeting.removed", "\(room.provider): \(room.roomID)")
    }

    mutating func removeFailed(_ room: RoomRecord, _ error: ProviderError) throws {
        var room = try present(room)
        room.failures += 1
        // What a person can mend is waited for until the meeting is over; a scope that the app never had is not.
        let needsPerson = error.code.needsPerson
        if let again = retryTime(error, room.failures), error.code != .missingScope, !needsPerson || step.now < booking.end {
            room.notBefore = again
            // Said at once: nobody knows whether the owner will connect again.
            if needsPerson, try !step.tx.timeline(of: booking.id).contains(where: { $0.event == "meeting.remains" }) {
                try note("meeting.remains", "\(room.provider) has the room \(room.roomID) for now: \(error.message)")
            }
            return try step.tx.save(room)
        }
        room.state = .removed
        try step.tx.save(room)
        try note("meeting.remains", "\(room.provider) still has the room \(room.roomID): \(error.message)")
        try step.followUp(.ownerNeeded(.remains(booking: booking.id)))
    }

    // MARK: The booking

    func retryTime(_ error: ProviderError, _ failures: Int64) -> Instant? {
        let environment = step.context.environment
        switch error.retry {
        case .at(let instant): return max(instant, step.now + .milliseconds(100))
        case .backoff: return step.now + RetryPolicy.provider.delay(afterFailures: failures, environment)
        case .nextQuotaDay:
            let share = Int64(environment.random(1)[0])
            return step.now.nextDayUTC + .microseconds(Self.quotaSpread.microseconds * share / 256)
        case .never where error.code.isBlocking || error.code == .providerRemoved:
            return step.now + RetryPolicy.blocked.delay(afterFailures: failures, environment)
        case .never: return nil
        }
    }

    /// When to ask again about a room that may be there: more and more rarely while only a person can help.
    func unclearTime(_ error: ProviderError, _ failures: Int64) -> Instant {
        guard error.retry == .never else { return retryTime(error, failures) ?? step.now + RetryPolicy.provider.longest }
        return step.now + RetryPolicy.unclear.delay(afterFailures: failures, step.context.environment)
    }

    /// Shows a state, if the room is the one that the booking waits for.
    mutating func show(_ status: Meeting.Status, _ problem: Problem, of room: RoomRecord) throws {
        guard booking.wantsRoom, try step.tx.rooms(of: booking.id).last?.generation == room.generation else { return }
        booking.meeting.status = status
        booking.meeting.problem = problem
        if status != .pending { try step.followUp(.ownerNeeded(alertSubject(of: problem, room))) }
        try save()
    }

    func save() throws {
        try step.context.update(booking, step.tx)
        try MailPlan(step).advance(booking)
    }

    func note(_ event: String, _ detail: String) throws {
        step.tx.note(booking.id, event, detail.trimmingBlanks, at: step.now)
    }
}
