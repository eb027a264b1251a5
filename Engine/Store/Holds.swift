import UsherCore

/// A time that is kept for whoever is about to book it.
package struct StoredHold: Hashable, Sendable {
    /// `hd_…`
    package var id: String
    /// Whose time it is.
    package var ownerID: String
    /// The meeting type as it was when the time was held: the booking is made by it.
    package var type: MeetingType
    /// When the meeting would begin.
    package var start: Instant
    /// When the meeting would end.
    package var end: Instant
    /// It blocks its time until then.
    package var expiresAt: Instant
    /// Who asked for it, as ``Actor/name``.
    package var holder: String
    /// By which numbers the owner was chosen among the hosts of the meeting type; empty where they were asked for.
    package var note: String
    /// The booking that was made with it; it blocks nothing any more.
    package var bookingID: String?
    /// Whether webhooks were told of its end.
    package var isTold = false
    /// When it was made.
    package var createdAt: Instant
    /// Of a visitor of a page: whom it counts for; empty for a caller with a key.
    package var address = ""

    /// Takes each property as it is.
    package init(
        id: String, ownerID: String, type: MeetingType, start: Instant, end: Instant, expiresAt: Instant, holder: String, note: String,
        createdAt: Instant
    ) {
        self.id = id
        self.ownerID = ownerID
        self.type = type
        self.start = start
        self.end = end
        self.expiresAt = expiresAt
        self.holder = holder
        self.note = note
        self.createdAt = createdAt
    }
}

/// The columns of `holds` that are read.
enum HoldColumn: Int, Column {
    case id, ownerID, type, startsAt, endsAt, expiresAt, holder, body, note, bookingID, isTold, createdAt, address

    static let table = "holds"
}

/// Statements on holds.
enum HoldSQL: String, SQLStatement {
    case add = "INSERT INTO holds ({holds}) VALUES ({$13})"
    case one = "SELECT {holds} FROM holds WHERE id = $1"
    case ofOwner = """
        SELECT {holds} FROM holds WHERE owner_id = $1 AND starts_at > $2 AND starts_at < $3 AND expires_at > $4 AND booking_id IS NULL
        ORDER BY starts_at
        """
    case ofPool = "SELECT owner_id, COUNT(*) FROM holds WHERE type = $1 AND expires_at > $2 AND booking_id IS NULL GROUP BY owner_id"
    case living = "SELECT COUNT(*) FROM holds WHERE holder = $1 AND expires_at > $2 AND booking_id IS NULL"
    case forgetAddress = "UPDATE holds SET address = '' WHERE id = $1"
    case told = "UPDATE holds SET is_told = 1 WHERE id = $1 AND booking_id IS NULL AND is_told = 0"
    case book = "UPDATE holds SET booking_id = $1 WHERE id = $2 AND booking_id IS NULL"
    case remove = "DELETE FROM holds WHERE id = $1 AND booking_id IS NULL"
    case livingOf = "SELECT {holds} FROM holds WHERE holder = $1 AND expires_at > $2 AND booking_id IS NULL"
    /// Never shorter.
    case extend = """
        UPDATE holds SET expires_at = CASE WHEN expires_at > $1 THEN expires_at ELSE $1 END
        WHERE id = $2 AND booking_id IS NULL AND expires_at > $3
        """
    case ofAddress = "SELECT COUNT(*) FROM holds WHERE address = $1 AND expires_at > $2 AND booking_id IS NULL"
    case ofVisitors = "SELECT COUNT(*) FROM holds WHERE type = $1 AND address <> '' AND expires_at > $2 AND booking_id IS NULL"

    static let texts: [String: StatementText] = texts(HoldColumn.self)
}

extension Tx {
    /// Adds a hold. The owner is to be locked before; see ``lockOwner(_:)``.
    package func add(_ hold: StoredHold) throws {
        try write(
            HoldSQL.add, .text(hold.id), .text(hold.ownerID), .text(hold.type.id), SQLValue(hold.start), SQLValue(hold.end),
            SQLValue(hold.expiresAt), .text(hold.holder), .text(try Stored.text(hold.type)), .text(hold.note), .null, SQLValue(hold.isTold),
            SQLValue(hold.createdAt), .text(hold.address))
    }

    package func hold(_ id: String) throws -> StoredHold? { try query(HoldSQL.one, .text(id)).first.map(hold(from:)) }

    /// The holds that live at `now`, and begin after `from` and before `to`.
    package func holds(of owner: String, from: Instant, to: Instant, now: Instant) throws -> [StoredHold] {
        try query(HoldSQL.ofOwner, .text(owner), SQLValue(from), SQLValue(to), SQLValue(now)).map(hold(from:))
    }

    /// How many holds of somebody live.
    package func livingHolds(of holder: String, now: Instant) throws -> Int64 {
        try query(HoldSQL.living, .text(holder), SQLValue(now))[0].int(0)
    }

