/// A database that runs the one SQL dialect of Usher: `$1 … $n` parameters whose first mentions ascend,
/// text and 64-bit integers, `ON CONFLICT`, `RETURNING`.
package protocol Database: Sendable {
    /// Runs `body` in a transaction that holds the right to write, and returns after the commit is durable.
    ///
    /// `body` has no effect but on the database: it runs on the driver's own thread, may share its commit with others,
    /// and may run twice; the last time counts. What it logs may thus stand there twice, or for what was taken back. What it throws
    /// rolls its own part back and is thrown on.
    /// - Throws: ``DatabaseError`` when the database does; after ``DatabaseError/Kind/unclear`` the commit may have happened.
    func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result

    /// Runs `body` on a consistent snapshot.
    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result

    /// Marks the process `id` as living for as long as it lives, where the driver can tell a death at once.
    func announce(process id: String) async throws
    /// Whether others can see that the announced processes live. Where they cannot, work is taken over, and nothing may be sent.
    var isAnnounced: Bool { get }
    /// Whether that process is known to be dead; `false` where only its heartbeat can tell.
    func isDead(process id: String) async throws -> Bool

    /// What an operator should know of the server behind it: what endangers what was promised, what makes it slow.
    func examine() async throws -> [DatabaseFinding]
    /// The database's own clock, where it may differ from this machine's; `nil` where it is this machine's.
    var clock: (@Sendable () -> Instant)? { get }
    /// Calls `wake` when another process may have enqueued work: a hint, which may be missing. A driver that has none does nothing.
    func listen(_ wake: @escaping @Sendable () -> Void)
    /// Tells other processes that there is work; not more often than they can use it.
    func notify()
    /// How often work that other processes have made is to be looked for.
    var pollInterval: Duration { get }

    /// Where it lies: another text for a copy elsewhere.
    func place() async throws -> String

    func close() async throws
}

extension Database {
    package var isAnnounced: Bool { true }
    package func examine() async throws -> [DatabaseFinding] { [] }
    package var clock: (@Sendable () -> Instant)? { nil }
    package func listen(_ wake: @escaping @Sendable () -> Void) {}
    package func notify() {}
    package var pollInterval: Duration { .milliseconds(200) }
    /// In memory there is no place.
    package func place() async throws -> String { "memory" }
}

/// A database that is a file.
package protocol FileDatabase: Database {
    /// Copies all of it into a file that only we may read, as it is at one moment; what was there is replaced.
    func copy(to path: String) throws
    /// Whether this process is the one that may say where it lies; the first that asks is, for as long as it lives.
    func holdsPlace() -> Bool
    /// What ``Database/place()`` says once a token is kept.
    func place(token: String) -> String
    /// Keeps a token beside the file.
    func keep(token: String) throws
}

/// One connection inside a transaction.
package protocol SQLSession {
    /// Whether reads that decide something lock what they find; not where a database has one writer, and not in a transaction that
    /// only reads.
    var locksRows: Bool { get }
    /// Runs a statement and returns the rows that it yields.
    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow]
    /// Runs a statement and returns how many rows it changed.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int
    /// Runs a statement whose count nobody reads. A driver may send it together with the next read or with the commit; if it fails, the
    /// transaction does.
    func executeDeferred(_ sql: String, _ arguments: [SQLValue]) throws
    /// Waits until no other transaction holds this name, and holds it until this one ends; where one writer rules, nothing is to be done.
    func lock(name: String) throws
    /// Lifts the limits on how long a statement and a wait may last, for this transaction: it changes the schema, or a whole table.
    func takesLong() throws
}

extension SQLSession {
    package func lock(name: String) throws {}
    package func takesLong() throws {}
    package func executeDeferred(_ sql: String, _ arguments: [SQLValue]) throws { try execute(sql, arguments) }
}

