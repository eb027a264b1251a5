import UsherCore
import UsherStore

extension Tx {
    /// A connection's grant lives: the alert about a dead one is withdrawn, and the rooms and calendar entries that waited for it go on at
    /// once.
    func resumeWaiting(for connection: StoredConnection, now: Instant) throws {
        let (owner, provider) = (connection.ownerID, connection.provider)
        try removeNotice(.connection(owner: owner, provider: provider))
        for id in try bookingsStalled(owner: owner, provider: provider, now: now) {
            let rooms = try rooms(of: id)
            for var room in rooms where room.provider == provider && (room.state == .absent || room.failures > 0) {
                (room.notBefore, room.failures) = (Instant(microseconds: 0), 0)
                if room.state == .live { room.checkAt = now }
                try save(room)
            }
            if let booking = try booking(id) { try enqueue(followUps(of: .roomsTouched(booking, newest: rooms.last), now: now), now: now) }
        }
        for booking in try bookings(after: (now, ""), until: .never, owner: owner, status: nil, limit: Self.mostEntries) {
            try enqueue(followUps(of: .calendarEntryTouched(booking), now: now), now: now)
        }
    }

    /// Of an owner's meetings to come, the nearest ones whose entries are looked at.
    private static var mostEntries: Int { 1_000 }
}
