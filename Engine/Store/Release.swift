import UsherCore

// What is looked at, and settled, before a held database is let go.

enum ReleaseSQL: String, SQLStatement {
    case jobs = "SELECT subject FROM steps WHERE kind = $1 ORDER BY due_at LIMIT $2"
    case liveRooms = """
        SELECT r.provider, r.host, r.room_id, r.key, r.booking_id FROM rooms r JOIN bookings b ON b.id = r.booking_id
        WHERE r.state = 'live' AND b.ends_at > $1 ORDER BY r.provider, r.host, r.key
        """
    case waitingEvents = "SELECT COUNT(*) FROM deliveries WHERE state = 'waiting'"
    /// What the provider refused before the backup may have been made after it.
    case doubtRooms = "UPDATE rooms SET state = 'unclear' WHERE state = 'absent'"
    case dropLetters = "DELETE FROM steps WHERE kind IN ('notice', 'sign-in', 'page-form') AND due_at <= $1"
    case forgetProcesses = "DELETE FROM processes"
}

/// A room that the database takes for standing.
package struct LiveRoom: Hashable, Sendable {
    /// Its provider's name.
    package var provider: String
    /// The account that hosts it.
    package var host: String
    /// The provider's own id.
    package var roomID: String
    /// See ``RoomRecord/key``.
    package var key: String
    /// The booking that it is for.
    package var bookingID: String
}

extension Tx {
    /// The subjects of the jobs of a kind, the earliest first.
    package func subjects(of kind: Job.Kind, limit: Int) throws -> [String] {
        try query(ReleaseSQL.jobs, .text(kind.rawValue), .int(Int64(limit))).map { try $0.text(0) }
    }

    /// The rooms that stand, of meetings that end after `now`.
    package func liveRooms(now: Instant) throws -> [LiveRoom] {
        try query(ReleaseSQL.liveRooms, SQLValue(now)).map {
            LiveRoom(
                provider: try $0.text(0), host: try $0.text(1), roomID: try $0.text(2), key: try $0.text(3), bookingID: try $0.text(4))
        }
    }

    /// Events that wait for a webhook's receiver.
    package func waitingEvents() throws -> Int64 { try query(ReleaseSQL.waitingEvents)[0].int(0) }

    /// After a restore: nothing that the backup knew of a process or of a room that there was not holds any more.
    package func doubtAfterRestore(forgettingProcesses: Bool = true) throws {
        try execute(ReleaseSQL.doubtRooms)
        if forgettingProcesses { try execute(ReleaseSQL.forgetProcesses) }
    }

    /// Letters to owners and links by mail that were due: they may have left, and are of no use by now.
    package func dropOverdueLetters(now: Instant) throws { try execute(ReleaseSQL.dropLetters, SQLValue(now)) }

    /// Leaves the processes out that were at work when a copy was made.
    package func forgetProcesses() throws { try execute(ReleaseSQL.forgetProcesses) }

    /// Takes out of a copy all that would act in the original's place: its rooms, its work, its grants, its calendars and whoever it
    /// tells. Bookings, owners and people stay.
    package func cutOff() throws {
        for table in [
            "steps", "rooms", "tokens", "calendar_subscriptions", "calendar_busy", "calendars", "calendar_events", "connections",
            "lost_connections", "consents", "owner_apps", "revocations", "deliveries", "webhooks", "page_forms", "sessions", "portal_links",
            "admin_sessions", "idempotency", "processes",
        ] { try session.execute("DELETE FROM \(table)", []) }
        try session.execute("UPDATE outbox SET state = 'dropped', kept = '' WHERE state IN ('queued', 'sending')", [])
    }
}
