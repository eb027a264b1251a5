import UsherCore

/// The columns of `rooms` that are read.
enum RoomColumn: Int, Column {
    case bookingID, generation, key, provider, module, host, state, requestDeadline, roomID, room, appliedStart, appliedEnd,
        duplicateCheckAt, duplicateChecksLeft, goneReports, failures, notBefore, checkAt

    static let table = "rooms"
    static let renamed: [Self: String] = [
        .requestDeadline: "flight_ends", .duplicateCheckAt: "twin_check", .duplicateChecksLeft: "twin_checks_left",
        .goneReports: "gone_seen",
    ]
}

enum RoomSQL: String, SQLStatement {
    case save = """
        INSERT INTO rooms ({rooms})
        VALUES ({$18})
        ON CONFLICT (booking_id, generation) DO UPDATE SET state = excluded.state, host = excluded.host,
            flight_ends = excluded.flight_ends, room_id = excluded.room_id, room = excluded.room,
            applied_start = excluded.applied_start, applied_end = excluded.applied_end, twin_check = excluded.twin_check,
            twin_checks_left = excluded.twin_checks_left, gone_seen = excluded.gone_seen, failures = excluded.failures,
            not_before = excluded.not_before, check_at = excluded.check_at
        """
    case ofBooking = """
        SELECT {rooms} FROM rooms WHERE booking_id = $1 ORDER BY generation
        """
    case byKey = """
        SELECT {rooms} FROM rooms WHERE key = $1
        """
    case byID = """
        SELECT {rooms} FROM rooms WHERE room_id = $1 AND room_id <> ''
        """

    static let texts: [String: StatementText] = texts(RoomColumn.self)
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
        try write(RoomSQL.save, row)
        memory.rooms.keep(SQLRow(row), room, key: room.key)
        guard var rooms = seen.rooms[room.bookingID] else { return }
        if let index = rooms.firstIndex(where: { $0.generation == room.generation }) { rooms[index] = room } else { rooms.append(room) }
        seen.rooms[room.bookingID] = rooms
    }

    /// The rooms of a booking, earliest generation first.
    package func rooms(of bookingID: String) throws -> [RoomRecord] {
        if let known = seen.rooms[bookingID] { return known }
        let rooms = try query(RoomSQL.ofBooking, .text(bookingID)).map(room(from:))
        seen.rooms[bookingID] = rooms
        return rooms
    }

    package func room(key: String) throws -> RoomRecord? { try query(RoomSQL.byKey, .text(key)).first.map(room(from:)) }

    func room(from row: SQLRow) throws -> RoomRecord {
        try memory.rooms.value(row, key: TableRow<RoomColumn>(row).text(.key)) { try decode($0) }
    }

    private func decode(_ row: SQLRow) throws -> RoomRecord {
        let row = TableRow<RoomColumn>(row)
        var record = RoomRecord(
            key: try row.text(.key), bookingID: try row.text(.bookingID), generation: try row.int(.generation),
            provider: try row.text(.provider),
            module: try row.text(.module), host: try row.text(.host), state: try row.known(.state))
        record.requestDeadline = try row.instant(.requestDeadline)
        record.roomID = try row.text(.roomID)
        record.room = try row.optionalValue(Room.self, .room)
        record.appliedStart = try row.instant(.appliedStart)
        record.appliedEnd = try row.instant(.appliedEnd)
        record.duplicateCheckAt = try row.instant(.duplicateCheckAt)
        record.duplicateChecksLeft = try row.int(.duplicateChecksLeft)
        record.goneReports = try row.int(.goneReports)
        record.failures = try row.int(.failures)
        record.notBefore = try row.instant(.notBefore)
        record.checkAt = try row.instant(.checkAt)
        return record
    }
}
