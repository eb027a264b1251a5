import UsherCore

/// What is to be done next about a booking's rooms.
package enum RoomMove: Hashable, Sendable {
    /// Write the intent for a new generation, and create.
    case begin(Terms.Link, generation: Int64)
    /// Create again under the same key.
    case create(RoomRecord)
    /// Ask the provider whether an unclear create made a room.
    case settle(RoomRecord)
    case update(RoomRecord)
    /// Say that the room is the booking's: it fits, and nothing else waits.
    case show(RoomRecord)
    case remove(RoomRecord)
    /// Look for the twin of a create that was repeated.
    case lookForTwins(RoomRecord)
    /// Look whether the room is still as it was.
    case check(RoomRecord)
    /// The meeting is over, and there never was a room; `nil` where none was asked for.
    case giveUp(RoomRecord?)
    /// Nothing before this instant; `nil`: nothing at all.
    case rest(until: Instant?)
}

/// The state machine of provisioning: booking, rooms and time in, one move out. It knows no database, no provider and no clock.
///
///                      plain no, may be asked again
///                    ┌────────────◄───────────┐
///     begin ─► attempting ──unclear──► unclear ┴─found nothing, settled─► absent ─► attempting …
///                    │                    │found                            │final no
///                    ▼                    ▼                                 ▼
///                   live ◄───────────────┘                              refused ─► next generation (fallback)
///                    │ cancelled, or a later generation holds the room
///                    ▼
///                 removing ─► removed
package enum RoomPlan {
    /// So long after a meeting it is still asked whether an unclear create made a room.
    private static let patience = Duration.days(1)

    /// - Parameter isRepeatable: whether a module's create gives the same room for the same key.
    package static func next(
        _ booking: Booking, _ rooms: [RoomRecord], now: Instant, isRepeatable: (String) -> Bool
    ) -> RoomMove {
        var due: [(at: Instant, move: RoomMove)] = []
        for room in rooms {
            let isWanted = booking.wantsRoom && room.generation == rooms.last?.generation
            due += moves(for: room, of: booking, isWanted: isWanted, now: now, isRepeatable: isRepeatable(room.module))
        }
        if booking.wantsRoom, let begin = beginning(booking, rooms) { due.append((now, now < booking.end ? begin : .giveUp(rooms.last))) }
        if let first = due.first(where: { $0.at <= now }) { return first.move }
        return .rest(until: due.map(\.at).filter { $0 < .never }.min())
    }

    private static func moves(
        for room: RoomRecord, of booking: Booking, isWanted: Bool, now: Instant, isRepeatable: Bool
    ) -> [(at: Instant, move: RoomMove)] {
        switch room.state {
        case .attempting, .unclear:
            // Asked again, a repeatable create gives the room that there is: to hold it, or to remove it.
            let move = isRepeatable ? RoomMove.create(room) : .settle(room)
            return [(room.notBefore, move), (booking.end + patience, .giveUp(room))]
        case .absent:
            let twins = [(room.duplicateCheckAt, RoomMove.lookForTwins(room))]
            guard isWanted else { return twins }
            return twins + (now < booking.end ? [(room.notBefore, .create(room)), (booking.end, .giveUp(room))] : [(now, .giveUp(room))])
        case .live where !isWanted && (booking.status == .cancelled || booking.wantsRoom):
            // What an earlier change waited for does not hold the removal up.
            return [(now, .remove(room))]
        case .live:
            let fits = room.appliedStart == booking.start && room.appliedEnd == booking.end
            // The booking was moved away and back before its room was.
            if fits, isWanted, booking.meeting.status == .pending || booking.meeting.status == .blocked { return [(now, .show(room))] }
            return (fits ? [(room.checkAt, .check(room))] : [(room.notBefore, .update(room))]) + [
                (room.duplicateCheckAt, .lookForTwins(room))
            ]
        case .removing: return [(room.notBefore, .remove(room))]
        case .refused, .removed: return [(room.duplicateCheckAt, .lookForTwins(room))]
        }
    }

    /// A new generation: the first room, a fallback after a final no, a new room where the old one is gone.
    /// None begins while an earlier create is unclear.
    private static func beginning(_ booking: Booking, _ rooms: [RoomRecord]) -> RoomMove? {
        guard booking.meeting.status != .failed else { return nil }
        guard let last = rooms.last else { return booking.terms.chain.first.map { .begin($0, generation: 1) } }
        switch last.state {
        case .refused: return link(after: last, booking).map { .begin($0, generation: last.generation + 1) }
        case .removed:
            return .begin(Terms.Link(provider: last.provider, module: last.module), generation: last.generation + 1)
        default: return nil
        }
    }

    /// The provider that the chain names after the one that this room was asked of.
    package static func link(after room: RoomRecord, _ booking: Booking) -> Terms.Link? {
        let chain = booking.terms.chain
        guard let index = chain.firstIndex(where: { $0.provider == room.provider }), index + 1 < chain.count else { return nil }
        return chain[index + 1]
    }
}
