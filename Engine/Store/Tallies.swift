import UsherCore

enum TallySQL: String, SQLStatement {
    /// By quarters of an hour, at which every zone's days begin. An index leads to the stretch.
    case bookings = """
        SELECT starts_at / 900000000, status, provider, meeting_status, count(*) FROM bookings
        WHERE starts_at >= $1 AND starts_at < $2 GROUP BY 1, 2, 3, 4
        """
    case waits = """
        SELECT b.created_at, (SELECT min(at) FROM timeline t WHERE t.booking_id = b.id AND t.event = 'meeting.created'
                AND NOT EXISTS (SELECT 1 FROM timeline e WHERE e.booking_id = b.id AND e.event = 'booking.entered')),
            (SELECT min(sent_at) FROM outbox m WHERE m.booking_id = b.id)
        FROM bookings b WHERE b.starts_at >= $1 AND b.status = 'confirmed' ORDER BY b.starts_at LIMIT $2
        """
    case connections = "SELECT provider, health, count(*) FROM connections GROUP BY 1, 2"
}

/// How many bookings of one kind start in a quarter of an hour.
package struct BookingTally: Sendable {
    /// When the quarter begins.
    package var start: Instant
    /// Confirmed or cancelled.
    package var status: Booking.Status
    /// The provider's name.
    package var provider: String
    /// What became of the room.
    package var meeting: Meeting.Status
    /// How many there are, at least one.
    package var count: Int64
}

/// How long it took from a booking to what its guests wait for.
package struct BookingWait: Sendable {
    /// To its first room; `nil` where there is none yet.
    package var room: Duration?
    /// To its first mail; `nil` where none has left.
    package var mail: Duration?
}

extension Tx {
    /// How the owners' connections are, counted.
    package func connectionTallies() throws -> [(provider: String, health: StoredConnection.Health, count: Int64)] {
        try query(TallySQL.connections).map { (try $0.text(0), try known($0.text(1)), try $0.int(2)) }
    }

    /// The bookings that start in a stretch of time, counted.
    package func tallies(from: Instant, to: Instant) throws -> [BookingTally] {
        try query(TallySQL.bookings, SQLValue(from), SQLValue(to)).map { row in
            BookingTally(
                start: Instant(microseconds: try row.int(0) * 900_000_000), status: try known(row.text(1)), provider: try row.text(2),
                meeting: try known(row.text(3)), count: try row.int(4))
        }
    }

    /// What the guests of the next confirmed bookings waited.
    package func waits(from: Instant, limit: Int) throws -> [BookingWait] {
        try query(TallySQL.waits, SQLValue(from), .int(Int64(limit))).map { row in
            let made = try row.int(0)
            func wait(_ column: Int) throws -> Duration? { try row.optionalInt(column).map { .microseconds(max($0 - made, 0)) } }
            return BookingWait(room: try wait(1), mail: try wait(2))
        }
    }
}
