import UsherCore
import UsherStore

/// What became of a room that was to be moved.
extension RoomOutcomes {
    mutating func moved(_ room: RoomRecord, _ provided: ProvidedRoom, start: Instant, end: Instant) throws {
        var provided = provided
        if let kept = provided.start, kept != start {
            try note("meeting.unchanged", "\(room.provider) did not take the new time, and the room stays at \(kept.rfc3339)")
        }
        // Told once is told: a provider that keeps its own time is not asked again and again.
        (provided.start, provided.end) = (nil, nil)
        try hold(room, provided, start: start, end: end, event: "meeting.updated")
    }

    /// The room was to be moved, and its provider was never asked.
    func neverAsked(_ untold: RoomRecord) throws {
        var room = try present(untold)
        (room.appliedStart, room.appliedEnd) = (untold.appliedStart, untold.appliedEnd)
        try step.tx.save(room)
    }

    /// - Parameter untold: the room before it was to be moved: a plain no leaves it where it was.
    mutating func updateFailed(
        _ room: RoomRecord, _ error: ProviderError, start: Instant, end: Instant, before untold: RoomRecord
    ) throws {
        var room = try present(room)
        room.failures += 1
        if !error.isUnclear { (room.appliedStart, room.appliedEnd) = (untold.appliedStart, untold.appliedEnd) }
        if error.code == .meetingGone { return try gone(room, error) }
        // What a person can mend is waited for until the meeting is over; a scope that the app never had is not.
        if let again = retryTime(error, room.failures), error.code != .missingScope, step.now < booking.end {
            room.notBefore = again
            try step.tx.save(room)
            return try show(error.code.isBlocking ? .blocked : .pending, error.problem, of: room)
        }
        (room.appliedStart, room.appliedEnd, room.failures) = (start, end, 0)
        try step.tx.save(room)
        try note("meeting.unchanged", "\(room.provider) did not take the new time, and the room stays as it was: \(error.message)")
        try show(.ready, error.problem, of: room)
    }
}