    /// Whether a hold stands in the way of a booking, but for one of a meeting type whose bookings stand beside each other.
    package func isHeld(_ booking: Booking, now: Instant) throws -> Bool {
        let start = booking.start - Self.longestBooking
        return try holds(of: booking.terms.owner.id, from: start, to: booking.end, now: now).contains { hold in
            hold.end > booking.start && !(booking.terms.type.overlapAllowed && hold.type.id == booking.terms.type.id)
        }
    }

    /// The holds of somebody that live.
    package func livingHolds(ofHolder holder: String, now: Instant) throws -> [StoredHold] {
        try query(HoldSQL.livingOf, .text(holder), SQLValue(now)).map(hold(from:))
    }
    /// How many times are held for visitors from one address.
    package func livingHolds(ofAddress address: String, now: Instant) throws -> Int64 {
        try query(HoldSQL.ofAddress, .text(address), SQLValue(now))[0].int(0)
    }
    /// How many times of a meeting type are held for visitors of pages.
    package func livingHolds(ofVisitorsOf type: String, now: Instant) throws -> Int64 {
        try query(HoldSQL.ofVisitors, .text(type), SQLValue(now))[0].int(0)
    }
    /// Lets a hold that lives live longer.
    /// - Returns: `false` where it had ended.
    package func extend(hold id: String, to end: Instant, now: Instant) throws -> Bool {
        try execute(HoldSQL.extend, SQLValue(end), .text(id), SQLValue(now)) == 1
    }

    /// Forgets where the visitor was who held the time.
    package func forgetAddress(ofHold id: String) throws { try write(HoldSQL.forgetAddress, .text(id)) }
    /// Webhooks are to be told of a hold's end.
    /// - Returns: `false` where they were, or a booking was made of it.
    package func markTold(hold id: String) throws -> Bool { try execute(HoldSQL.told, .text(id)) == 1 }
    /// Gives the time free for the booking that is made of the hold.
    /// - Returns: `false` where it was booked or released before.
    package func book(hold id: String, as booking: String) throws -> Bool { try execute(HoldSQL.book, .text(booking), .text(id)) == 1 }
    /// Gives the time free, unless it is booked.
    /// - Returns: whether it was held.
    package func removeHold(_ id: String) throws -> Bool { try execute(HoldSQL.remove, .text(id)) == 1 }

    private func hold(from row: SQLRow) throws -> StoredHold {
        let row = TableRow<HoldColumn>(row)
        var hold = StoredHold(
            id: try row.text(.id), ownerID: try row.text(.ownerID), type: try row.value(MeetingType.self, .body),
            start: try row.instant(.startsAt), end: try row.instant(.endsAt), expiresAt: try row.instant(.expiresAt),
            holder: try row.text(.holder), note: try row.text(.note), createdAt: try row.instant(.createdAt))
        hold.bookingID = try row.optionalText(.bookingID)
        hold.isTold = try row.bool(.isTold)
        hold.address = try row.text(.address)
        return hold
    }
}

/// A confirmed booking, as far as it takes its owner's time.
package struct Engagement: Hashable, Sendable {
    package var bookingID: String
    package var start: Instant
    package var end: Instant
    /// As it was when the booking was made.
    package var type: MeetingType
    /// Where it is held.
    package var provider: String
}

extension Tx {
    /// An owner's confirmed bookings that begin after `from` and before `to`.
    package func engagements(of owner: String, from: Instant, to: Instant) throws -> [Engagement] {
        try query(BookingSQL.engagements, .text(owner), SQLValue(from), SQLValue(to)).map {
            Engagement(
                bookingID: try $0.text(0), start: try $0.instant(1), end: try $0.instant(2), type: try rememberedTerms($0.text(3)).type,
                provider: try $0.text(4))
        }
    }

    private func rememberedTerms(_ id: String) throws -> Terms {
        let terms = try terms(id)
        if !memory.terms.knows(id) { seen.terms[id] = terms }
        return terms
    }

    /// Lets the bookings of pools be assigned one after the other: pools may share hosts, and whoever chooses locks several.
    package func lockPools() throws { try session.lock(name: "pools") }
    /// Lets meetings at one account be counted and made one after the other; whoever only reads waits for nobody.
    package func lockAccount(_ account: String) throws { if session.locksRows { try session.lock(name: "account \(account)") } }
    /// Lets one caller's holds be counted and made one after the other.
    package func lockHolds(of holder: String) throws { try session.lock(name: "holds \(holder)") }

    /// By owner: how many bookings of a pool's meeting type were made since a time, with the holds that live; and when the last one.
    package func turns(of type: String, since: Instant, now: Instant) throws -> [String: (count: Int, last: Instant?)] {
        var turns: [String: (count: Int, last: Instant?)] = [:]
        for row in try query(BookingSQL.turns, .text(type), SQLValue(since)) {
            turns[try row.text(0)] = (Int(try row.int(1)), try row.instant(2))
        }
        for row in try query(HoldSQL.ofPool, .text(type), SQLValue(now)) {
            turns[try row.text(0), default: (0, nil)].count += Int(try row.int(1))
        }
        return turns
    }
}
