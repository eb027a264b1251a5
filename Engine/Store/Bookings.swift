import UsherCore

/// The columns of `bookings` that are read.
enum BookingColumn: Int, Column {
    case id, status, revision, startsAt, endsAt, timeZone, attendees, note, metadata, source, termsID, meetingStatus, provider,
        module, because, room, problem, changedAt, createdAt, linkSecret, pool, ownerBecause, answers, trace

    static let table = "bookings"
}

enum BookingSQL: String, SQLStatement {
    /// Unless one stands in its way.
    case insert = """
        INSERT INTO bookings ({bookings}, owner_id, overlap_allowed)
        SELECT {$26} WHERE NOT EXISTS (SELECT 1 FROM bookings
            WHERE owner_id = $25 AND starts_at > $27 AND starts_at < $5 AND ends_at > $4 AND status = 'confirmed')
            AND NOT EXISTS (SELECT 1 FROM holds WHERE owner_id = $25 AND starts_at < $5 AND ends_at > $4 AND expires_at > $28
                AND booking_id IS NULL)
        """
    /// Unless one stands in its way that stands beside no other: an index leads to those alone.
    case insertBeside = """
        INSERT INTO bookings ({bookings}, owner_id, overlap_allowed)
        SELECT {$26} WHERE NOT EXISTS (SELECT 1 FROM bookings
            WHERE owner_id = $25 AND starts_at > $27 AND starts_at < $5 AND ends_at > $4 AND status = 'confirmed' AND overlap_allowed = 0)
            AND NOT EXISTS (SELECT 1 FROM holds
                WHERE owner_id = $25 AND starts_at < $5 AND ends_at > $4 AND expires_at > $28 AND type <> $29
                AND booking_id IS NULL)
        """
    case update = """
        UPDATE bookings SET status = $1, starts_at = $2, ends_at = $3, revision = $4, meeting_status = $5, provider = $6,
            module = $7, because = $8, room = $9, problem = $10, changed_at = $11 WHERE id = $12
        """
    /// Of a booking that stays where it is: no index holds any of it.
    case updateMeeting = """
        UPDATE bookings SET revision = $1, meeting_status = $2, provider = $3, module = $4, because = $5, room = $6, problem = $7,
            changed_at = $8 WHERE id = $9
        """
    case one = """
        SELECT {bookings} FROM bookings WHERE id = $1
        """
    case lock = "SELECT id FROM bookings WHERE id = $1{lock}"
    case lockIfFree = "SELECT id FROM bookings WHERE id = $1{skip locked}"
    case owner = "SELECT owner_id FROM bookings WHERE id = $1"
    case revision = "SELECT revision FROM bookings WHERE id = $1{lock}"
    /// A booking with its rooms, and how much there is beside: one row for each room, one with NULLs where there is none.
    case whole = """
        SELECT {o.bookings}, (SELECT COUNT(*) FROM outbox m WHERE m.booking_id = o.id),
            (SELECT COUNT(*) FROM webhooks), {r.rooms}
        FROM bookings o LEFT JOIN rooms r ON r.booking_id = o.id WHERE o.id = $1 ORDER BY r.generation
        """
    case page = """
        SELECT {bookings} FROM bookings
        WHERE starts_at >= $1 AND (starts_at > $1 OR id > $2) AND starts_at < $3 AND ($4 = '' OR status = $4)
        ORDER BY starts_at, id LIMIT $5
        """
    case pageOfOwner = """
        SELECT {bookings} FROM bookings
        WHERE starts_at >= $1 AND (starts_at > $1 OR id > $2) AND starts_at < $3 AND ($4 = '' OR status = $4) AND owner_id = $5
        ORDER BY starts_at, id LIMIT $6
        """
    case inTrouble = """
        SELECT {bookings} FROM bookings
        WHERE problem IS NOT NULL AND starts_at > $1 AND status = 'confirmed' ORDER BY starts_at, id LIMIT $2
        """
    case conflict = """
        SELECT id FROM bookings WHERE owner_id = $1 AND starts_at > $2 AND starts_at < $3 AND ends_at > $4
            AND status = 'confirmed' AND id <> $5 LIMIT 1
        """
    /// What an owner's time is taken by.
    case engagements = """
        SELECT id, starts_at, ends_at, terms_id, provider FROM bookings
        WHERE owner_id = $1 AND starts_at > $2 AND starts_at < $3 AND status = 'confirmed' ORDER BY starts_at
        """
    /// How many of a pool's bookings each host has got since a time, and when the last one.
    case turns = """
        SELECT owner_id, COUNT(*), MAX(created_at) FROM bookings
        WHERE pool = $1 AND pool <> '' AND created_at > $2 AND status = 'confirmed' GROUP BY owner_id
        """
    /// Of those that stand beside no other: an index leads to them alone.
    case exclusiveConflict = """
        SELECT id FROM bookings WHERE owner_id = $1 AND starts_at > $2 AND starts_at < $3 AND ends_at > $4
            AND status = 'confirmed' AND id <> $5 AND overlap_allowed = 0 LIMIT 1
        """
    case trace = "SELECT trace FROM bookings WHERE id = $1"
    case terms = "SELECT body FROM terms WHERE id = $1"
    case addTerms = "INSERT INTO terms (id, body) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING"