/// What a look at a database server found.
package struct DatabaseFinding: Sendable {
    /// What is so.
    package var text: String
    /// How to mend it; empty where nothing is wrong.
    package var remedy: String

    /// - Parameter remedy: empty where nothing is wrong.
    package init(_ text: String, remedy: String = "") {
        self.text = text
        self.remedy = remedy
    }
}

/// A value that both databases store alike.
package enum SQLValue: Hashable, Sendable {
    case null
    case int(Int64)
    case text(String)

    /// Two spellings of one character, which Swift takes for equal, are two texts to a database where they differ in length.
    package static func == (one: SQLValue, other: SQLValue) -> Bool {
        switch (one, other) {
        case (.null, .null): true
        case (.int(let one), .int(let other)): one == other
        case (.text(let one), .text(let other)): one.utf8.count == other.utf8.count && one == other
        default: false
        }
    }
}

/// A row, by position of column.
package struct SQLRow: Hashable, Sendable {
    private let values: [SQLValue]
    /// A row of these columns, in their order.
    package init(_ values: [SQLValue]) { self.values = values }

    /// The text of a column.
    /// - Throws: ``DatabaseError`` where it holds something else.
    package func text(_ column: Int) throws -> String {
        guard case .text(let value) = values[column] else { throw mismatch(column, "text") }
        return value
    }
    /// The integer of a column.
    /// - Throws: ``DatabaseError`` where it holds something else.
    package func int(_ column: Int) throws -> Int64 {
        guard case .int(let value) = values[column] else { throw mismatch(column, "an integer") }
        return value
    }
    /// Whether the integer of a column is not 0.
    package func bool(_ column: Int) throws -> Bool { try int(column) != 0 }
    /// The integer of a column as microseconds since 1970.
    package func instant(_ column: Int) throws -> Instant { Instant(microseconds: try int(column)) }
    /// The text of a column; `nil` for NULL.
    package func optionalText(_ column: Int) throws -> String? { values[column] == .null ? nil : try text(column) }
    /// The integer of a column; `nil` for NULL.
    package func optionalInt(_ column: Int) throws -> Int64? { values[column] == .null ? nil : try int(column) }

    /// How many columns it has.
    package var count: Int { values.count }
    /// The values of some of its columns.
    package func values(_ columns: Range<Int>) -> [SQLValue] { Array(values[columns]) }
    /// Some of its columns.
    package func part(_ columns: Range<Int>) -> SQLRow { SQLRow(Array(values[columns])) }

    /// The row with other values in some columns.
    package func replacing(_ new: [(column: Int, value: SQLValue)]) -> SQLRow {
        var values = values
        for (column, value) in new { values[column] = value }
        return SQLRow(values)
    }

    private func mismatch(_ column: Int, _ wanted: String) -> DatabaseError {
        DatabaseError(.corrupt, "column \(column) holds \(values[column]), not \(wanted)")
    }
}

extension SQLValue {
    /// A text, or NULL for `nil`.
    package init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
    /// 1 for `true`, 0 for `false`.
    package init(_ value: Bool) { self = .int(value ? 1 : 0) }
    /// Microseconds since 1970.
    package init(_ value: Instant) { self = .int(value.microseconds) }
    /// Microseconds since 1970, or NULL for `nil`.
    package init(_ value: Instant?) { self = value.map(SQLValue.init) ?? .null }
}

/// Why a transaction did not end well.
package struct DatabaseError: Error, CustomStringConvertible {
    /// What can be done about it.
    package enum Kind: Sendable {
        /// Locked by others for longer than the driver waits, or out of space: nothing was written, and a later try may go through.
        case busy
        /// A uniqueness rule refused a row.
        case duplicate
        /// A row refers to one that is not there.
        case missing
        /// It is not known whether the commit happened.
        case unclear
        /// The file or a row is not what it ought to be.
        case corrupt
        case other
    }
    /// What can be done about it.
    package var kind: Kind
    /// The database's own words.
    package var description: String
    /// Whether the same statement would go wrong again.
    package var isLasting: Bool { kind != .busy && kind != .unclear }

    /// Takes each property as it is.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
