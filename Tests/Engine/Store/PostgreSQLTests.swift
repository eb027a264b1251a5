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

    @Test("a commit that waits for a standby in vain is not said to be done, and nobody ends its wait")
    func waitingCommit() async throws {
        let server = try PostgreSQLServer()
        let database = try PostgreSQLDatabase(url: try server.newDatabase(), connections: 1)
        try await database.write { _ = try $0.execute("CREATE TABLE things (id BIGINT PRIMARY KEY)", []) }
        try server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()")
        // A session sees new settings at its next statement.
        try await database.read { _ = try $0.query("SELECT 1", []) }
        var kind: DatabaseError.Kind?
        do { try await database.write { _ = try $0.execute("INSERT INTO things (id) VALUES (1)", []) } } catch let error as DatabaseError {
            kind = error.kind
        }
        #expect(kind == .unclear)
        let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        #expect(try await database.read { try $0.query(waits, []).count } == 1)
        try server.sql("ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()")
        try await database.close()
    }

    @Test("a user of few rights is told which one is missing, and of all that can be seen")
    func plainUser() async throws {
        let server = try PostgreSQLServer()
        let url = try server.newDatabase()
        try server.sql("CREATE ROLE plain LOGIN; GRANT ALL ON DATABASE \(PostgreSQLServer.database(of: url)) TO plain")
        let standby = try PostgreSQLServer(standbyOf: server)
        defer { withExtendedLifetime(standby) {} }
        let database = try PostgreSQLDatabase(url: url.replacing("usher@", with: "plain@"), connections: 1)
        let findings = try await database.examine()
        #expect(findings.contains { $0.remedy.contains("GRANT pg_read_all_stats TO plain") }, "\(findings)")
        #expect(findings.contains { $0.text.contains("clock") })
        try await database.close()
    }

    @Test("settings that an address asks for come beside our limits, not in place of them")
    func options() async throws {
        let url = try PostgreSQLServer.shared().newDatabase() + "&options=-csearch_path%3Dusher%20-cstatement_timeout%3D7s"
        let database = try PostgreSQLDatabase(url: url, connections: 1)
        let settings = try await database.read { session in
            try ["search_path", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"].map {
                try session.query("SHOW \($0)", [])[0].text(0)
            }
        }
        #expect(settings == ["usher", "7s", "3s", "10s"])
        try await database.close()
    }

    @Test("what changes the schema may wait for longer than others, and only that")
    func takesLong() async throws {
        let url = try PostgreSQLServer.shared().newDatabase() + "&options=-cstatement_timeout%3D100ms"
        let database = try PostgreSQLDatabase(url: url, connections: 1)
        try await database.write { session in
            try session.takesLong()
            _ = try session.query("SELECT pg_sleep(0.3)::text", [])
        }
        await #expect(throws: DatabaseError.self) { try await database.write { _ = try $0.query("SELECT pg_sleep(0.3)::text", []) } }
        try await database.close()
    }

    @Test("a closed database refuses, and leaves nobody waiting")
    func closed() async throws {
        let database = try PostgreSQLDatabase(url: try PostgreSQLServer.shared().newDatabase(), connections: 1)
        try await database.close()
        await #expect(throws: DatabaseError.self) { try await database.read { _ in } }
    }

    @Test("over TLS, with a password bound to the channel, answers of any length come whole; a wrong certificate is refused")
    func encrypted() async throws {
        let address = "127.\(Int.random(in: 1...250)).\(Int.random(in: 1...250)).\(Int.random(in: 2...250))"
        let server = try PostgreSQLServer(settings: ["listen_addresses=\(address)"])
        let name = PostgreSQLServer.database(of: try server.newDatabase())
        let folder = server.folder
        for (certificate, host) in [("server", address), ("other", "127.0.0.1")] {
            try server.shell(
                """
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=\(host) \
                    -addext subjectAltName=IP:\(host) -keyout \(folder)/\(certificate).key -out \(folder)/\(certificate).pem 2>/dev/null
                chmod 600 \(folder)/\(certificate).key && chmod 755 \(folder) && chmod 644 \(folder)/\(certificate).pem
                """)
        }
        try server.shell("sed -i '1i hostssl all guarded 127.0.0.0/8 scram-sha-256' \(folder)/data/pg_hba.conf")
        try server.sql("ALTER SYSTEM SET ssl_cert_file = '\(folder)/server.pem'")
        try server.sql("ALTER SYSTEM SET ssl_key_file = '\(folder)/server.key'")
        try server.sql("ALTER SYSTEM SET ssl = on")
        try server.sql("CREATE ROLE guarded LOGIN PASSWORD 'a secret of many words'; SELECT pg_reload_conf()")
        while try server.sql("SHOW ssl") != "on\n" {}
        func url(_ root: String) -> String {
            "postgres://guarded:a%20secret%20of%20many%20words@\(address)/\(name)?sslmode=verify-full&channel_binding=require"
                + "&sslrootcert=\(folder)/\(root).pem"
        }
        #expect(throws: UsherError.self) { try PostgreSQLDatabase(url: url("other"), connections: 1) }
        let database = try PostgreSQLDatabase(url: url("server"), connections: 1)
        // One that hangs breaks the connection.
        for length in stride(from: 1_000, to: 60_000, by: 997) {
            let text = try await database.read { try $0.query("SELECT repeat('x', $1::bigint::int)", [.int(Int64(length))])[0].text(0) }
            #expect(text.utf8.count == length)
        }
        try await database.close()
    }

    @Test("a password that stands in an address as it is is refused, and shown nowhere", arguments: ["Tr0ub/dor", "Tr0ub@dor", "12/dor@x"])
    func unescapedPassword(password: String) throws {
        let error = #expect(throws: UsherError.self) {
            try PostgreSQLDatabase.check(url: "postgres://usher:\(password)@127.0.0.1:5432/usher")
        }
        #expect(error?.message.contains("%2F") == true)
        #expect(password.split(whereSeparator: { "/@".contains($0) }).allSatisfy { error?.message.contains($0) == false })
    }
}
