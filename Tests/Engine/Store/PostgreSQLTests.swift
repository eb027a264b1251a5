import Foundation
import Synchronization
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

    @Test(
        "a commit whose answer is lost is found to have happened; one that never arrived is made once more", arguments: ["lost", "dropped"])
    func unclearCommit(mode: String) async throws {
        let server = try PostgreSQLServer.shared()
        let url = try server.newDatabase()
        let folder = server.folder + "/" + mode
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let proxy = Process()
        proxy.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../System/Scripts/commit_proxy.py"
        proxy.arguments = [script, server.folder + "/.s.PGSQL.5432", folder, mode]
        let (input, output) = (Pipe(), Pipe())
        (proxy.standardInput, proxy.standardOutput) = (input, output)
        try proxy.run()
        defer { kill(proxy.processIdentifier, SIGKILL) }
        #expect(output.fileHandleForReading.availableData.isEmpty == false)

        let direct = try PostgreSQLDatabase(url: url, connections: 1)
        try await direct.write { _ = try $0.execute("CREATE TABLE things (id BIGINT PRIMARY KEY)", []) }
        let runs = Mutex(0)
        let database = try PostgreSQLDatabase(url: url.replacing("host=\(server.folder)", with: "host=\(folder)"), connections: 1)
        try await database.write { session in
            runs.withLock { $0 += 1 }
            _ = try session.query("SELECT 1", [])
            try session.executeDeferred("INSERT INTO things (id) VALUES ($1)", [.int(1)])
        }
        #expect(runs.withLock { $0 } == (mode == "lost" ? 1 : 2))
        #expect(try await direct.read { try $0.query("SELECT id FROM things", []).count } == 1)
        try await database.close()
        try await direct.close()
    }

    /// A number that was given before a crash, and of which nothing was written yet, is given once more after it.
    @Test("a commit that a crash prevented is not taken for one that happened, though its number was given to another transaction")
    func crashedCommit() async throws {
        let server = try PostgreSQLServer()
        let url = try server.newDatabase()
        let others = try PostgreSQLDatabase(url: url, connections: 1)
        let database = try PostgreSQLDatabase(url: url, connections: 1)
        try await others.write { _ = try $0.execute("CREATE TABLE things (id BIGINT PRIMARY KEY)", []) }
        let runs = Mutex(0)
        let (began, goOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let write = Task {
            try await database.write { session in
                _ = try session.query("SELECT 1", [])
                if runs.withLock({
                    $0 += 1; return $0
                }) == 1 {
                    began.signal()
                    goOn.wait()
                }
                try session.executeDeferred("INSERT INTO things (id) VALUES ($1)", [.int(1)])
            }
        }
        await withCheckedContinuation { continuation in
            Thread {
                began.wait(); continuation.resume()
            }.start()
        }
        try server.control("-m immediate restart -w")
        for number in 2..<12 { try await others.write { _ = try $0.execute("INSERT INTO things (id) VALUES ($1)", [.int(Int64(number))]) } }
        goOn.signal()
        let isSaid: Bool
        do {
            try await write.value
            isSaid = true
        } catch let error as DatabaseError where error.kind == .unclear { isSaid = false }
        let isThere = try await others.read { try $0.query("SELECT 1 FROM things WHERE id = 1", []).count == 1 }
        #expect(isSaid == isThere)
        try await database.close()
        try await others.close()
    }
}
