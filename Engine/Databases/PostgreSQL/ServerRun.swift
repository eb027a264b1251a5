import UsherCore

/// One run of a server: from its start, or from its becoming the primary, until it crashes.
///
/// A number of a transaction is certain within one run only: of a number that was given just before a crash nothing may have been
/// written, and then it is given once more. A run's name stands in an unlogged table, which outlives lost connections and orderly
/// restarts, and which PostgreSQL empties when it recovers from a crash and when a standby is promoted.
/// Source: https://postgrespro.com/list/id/CAMsr+YHPZetkB0OeBsBu76+Km=Mb4SEbP1=-jJ6fF9MGSYn8mw@mail.gmail.com (numbers),
/// https://www.postgresql.org/docs/15/sql-createtable.html (UNLOGGED)
enum ServerRun {
    private static let creation = "CREATE UNLOGGED TABLE IF NOT EXISTS server_run (id BIGINT PRIMARY KEY, name TEXT NOT NULL)"
    private static let question = """
        WITH named AS (
            INSERT INTO server_run (id, name) SELECT 1, gen_random_uuid()::text WHERE NOT EXISTS (SELECT 1 FROM server_run)
            ON CONFLICT (id) DO NOTHING RETURNING name)
        SELECT name FROM named UNION ALL SELECT name FROM server_run
        """

    /// The name of the run that a connection is of, which is given to it where it has none.
    /// - Returns: `nil` where we may not keep a table.
    /// - Throws: ``ServerError`` where the connection is of no use.
    static func name(_ connection: Connection) throws -> String? {
        // Others may create the table, or name the run, at the same moment.
        for _ in 0..<5 {
            do {
                if let row = try connection.run(question, []).rows.first { return try row.text(0) }
            } catch let error as ServerError {
                if case .connectAgain = error.remedy { throw error }
                if error.state == "42P01" { try create(connection) }
            }
        }
        return nil
    }

    private static func create(_ connection: Connection) throws {
        do { _ = try connection.run(creation, []) } catch let error as ServerError {
            if case .connectAgain = error.remedy { throw error }
        }
    }
}
