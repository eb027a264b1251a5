import UsherCore
import UsherStore

extension Tx {
    /// A connection's grant lives: the alert about a dead one is withdrawn, and what waited for it goes on at once.
    /// - Parameter module: the connection's.
    func resumeWaiting(for connection: StoredConnection, of module: any ConnectableProvider.Type, now: Instant) throws {
        let (owner, provider) = (connection.ownerID, connection.provider)
        try removeNotice(.connection(owner: owner, provider: provider))
        for id in try bookingsStalled(owner: owner, provider: provider, now: now) {
            // Locked first: what a claim writes meanwhile is not to be written over.
            guard let booking = try booking(id) else { continue }
            let rooms = try rooms(of: id)
            for var room in rooms where room.provider == provider && (room.state == .absent || room.failures > 0) {
                (room.notBefore, room.failures) = (Instant(microseconds: 0), 0)
                if room.state == .live { room.checkAt = now }
                try save(room)
            }
            try enqueue(followUps(of: .roomsTouched(booking, newest: rooms.last), now: now), now: now)
        }
        guard module is any CalendarProvider.Type else { return }
        for booking in try bookings(after: (now, ""), until: .never, owner: owner, status: nil, limit: Self.calendarLimit) {
            try enqueue(followUps(of: .calendarEntryTouched(booking), now: now), now: now)
        }
    }

    /// So many upcoming bookings are put on a calendar that is connected anew.
    private static let calendarLimit = 1_000
}
