import UsherCore

/// A calendar of an owner's that says when they are busy, and what is known of it.
package struct StoredCalendar: Hashable, Sendable {
    /// `cal_…`
    package var id: String
    /// Whose it is.
    package var ownerID: String
    /// ``BusySourceDescriptor/kind``
    package var kind: String
    /// The provider whose connection leads to it; empty for one with an address of its own.
    package var provider = ""
    /// Where it is, for people: a host, or an account's address.
    package var account: String
    /// ``FoundCalendar/id``; `nil` while it is not known which calendars there are.
    package var remoteID: String?
    /// As its owner named it there.
    package var name: String
    /// Whether it makes busy.
    package var counts: Bool
    /// Address, user and password; empty for one that a connection leads to.
    package var sealed = ""
    /// ``BusyQuestion/mark``
    package var mark: String?
    /// When it was last heard of.
    package var asOf: Instant?
    /// It was last read from then on.
    package var from: Instant
    /// It was last read up to then.
    package var to: Instant
    /// What is wrong with it; `nil` where it was read the last time.
    package var problem: Problem?
    /// Whether webhooks were told of what is wrong.
    package var isTold = false
    /// When it was connected.
    package var createdAt: Instant

    /// One that was not read yet.
    package init(
        id: String, ownerID: String, kind: String, account: String, remoteID: String?, name: String, counts: Bool, createdAt: Instant
    ) {
        self.id = id
        self.ownerID = ownerID
        self.kind = kind
        self.account = account
        self.remoteID = remoteID
        self.name = name
        self.counts = counts
        self.createdAt = createdAt
        (from, to) = (.epoch, .epoch)
    }

    /// What its secrets are sealed for.
    package static func context(_ id: String) -> String { "calendar:" + id }
}

/// A time that a calendar says is busy.
package struct StoredBusyTime: Hashable, Sendable {
    /// When it begins.
    package var start: Instant
    /// When it ends.
    package var end: Instant
    /// Since when it is not found there any more, while that is not certain.
    package var goneSince: Instant?

    /// Takes each property as it is.
    package init(start: Instant, end: Instant, goneSince: Instant? = nil) {
        self.start = start
        self.end = end
        self.goneSince = goneSince
    }
}

/// The columns of `calendars`.
enum BusyCalendarColumn: Int, Column {
    case id, ownerID, kind, provider, account, remoteID, name, counts, sealed, mark, asOf, fromAt, toAt, problem, isTold, createdAt

    static let table = "calendars"
}

/// Statements on calendars that make busy.
enum BusyCalendarSQL: String, SQLStatement {
    case add = "INSERT INTO calendars ({calendars}) VALUES ({$16})"
    case one = "SELECT {calendars} FROM calendars WHERE id = $1{lock}"
    case ofOwner = "SELECT {calendars} FROM calendars WHERE owner_id = $1 ORDER BY created_at, id"
    case heard = """
        UPDATE calendars SET mark = $1, as_of = $2, from_at = $3, to_at = $4, problem = NULL, is_told = 0, name = $5 WHERE id = $6
        """
    case failed = "UPDATE calendars SET problem = $1, is_told = $2 WHERE id = $3"
    case count = "UPDATE calendars SET counts = $1 WHERE id = $2"
    case reconnect = "UPDATE calendars SET sealed = $1, problem = NULL, mark = NULL, is_told = 0 WHERE id = $2"
    case remove = "DELETE FROM calendars WHERE id = $1"
    case counting = "SELECT as_of, from_at, to_at FROM calendars WHERE owner_id = $1 AND counts = 1"
    case times = "SELECT starts_at, ends_at, gone_since FROM calendar_busy WHERE calendar_id = $1 ORDER BY starts_at"
    case busy = """
        SELECT b.starts_at, b.ends_at FROM calendars c JOIN calendar_busy b ON b.calendar_id = c.id
        WHERE c.owner_id = $1 AND c.counts = 1 AND b.starts_at < $2 AND b.ends_at > $3
        """
    case addTimes = "INSERT INTO calendar_busy (calendar_id, starts_at, ends_at, gone_since) VALUES [[$1, $2, $3, $4]]"
    case removeTimes = "DELETE FROM calendar_busy WHERE calendar_id = $1"
    case ownEvent = "SELECT 1 FROM calendar_events WHERE event_id = $1"

    static let texts: [String: StatementText] = texts(BusyCalendarColumn.self)
}

extension Tx {
    /// Adds a calendar.
    package func add(_ calendar: StoredCalendar) throws {
        try write(
            BusyCalendarSQL.add, .text(calendar.id), .text(calendar.ownerID), .text(calendar.kind), .text(calendar.provider),
            .text(calendar.account), SQLValue(calendar.remoteID), .text(calendar.name), SQLValue(calendar.counts), .text(calendar.sealed),
            SQLValue(calendar.mark), SQLValue(calendar.asOf), SQLValue(calendar.from), SQLValue(calendar.to),
            SQLValue(try calendar.problem.map { try Stored.text($0) }), SQLValue(calendar.isTold), SQLValue(calendar.createdAt))
    }

