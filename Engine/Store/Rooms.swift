import UsherCore

package enum RoomSQL: String, SQLStatement {
    case save = """
        INSERT INTO rooms (booking_id, generation, key, provider, module, host, state, flight_ends, room_id, room, applied_start,
            applied_end, twin_check, twin_checks_left, gone_seen, failures, not_before, check_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        ON CONFLICT (booking_id, generation) DO UPDATE SET state = excluded.state, host = excluded.host,
            flight_ends = excluded.flight_ends, room_id = excluded.room_id, room = excluded.room,
            applied_start = excluded.applied_start, applied_end = excluded.applied_end, twin_check = excluded.twin_check,
            twin_checks_left = excluded.twin_checks_left, gone_seen = excluded.gone_seen, failures = excluded.failures,
            not_before = excluded.not_before, check_at = excluded.check_at
        """
    case ofBooking = """
        SELECT booking_id, generation, key, provider, module, host, state, flight_ends, room_id, room, applied_start, applied_end,
            twin_check, twin_checks_left, gone_seen, failures, not_before, check_at FROM rooms WHERE booking_id = $1 ORDER BY generation
        """
    case byKey = """
        SELECT booking_id, generation, key, provider, module, host, state, flight_ends, room_id, room, applied_start, applied_end,
            twin_check, twin_checks_left, gone_seen, failures, not_before, check_at FROM rooms WHERE key = $1
        """
    case byID = """
        SELECT booking_id, generation, key, provider, module, host, state, flight_ends, room_id, room, applied_start, applied_end,
            twin_check, twin_checks_left, gone_seen, failures, not_before, check_at FROM rooms WHERE room_id = $1
        """
}

extension Tx {
    /// Rooms by the provider's own id.
    package func rooms(roomID: String) throws -> [RoomRecord] {
        try query(RoomSQL.byID, .text(roomID)).map(room(from:))
    }

    package func save(_ room: RoomRecord) throws {
        let row: [SQLValue] = [
            .text(room.bookingID), .int(room.generation), .text(room.key), .text(room.provider), .text(room.module),
            .text(room.host), .text(room.state.rawValue), SQLValue(room.requestDeadline), .text(room.roomID),
            try seen.text(of: room.room), SQLValue(room.appliedStart), SQLValue(room.appliedEnd), SQLValue(room.duplicateCheckAt),
            .int(room.duplicateChecksLeft), .int(room.goneReports), .int(room.failures), SQLValue(room.notBefore), SQLValue(room.checkAt),
        ]
        try execute(RoomSQL.save, row)
        memory.rooms.keep(SQLRow(row), room, key: room.key)
        seen.rooms[room.bookingID] = nil
    }

    /// The rooms of a booking, earliest generation first.
    package func rooms(of bookingID: String) throws -> [RoomRecord] {
        if let known = seen.rooms[bookingID] { return known }
        let rooms = try query(RoomSQL.ofBooking, .text(bookingID)).map(room(from:))
        seen.rooms[bookingID] = rooms
        return rooms
    }

    package func room(key: String) throws -> RoomRecord? { try query(RoomSQL.byKey, .text(key)).first.map(room(from:)) }

    private func room(from row: SQLRow) throws -> RoomRecord {
        try memory.rooms.value(row, key: try row.text(2)) { try decode($0) }
    }

    private func decode(_ row: SQLRow) throws -> RoomRecord {
        var record = RoomRecord(
            key: try row.text(2), bookingID: try row.text(0), generation: try row.int(1), provider: try row.text(3),
            module: try row.text(4), host: try row.text(5), state: try known(row.text(6)))
        record.requestDeadline = try row.instant(7)
        record.roomID = try row.text(8)
        record.room = try row.optionalText(9).map { try Stored.value(Room.self, $0) }
        record.appliedStart = try row.instant(10)
        record.appliedEnd = try row.instant(11)
        record.duplicateCheckAt = try row.instant(12)
        record.duplicateChecksLeft = try row.int(13)
        record.goneReports = try row.int(14)
        record.failures = try row.int(15)
        record.notBefore = try row.instant(16)
        record.checkAt = try row.instant(17)
        return record
    }
}
