import UsherCore

/// The tables as seen from inside one transaction. Each table has a file of its own, with its statements and what they do.
package struct Tx {
    let session: any SQLSession
    let memory: StoreCache
    /// On whose account it is.
    package var actor = Actor.system
    /// Whether it waits for a booking that another transaction is at. One that has claimed jobs does not: whoever is at their bookings may
    /// wait for the jobs.
    package var waitsForBookings = true
    /// The time of a transaction that does work: what it leaves to be done earlier is due then; see ``DueFloor``.
    package var now = Instant.epoch
    /// What this transaction has read or written: one look at the database asks for the same rows many times.
    let seen = TransactionCache()
    /// What it adds and nobody has asked for yet.
    let pending = PendingRows()

    /// What a transaction did, once it is committed.
    struct Outcome<Result: Sendable>: Sendable {
        var result: Result
        /// Terms that it has read: they are there for certain.
        var terms: [String: Terms]
        /// Where it left work that nobody has claimed.
        var enqueued: Set<Queue>
    }

    func run<Result>(_ body: (Tx) throws -> Result) throws -> Outcome<Result> {
        let result = try body(self)
        try writePending()
        return Outcome(result: result, terms: seen.terms, enqueued: pending.enqueued)
    }

    func query(_ statement: some SQLStatement, _ arguments: SQLValue...) throws -> [SQLRow] {
        try session.query(statement.text(locks: session.locksRows), arguments)
    }

    @discardableResult
    func execute(_ statement: some SQLStatement, _ arguments: SQLValue...) throws -> Int {
        try session.execute(statement.text(locks: session.locksRows), arguments)
    }

    @discardableResult
    func execute(_ statement: some SQLStatement, _ arguments: [SQLValue]) throws -> Int {
        try session.execute(statement.text(locks: session.locksRows), arguments)
    }

    /// Runs a statement whose count nobody reads: it may go out together with others.
    func write(_ statement: some SQLStatement, _ arguments: SQLValue...) throws { try write(statement, arguments) }
    func write(_ statement: some SQLStatement, _ arguments: [SQLValue]) throws {
        try session.executeDeferred(statement.text(locks: session.locksRows), arguments)
    }

    /// Adds rows, as many as fit by one statement.
    func write(_ statement: some SQLStatement, rows: [[SQLValue]]) throws {
        var rows = rows[...]
        while !rows.isEmpty {
            let some = rows.prefix(StatementText.mostRows)
            rows = rows.dropFirst(some.count)
            try session.executeDeferred(statement.text(rows: some.count), some.flatMap(\.self))
        }
    }
}

/// What is known inside one transaction, on its one thread.
final class TransactionCache {
    var bookings: [String: Booking] = [:]
    var lockedBookings: Set<String> = []
    /// By booking, earliest generation first.
    var rooms: [String: [RoomRecord]] = [:]
    /// How many mails there are of a booking.
    var mailCounts: [String: Int64] = [:]
    var mails: [String: OutboxMail] = [:]
    /// The one that is locked.
    var owner: StoredOwner?
    /// Whether somebody wants to be told of events.
    var hasWebhooks: Bool?
    /// Those that no transaction before has read.
    var terms: [String: Terms] = [:]
    /// The room that was written last: it goes into two tables.
    private var room: (value: Room, text: SQLValue)?

    func text(of room: Room?) throws -> SQLValue {
        guard let room else { return .null }
        if let known = self.room, known.value == room { return known.text }
        let text = SQLValue.text(try Stored.text(room))
        self.room = (room, text)
        return text
    }
}
