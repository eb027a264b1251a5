import UsherCore

/// A connection inside a transaction.
final class PostgreSQLSession: SQLSession {
    private let connection: Connection
    private let isWrite: Bool
    /// What went wrong first. After that a server answers nothing more of the transaction, whatever the body makes of it.
    private(set) var failure: ServerError?

    init(_ connection: Connection, isWrite: Bool) {
        self.connection = connection
        self.isWrite = isWrite
    }

    var locksRows: Bool { isWrite }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] { try run(sql, arguments).rows }
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int { try run(sql, arguments).count }
    func executeDeferred(_ sql: String, _ arguments: [SQLValue]) throws { try watched { try connection.queue(sql, arguments) } }

    func lock(name: String) throws {
        try executeDeferred("SELECT pg_advisory_xact_lock($1)", [.int(AdvisoryLock.key("name \(name)"))])
    }

    func takesLong() throws {
        connection.patience = Connection.longPatience
        for limit in ["statement_timeout", "lock_timeout"] { try executeDeferred("SET LOCAL \(limit) = 0", []) }
    }

    /// Sends what is queued, so that what is wrong with it shows before the commit.
    func finish() throws { try watched { try connection.flush() } }

    private func run(_ sql: String, _ arguments: [SQLValue]) throws -> Connection.Answer {
        try watched { try connection.run(Self.translated(sql), arguments) }
    }

    private func watched<Result>(_ work: () throws -> Result) throws -> Result {
        do { return try work() } catch let error as ServerError {
            failure = failure ?? error
            throw error.asDatabaseError
        }
    }

    /// Texts are compared by their bytes, as SQLite does, whatever the database's own rules are.
    private static func translated(_ sql: String) -> String {
        guard sql.hasPrefix("CREATE TABLE") || sql.hasPrefix("ALTER TABLE") else { return sql }
        return sql.replacing(" TEXT", with: " TEXT COLLATE \"C\"").replacing(" WITHOUT ROWID", with: "")
    }
}
