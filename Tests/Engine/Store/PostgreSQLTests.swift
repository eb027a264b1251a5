import TestPostgreSQL
import Testing
import UsherCore
import UsherPostgreSQL
import UsherStore

@Suite(.timeLimit(.minutes(3)))
struct PostgreSQLTests {
    @Test("Debian's PostgreSQL migrates the schema and prepares every statement, so that the one dialect stays honest")
    func dialect() async throws {
        let database = try PostgreSQLDatabase(url: try PostgreSQLServer.shared().newDatabase(), connections: 1)
        try await Store(database).migrate()
        #expect(Store.statements.count > 40)
        for (index, statement) in Store.statements.enumerated() where !statement.hasPrefix("CREATE") {
            await #expect(throws: Never.self, "\(statement)") {
                try await database.write { _ = try $0.execute("PREPARE check\(index) AS \(statement)", []) }
            }
        }
        let others = try await database.read { session in
            try session.query(
                """
                SELECT name || ' ' || parameter_types::text FROM pg_prepared_statements
                WHERE name LIKE 'check%' AND EXISTS (SELECT 1 FROM unnest(parameter_types) AS p WHERE p NOT IN ('text'::regtype, 'bigint'::regtype))
                """, []
            ).map { try $0.text(0) }
        }
        #expect(others == [], "parameters are texts and integers of eight bytes")
        try await database.close()
    }
}
