import UsherCore

/// The statements of one table: the raw value is the SQL.
package protocol SQLStatement: RawRepresentable<String>, CaseIterable {}

extension SQLStatement {
    static var all: [String] { allCases.map(\.rawValue) }
}

/// The tables as seen from inside one transaction. Each table has a file of its own, with its statements and what they do.
package struct Tx {
    let session: any SQLSession
    let memory: StoreCache
    /// On whose account it is.
    package var actor = Actor.system
    /// What this transaction has read or written: one look at the world asks for the same rows many times.
    let seen = TransactionCache()

    /// - Returns: what `body` did, and the terms that it has read: they are there for certain once the transaction is committed.
    func run<Result>(_ body: (Tx) throws -> Result) throws -> (Result, [String: Terms]) { (try body(self), seen.terms) }

    func query(_ statement: some SQLStatement, _ arguments: SQLValue...) throws -> [SQLRow] {
        try session.query(statement.rawValue, arguments)
    }

    @discardableResult
    func execute(_ statement: some SQLStatement, _ arguments: SQLValue...) throws -> Int {
        try session.execute(statement.rawValue, arguments)
    }

    @discardableResult
    func execute(_ statement: some SQLStatement, _ arguments: [SQLValue]) throws -> Int {
        try session.execute(statement.rawValue, arguments)
    }
}

/// What is known inside one transaction, on its one thread.
final class TransactionCache {
    var bookings: [String: Booking] = [:]
    /// By booking, earliest generation first.
    var rooms: [String: [RoomRecord]] = [:]
    /// By booking.
    var links: [String: [StoredLink]] = [:]
    var mails: [String: OutboxMail] = [:]
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