    static let texts: [String: StatementText] = texts(BookingColumn.self, RoomColumn.self)
}

extension Tx {
    /// No booking lasts longer, so that a look for overlaps reads only the neighbouring day.
    package static let longestBooking = Duration.days(1)

    /// Adds a booking that no other of its owner stands in the way of. The owner is to be locked before; see ``lockOwner(_:)``.
    /// - Parameters:
    ///   - termsID: from ``keep(_:as:)``.
    ///   - isHeld: whether its own hold lives: who made it found the time free of others, and a server whose clock is behind may take one
    ///     for living that had ended by then.
    /// - Returns: `false` where one stands in its way; nothing is written then.
    package func insert(_ booking: Booking, termsID: String, isHeld: Bool = false) throws -> Bool {
        let row: [SQLValue] = [
            .text(booking.id), .text(booking.status.rawValue), .int(booking.revision), SQLValue(booking.start), SQLValue(booking.end),
            .text(booking.timeZone), .text(try Stored.text(booking.attendees)), .text(booking.details.note),
            .text(try Stored.text(booking.details.metadata)), .text(booking.details.source), .text(termsID),
            .text(booking.meeting.status.rawValue),
            .text(booking.meeting.provider), .text(booking.meeting.module), .text(booking.meeting.because.rawValue),
            try seen.text(of: booking.meeting.room), try Stored.optional(booking.meeting.problem), SQLValue(booking.changedAt),
            SQLValue(booking.createdAt), .text(booking.linkSecret), .text(booking.terms.type.hosts == nil ? "" : booking.terms.type.id),
            .text(booking.ownerBecause.rawValue), .text(try Stored.text(booking.details.answers)),
            .text(booking.trace?.stored ?? ""),
        ]
        let mayOverlap = booking.terms.type.overlapAllowed
        let isAdded = try execute(
            mayOverlap ? BookingSQL.insertBeside : .insert,
            row + [.text(booking.terms.owner.id), SQLValue(mayOverlap), SQLValue(booking.start - Self.longestBooking)]
                + [SQLValue(isHeld ? .never : booking.createdAt)] + (mayOverlap ? [.text(booking.terms.type.id)] : []))
        guard isAdded == 1 else { return false }
        seen.bookings[booking.id] = booking
        (seen.rooms[booking.id], seen.mailCounts[booking.id]) = ([], 0)
        var kept = booking
        // As a look at the table will find them: equal, but perhaps spelt otherwise.
        kept.terms = memory.terms[termsID] ?? booking.terms
        memory.bookings.keep(SQLRow(row), kept, key: booking.id)
        return true
    }

