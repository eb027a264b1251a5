import UsherCore
import UsherStore

/// What a search for a room's key found, and whether a room is still as it was.
extension RoomOutcomes {
    // MARK: A search

    mutating func searched(_ room: RoomRecord, adopted: ProvidedRoom?, removed: Int, isSettled: Bool) throws {
        var room = try present(room)
        room.failures = 0
        if removed > 0 { try note("meeting.twin-removed", "\(room.provider): \(removed)") }
        if room.duplicateCheckAt <= step.now {
            room.duplicateChecksLeft -= 1
            room.duplicateCheckAt = room.duplicateChecksLeft > 0 ? step.now + Self.duplicateChecks[1] : .never
        }
        if let adopted {
            return try hold(room, adopted, start: room.appliedStart, end: room.appliedEnd, event: "meeting.found", isFound: true)
        }
        if room.state == .attempting || room.state == .unclear {
            room.state = isSettled ? .absent : .unclear
            room.notBefore = isSettled ? step.now : ProviderResolver(step.context).nextLook(for: room, now: step.now)
            if isSettled {
                room.goneReports = 0
                room.duplicateChecksLeft = Int64(Self.duplicateChecks.count)
                room.duplicateCheckAt = step.now + Self.duplicateChecks[0]
                try note("meeting.absent", "\(room.provider): the unclear attempt made no room")
            }
        }
        try step.tx.save(room)
    }

    /// The provider lists a room that it says is gone. Its lists are late: only 'gone' that is said twice counts, and then the room is
    /// none.
    /// - Parameters:
    ///   - isOnlyOne: no other room carries the key.
    ///   - isSettled: an empty list would count.
    mutating func vanished(_ room: RoomRecord, isOnlyOne: Bool, isSettled: Bool) throws {
        var room = try present(room)
        room.goneReports += 1
        guard room.goneReports > 1, isOnlyOne, isSettled else {
            room.state = .unclear
            room.notBefore = max(step.now + Self.goneDelay, ProviderResolver(step.context).nextLook(for: room, now: step.now))
            return try step.tx.save(room)
        }
        try searched(room, adopted: nil, removed: 0, isSettled: true)
    }

    mutating func searchFailed(_ room: RoomRecord, _ error: ProviderError) throws {
        var room = try present(room)
        room.failures += 1
        let again = retryTime(error, room.failures) ?? step.now + RetryPolicy.blocked.longest
        if room.state == .attempting || room.state == .unclear {
            room.state = .unclear
            room.notBefore = unclearTime(error, room.failures)
        } else if error.code.needsPerson, error.code == .missingScope || step.now >= booking.end {
            // Nothing changes soon: the sweeps look again while the meeting is to come.
            (room.duplicateCheckAt, room.duplicateChecksLeft) = (.never, 0)
        } else {
            room.duplicateCheckAt = again
        }
        try step.tx.save(room)
        guard room.state == .unclear else { return }
        try show(error.code.isBlocking ? .blocked : .pending, error.problem, of: room)
    }

    // MARK: A look whether it is as it was

    mutating func checked(_ room: RoomRecord, _ provided: ProvidedRoom) throws {
        var seen = try present(room)
        seen.goneReports = 0
        if try !isTouched(since: room) { seen.checkAt = nextCheck(room) }
        let isMoved = provided.start.map { $0 != room.appliedStart } ?? false || provided.end.map { $0 != room.appliedEnd } ?? false
        guard isMoved || provided.room != room.room else { return try step.tx.save(seen) }
        if isMoved {
            let isMended = booking.terms.type.onDrift == .recreate
            try note(
                "meeting.drifted",
                "\(room.provider): moved at the provider to \(provided.start?.rfc3339 ?? "another length"); \(isMended ? "it is moved back" : "the booking stays as it is")"
            )
            // What was last told counts as another time, and the plan moves the room back.
            if isMended { (seen.appliedStart, seen.appliedEnd) = (provided.start ?? room.appliedStart, provided.end ?? room.appliedEnd) }
        }
        guard provided.room != room.room else {
            try step.tx.save(seen)
            return isMoved ? try showRoom(seen) : ()
        }
        seen.room = provided.room
        try step.tx.save(seen)
        try note("meeting.changed", "\(room.provider): link, passcode or dial-in were changed at the provider")
        try showRoom(seen)
    }

    mutating func checkFailed(_ asked: RoomRecord, _ error: ProviderError) throws {
        if error.code == .meetingGone { return try gone(asked, error) }
        var room = try present(asked)
        room.failures += 1
        // Of one that may be gone it is found out, as long as anybody can be told; else whoever connects again has it looked at.
        let isSuspect = room.goneReports > 0
        let later = isSuspect ? unclearTime(error, room.failures) : nextCheck(room)
        // Who connects an account anew has its rooms looked at; for an account of the site nobody does.
        let isOwners = step.context.registry.descriptor(room.module)?.connection == .owner
        let again = error.code.needsPerson && isOwners ? later : retryTime(error, room.failures) ?? later
        if try !isTouched(since: asked) { room.checkAt = again < booking.end ? again : .never }
        try step.tx.save(room)
    }

    /// A day and an hour before the start: rare, and early enough to mend. Where the service tells of changes, that comes sooner.
    func nextCheck(_ room: RoomRecord) -> Instant {
        // A link to a service of one's own stands by itself.
        guard step.context.registry.descriptor(room.module).map({ $0.connection != .none }) ?? false else { return .never }
        return [Duration.days(1), .hours(1)].map { booking.start - $0 }.first { $0 > step.now + .hours(1) } ?? .never
    }
}