    /// The calendar of that id; locked where it may be written.
    package func calendar(_ id: String) throws -> StoredCalendar? {
        try query(BusyCalendarSQL.one, .text(id)).first.map(calendar(from:))
    }
    /// In the order in which they were connected.
    package func calendars(of owner: String) throws -> [StoredCalendar] {
        try query(BusyCalendarSQL.ofOwner, .text(owner)).map(calendar(from:))
    }

    /// The calendar was read, or has not changed.
    package func markHeard(_ calendar: StoredCalendar) throws {
        try write(
            BusyCalendarSQL.heard, SQLValue(calendar.mark), SQLValue(calendar.asOf), SQLValue(calendar.from),
            SQLValue(calendar.to), .text(calendar.name), .text(calendar.id))
    }
    /// The calendar could not be read.
    package func markFailed(_ calendar: StoredCalendar) throws {
        try write(
            BusyCalendarSQL.failed, SQLValue(try calendar.problem.map { try Stored.text($0) }), SQLValue(calendar.isTold),
            .text(calendar.id))
    }
    /// Says whether a calendar makes its owner busy.
    /// - Returns: whether there is such a calendar.
    package func setCounts(_ counts: Bool, calendar id: String) throws -> Bool {
        try execute(BusyCalendarSQL.count, SQLValue(counts), .text(id)) == 1
    }

    /// The calendar is read with other credentials from now on.
    package func reconnect(_ calendar: StoredCalendar) throws {
        try write(BusyCalendarSQL.reconnect, .text(calendar.sealed), .text(calendar.id))
    }

    /// Forgets a calendar, and what it says.
    /// - Returns: whether it was there.
    package func removeCalendar(_ id: String) throws -> Bool {
        guard try calendar(id) != nil else { return false }
        try write(BusyCalendarSQL.removeTimes, .text(id))
        try removeNotice(.calendar(id))
        return try execute(BusyCalendarSQL.remove, .text(id)) == 1
    }

    /// Forgets an owner's calendars: all, or those that a provider's connection leads to.
    package func removeCalendars(of owner: String, provider: String? = nil) throws {
        for calendar in try calendars(of: owner) where provider == nil || calendar.provider == provider {
            _ = try removeCalendar(calendar.id)
        }
        try removeSubscriptions(of: owner, provider: provider)
    }

    /// What a calendar says, in order; none overlaps another.
    package func busyTimes(of calendar: String) throws -> [StoredBusyTime] {
        try query(BusyCalendarSQL.times, .text(calendar)).map {
            StoredBusyTime(
                start: try $0.instant(0), end: try $0.instant(1), goneSince: try $0.optionalInt(2).map(Instant.init(microseconds:)))
        }
    }

    /// Puts what a calendar says in the place of what it said before.
    package func replaceBusyTimes(of calendar: String, _ times: [StoredBusyTime]) throws {
        try write(BusyCalendarSQL.removeTimes, .text(calendar))
        try write(
            BusyCalendarSQL.addTimes,
            rows: times.map { [.text(calendar), SQLValue($0.start), SQLValue($0.end), SQLValue($0.goneSince)] })
    }

    /// For each calendar that makes an owner busy, when it was last heard of, and what was read.
    package func countingCalendars(of owner: String) throws -> [(asOf: Instant?, from: Instant, to: Instant)] {
        try query(BusyCalendarSQL.counting, .text(owner)).map {
            (try $0.optionalInt(0).map(Instant.init(microseconds:)), try $0.instant(1), try $0.instant(2))
        }
    }

    /// When an owner's calendars say that they are busy, between two times.
    package func calendarBusy(of owner: String, from: Instant, to: Instant) throws -> [(start: Instant, end: Instant)] {
        try query(BusyCalendarSQL.busy, .text(owner), SQLValue(to), SQLValue(from)).map { (try $0.instant(0), try $0.instant(1)) }
    }

    /// Whether an event's id is one that this system gave: to a booking, to a room that is an event, or to an entry of a calendar.
    package func isOwnEvent(_ id: String) throws -> Bool {
        if try booking(id) != nil { return true }
        if try room(key: id) != nil { return true }
        return try !query(BusyCalendarSQL.ownEvent, .text(id)).isEmpty
    }

    private func calendar(from row: SQLRow) throws -> StoredCalendar {
        let row = TableRow<BusyCalendarColumn>(row)
        var calendar = StoredCalendar(
            id: try row.text(.id), ownerID: try row.text(.ownerID), kind: try row.text(.kind),
            account: try row.text(.account), remoteID: try row.optionalText(.remoteID), name: try row.text(.name),
            counts: try row.bool(.counts), createdAt: try row.instant(.createdAt))
        (calendar.provider, calendar.sealed) = (try row.text(.provider), try row.text(.sealed))
        calendar.mark = try row.optionalText(.mark)
        calendar.asOf = try row.optionalInstant(.asOf)
        (calendar.from, calendar.to) = (try row.instant(.fromAt), try row.instant(.toAt))
        calendar.problem = try row.optionalValue(Problem.self, .problem)
        calendar.isTold = try row.bool(.isTold)
        return calendar
    }
}
