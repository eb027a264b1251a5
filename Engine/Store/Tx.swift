import UsherCore

/// The statements of one table: the raw value is the SQL, with names in braces for lists of columns; see ``Column``.
protocol SQLStatement: RawRepresentable<String>, CaseIterable {
    /// By raw value, the SQL of those statements that name lists.
    static var texts: [String: String] { get }
}

extension SQLStatement {
    static var texts: [String: String] { [:] }
    /// The SQL with its lists written out.
    var text: String { Self.texts[rawValue] ?? rawValue }
    static var all: [String] { allCases.map(\.text) }

    /// The statements with the columns of these tables written out.
    static func texts(_ tables: any Column.Type...) -> [String: String] {
        let statements = allCases.map(\.rawValue).filter { $0.contains("{") }
        return Dictionary(uniqueKeysWithValues: statements.map { ($0, expanded($0, tables)) })
    }

    private static func expanded(_ statement: String, _ tables: [any Column.Type]) -> String {
        let parameters = statement.replacing(/\{\$(\d+)\}/) { match in
            (1...(Int(match.1) ?? 1)).map { "$\($0)" }.joined(separator: ", ")
        }
        return tables.reduce(parameters) { text, table in
            text.replacing("{\(table.table)}", with: table.list()).replacing("{o.\(table.table)}", with: table.list("o."))
        }
    }
}

/// The tables as seen from inside one transaction. Each table has a file of its own, with its statements and what they do.
package struct Tx {
    let session: any SQLSession
    let memory: StoreCache
    /// On whose account it is.
    package var actor = Actor.system
    /// What this transaction has read or written: one look at the database asks for the same rows many times.
    let seen = TransactionCache()

    /// - Returns: what `body` did, and the terms that it has read: they are there for certain once the transaction is committed.
    func run<Result>(_ body: (Tx) throws -> Result) throws -> (Result, [String: Terms]) { (try body(self), seen.terms) }

    func query(_ statement: some SQLStatement, _ arguments: SQLValue...) throws -> [SQLRow] {
        try session.query(statement.text, arguments)
    }

    @discardableResult
    func execute(_ statement: some SQLStatement, _ arguments: SQLValue...) throws -> Int {
        try session.execute(statement.text, arguments)
    }

    @discardableResult
    func execute(_ statement: some SQLStatement, _ arguments: [SQLValue]) throws -> Int {
        try session.execute(statement.text, arguments)
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