    /// Writes what can change of a booking.
    package func update(_ booking: Booking) throws {
        let place: [(column: BookingColumn, value: SQLValue)] = [
            (.status, .text(booking.status.rawValue)), (.startsAt, SQLValue(booking.start)), (.endsAt, SQLValue(booking.end)),
        ]
        let meeting: [(column: BookingColumn, value: SQLValue)] = [
            (.revision, .int(booking.revision)), (.meetingStatus, .text(booking.meeting.status.rawValue)),
            (.provider, .text(booking.meeting.provider)), (.module, .text(booking.meeting.module)),
            (.because, .text(booking.meeting.because.rawValue)), (.room, try seen.text(of: booking.meeting.room)),
            (.problem, try Stored.optional(booking.meeting.problem)), (.changedAt, SQLValue(booking.changedAt)),
        ]
        let former = seen.bookings.updateValue(booking, forKey: booking.id)
        let stays = former.map { ($0.status, $0.start, $0.end) == (booking.status, booking.start, booking.end) } ?? false
        let changed = stays ? meeting : place + meeting
        try write(stays ? BookingSQL.updateMeeting : .update, changed.map(\.value) + [.text(booking.id)])
        if let row = memory.bookings.row(booking.id) {
            memory.bookings.keep(row.replacing(changed.map { ($0.column.rawValue, $0.value) }), booking, key: booking.id)
        }
    }

    /// A booking with its rooms, and whether there are mails and webhooks: all that a change of it asks for, in one statement. It is
    /// locked until the transaction ends, if that writes.
    package func wholeBooking(_ id: String) throws -> Booking? {
        if seen.rooms[id] != nil, seen.mailCounts[id] != nil { return seen.bookings[id] }
        try lockBooking(id)
        let rows = try query(BookingSQL.whole, .text(id))
        guard let first = rows.first else { return nil }
        let width = BookingColumn.allCases.count
        let booking = try booking(from: first.part(0..<width))
        seen.bookings[id] = booking
        seen.mailCounts[id] = try first.int(width) + Int64(pending.mails.count { $0.bookingID == id })
        seen.hasWebhooks = try first.int(width + 1) > 0
        seen.rooms[id] = try rows.compactMap { row in
            let room = row.part(width + 2..<width + 2 + RoomColumn.allCases.count)
            return try room.optionalText(RoomColumn.bookingID.rawValue).map { _ in try self.room(from: room) }
        }
        return booking
    }

    /// Has no other transaction be at this booking until this one ends.
    /// - Throws: ``BookingBusy`` where another is, and this transaction does not wait for bookings.
    private func lockBooking(_ id: String) throws {
        guard session.locksRows, seen.lockedBookings.insert(id).inserted else { return }
        guard !waitsForBookings else { return try write(BookingSQL.lock, .text(id)) }
        // One that is not there cannot be locked by others.
        if try query(BookingSQL.lockIfFree, .text(id)).isEmpty, try !query(BookingSQL.owner, .text(id)).isEmpty {
            seen.lockedBookings.remove(id)
            throw BookingBusy()
        }
    }

    /// Locks the owner of a booking, as whoever locks both does first.
    package func lockOwner(ofBooking id: String) throws {
        guard session.locksRows, let owner = try query(BookingSQL.owner, .text(id)).first else { return }
        _ = try lockOwner(owner.text(0))
    }

    package func booking(_ id: String) throws -> Booking? {
        if let known = seen.bookings[id] { return known }
        try lockBooking(id)
        let booking = try query(BookingSQL.one, .text(id)).first.map(booking(from:))
        seen.bookings[id] = booking
        return booking
    }

    /// The trace of the call that made a booking; `nil` for none, and for what is no booking. Nothing is locked.
    package func trace(ofBooking id: String) throws -> TraceContext? {
        if let known = seen.bookings[id] { return known.trace }
        return try query(BookingSQL.trace, .text(id)).first.flatMap { TraceContext(stored: try $0.text(0)) }
    }

    /// A booking's revision, the booking locked until the transaction ends, if that writes.
    package func revision(of id: String) throws -> Int64? {
        seen.lockedBookings.insert(id)
        return try query(BookingSQL.revision, .text(id)).first?.int(0)
    }

    /// A page of bookings by start, then id: those after `after`, whatever has come in between meanwhile.
    /// - Parameters:
    ///   - after: where the page before ended; the first page begins at an instant and an empty id.
    ///   - until: starts before this.
    package func bookings(
        after: (start: Instant, id: String), until: Instant, owner: String?, status: Booking.Status?, limit: Int
    ) throws -> [Booking] {
        let common: (SQLValue, SQLValue, SQLValue, SQLValue) = (
            SQLValue(after.start), .text(after.id), SQLValue(until), .text(status?.rawValue ?? "")
        )
        let rows =
            if let owner {
                try query(BookingSQL.pageOfOwner, common.0, common.1, common.2, common.3, .text(owner), .int(Int64(limit)))
            } else {
                try query(BookingSQL.page, common.0, common.1, common.2, common.3, .int(Int64(limit)))
            }
        return try rows.map(booking(from:))
    }

