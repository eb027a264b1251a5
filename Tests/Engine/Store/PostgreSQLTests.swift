import Foundation
import Testing
import UsherStore

@Suite(.timeLimit(.minutes(3)))
struct PostgreSQLTests {
    @Test("Debian's PostgreSQL migrates the schema and prepares every statement, so that the one dialect stays honest")
    func dialect() throws {
        let binaries = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").sorted().last.map {
            "/usr/lib/postgresql/\($0)/bin"
        }
        let bin = try #require(binaries, "install the package postgresql: make test does")
        var script = Schema.migrations.flatMap(\.self).map { $0 + ";" }
        script.insert(Store.statements.first { $0.contains("CREATE TABLE IF NOT EXISTS schema_versions") }! + ";", at: 0)
        for (index, statement) in Store.statements.enumerated() where !statement.hasPrefix("CREATE") {
            script.append("PREPARE s\(index) AS \(statement);")
        }
        #expect(Store.statements.count > 40)

        let folder = "/tmp/usher-postgres-\(UInt64.random(in: 0 ... .max))"
        defer { _ = try? run("rm", ["-rf", folder]) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try script.joined(separator: "\n").write(toFile: folder + "/all.sql", atomically: true, encoding: .utf8)
        // A server of our own, on a socket in our own folder; PostgreSQL refuses to run as root.
        let work = """
            set -e; cd \(folder); \(bin)/initdb -D data -A trust -U usher --no-sync >init.log 2>&1
            \(bin)/pg_ctl -D data -w -o "-c listen_addresses='' -k \(folder) -F" -l server.log start >/dev/null
            trap '\(bin)/pg_ctl -D data -m immediate stop >/dev/null' EXIT
            \(bin)/psql -h \(folder) -U usher -d postgres -v ON_ERROR_STOP=1 -q -f all.sql
            """
        let result: (code: Int32, text: String)
        if getuid() == 0 {
            _ = try run("chown", ["-R", "postgres", folder])
            result = try run("runuser", ["-u", "postgres", "--", "bash", "-c", work])
        } else {
            result = try run("bash", ["-c", work])
        }
        #expect(result.code == 0, "\(result.text)")
    }

    private func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