    /// Bookings that start after `from` and have a problem.
    package func bookingsInTrouble(from: Instant, limit: Int) throws -> [Booking] {
        try query(BookingSQL.inTrouble, SQLValue(from), .int(Int64(limit))).map(booking(from:))
    }

    /// How many bookings that start after `from` have a problem, by its code; of the first thousand.
    package func troubles(from: Instant) throws -> [String: Int] {
        Dictionary(grouping: try bookingsInTrouble(from: from, limit: 1_000).compactMap { $0.meeting.problem?.code.rawValue }) { $0 }
            .mapValues(\.count)
    }

    /// Whether the owner has a confirmed booking that may not stand beside this one. Only a look after the owner was locked decides,
    /// because then two callers at the same instant come one after the other.
    package func hasConflict(_ booking: Booking) throws -> Bool {
        let statement = booking.terms.type.overlapAllowed ? BookingSQL.exclusiveConflict : .conflict
        return try !query(
            statement, .text(booking.terms.owner.id), SQLValue(booking.start - Self.longestBooking), SQLValue(booking.end),
            SQLValue(booking.start), .text(booking.id)
        ).isEmpty
    }

    /// Keeps terms under an id that is drawn from their content, so that equal ones are kept once.
    package func keep(_ terms: Terms, as id: String) throws {
        if memory.terms.knows(id) { return }
        try write(BookingSQL.addTerms, .text(id), .text(try Stored.text(terms)))
    }

    func terms(_ id: String) throws -> Terms {
        if let known = memory.terms[id] ?? seen.terms[id] { return known }
        guard let row = try query(BookingSQL.terms, .text(id)).first else { throw DatabaseError(.corrupt, "no terms \(id)") }
        return try Stored.value(Terms.self, row.text(0))
    }

    func booking(from row: SQLRow) throws -> Booking {
        let booking = try memory.bookings.value(row, key: TableRow<BookingColumn>(row).text(.id)) { try decode($0) }
        let termsID = try TableRow<BookingColumn>(row).text(.termsID)
        if !memory.terms.knows(termsID) { seen.terms[termsID] = booking.terms }
        return booking
    }

    private func decode(_ row: SQLRow) throws -> Booking {
        let row = TableRow<BookingColumn>(row)
        let meeting = Meeting(
            status: try row.known(.meetingStatus), provider: try row.text(.provider), module: try row.text(.module),
            because: try row.known(.because),
            room: try row.optionalValue(Room.self, .room),
            problem: try row.optionalValue(Problem.self, .problem))
        var booking = Booking(
            id: try row.text(.id), status: try row.known(.status), revision: try row.int(.revision), start: try row.instant(.startsAt),
            end: try row.instant(.endsAt), timeZone: try row.text(.timeZone), attendees: try row.value([Attendee].self, .attendees),
            details: BookingDetails(
                note: try row.text(.note), metadata: try row.value([String: String].self, .metadata), source: try row.text(.source),
                answers: try row.value([String: String].self, .answers)),
            terms: try terms(row.text(.termsID)), meeting: meeting, changedAt: try row.instant(.changedAt),
            createdAt: try row.instant(.createdAt))
        booking.linkSecret = try row.text(.linkSecret)
        booking.ownerBecause = try row.known(.ownerBecause)
        booking.trace = TraceContext(stored: try row.text(.trace))
        return booking
    }
}

/// Another transaction is at a booking, and this one does not wait for it.
package struct BookingBusy: Error {}

/// The case of an enumeration that a row names.
/// - Throws: ``DatabaseError/Kind/corrupt`` for a name that this Usher does not know.
func known<Value: RawRepresentable<String>>(_ text: String) throws -> Value {
    guard let value = Value(rawValue: text) else { throw DatabaseError(.corrupt, "no \(Value.self) is called '\(text)'") }
    return value
}
