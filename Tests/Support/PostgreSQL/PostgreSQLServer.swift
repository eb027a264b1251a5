import Foundation
import Synchronization
import UsherCore
import UsherPostgreSQL

/// Debian's PostgreSQL, as a server of our own: in a folder of its own, reached by a socket there alone, under a user that is not root. It
/// ends with this process, however that ends.
package final class PostgreSQLServer: Sendable {
    package let folder: String
    private let databases = Mutex(0)
    private let bin: String

    private static let started = Mutex<PostgreSQLServer?>(nil)

    /// One for all tests of this process; `USHER_TEST_POSTGRES` holds settings, such as `default_transaction_isolation=serializable`.
    package static func shared() throws -> PostgreSQLServer {
        try started.withLock { server in
            if let server { return server }
            let settings = ProcessInfo.processInfo.environment["USHER_TEST_POSTGRES"] ?? ""
            let started = try PostgreSQLServer(settings: settings.split(separator: " ").map(String.init))
            server = started
            return started
        }
    }

    /// - Parameters:
    ///   - settings: `name=value`, beside those that make a short life quick.
    ///   - primary: whose standby it is: it begins with a copy, and follows.
    ///   - namespace: a network of its own, reached from outside under `address` as well as by the socket.
    package init(
        settings: [String] = [], standbyOf primary: PostgreSQLServer? = nil, in namespace: (name: String, address: String)? = nil
    ) throws {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        guard let version = versions.max() else { throw ServerFailure("install the package postgresql: make test does") }
        bin = "/usr/lib/postgresql/\(version)/bin"
        folder = FileManager.default.temporaryDirectory.path + "/usher-pg-" + Environment.system.code(bits: 60)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let options =
            ["max_connections=900", "listen_addresses=\(namespace?.address ?? "")", "unix_socket_directories=\(folder)"] + settings
        let words = options.map { "-c '\($0)'" }.joined(separator: " ")
        if getuid() == 0 { try Self.run("chown postgres \(folder)") }
        if let primary {
            try asUser("\(bin)/pg_basebackup -h \(primary.folder) -U usher -D \(folder)/data -R --no-sync -c fast >\(folder)/init.log 2>&1")
        } else {
            try asUser("\(bin)/initdb -D \(folder)/data -U usher -A trust -E UTF8 --locale=C --no-sync -N >\(folder)/init.log 2>&1")
        }
        if namespace != nil { try asUser("echo 'host all all samenet trust' >>\(folder)/data/pg_hba.conf") }
        let start = asUserWords("\(bin)/pg_ctl -D \(folder)/data -l \(folder)/server.log -w -o \"-F \(words)\" start >/dev/null")
        try Self.run(namespace.map { "ip netns exec \($0.name) \(start)" } ?? start)
        // Whoever kills the tests does not stop what they have started.
        let watch =
            "while grep -q '^State:.[^Z]' /proc/\(getpid())/status 2>/dev/null; do sleep 0.5; done; \(bin)/pg_ctl -D \(folder)/data -m immediate stop; rm -rf \(folder)"
        try Self.run("setsid nohup \(asUserWords(watch)) >/dev/null 2>&1 </dev/null &")
    }

    /// An address of a database.
    package func url(_ database: String) -> String { "postgres://usher@/\(database)?host=\(folder)" }

    /// A new database, a copy of another: by default empty, and ordered by bytes.
    package func newDatabase(from template: String = "template0") throws -> String {
        let name = databases.withLock { count in
            count += 1
            return "t\(count)"
        }
        try sql("CREATE DATABASE \(name) LOCALE 'C' TEMPLATE \(template) STRATEGY FILE_COPY")
        return url(name)
    }

    /// The name of the database that an address leads to.
    package static func database(of url: String) -> String { URLComponents(string: url)?.path.replacing("/", with: "") ?? "" }

    /// An address of a database at the one of two servers that takes writes.
    package static func url(_ database: String, at servers: [PostgreSQLServer]) -> String {
        "postgres://usher@/\(database)?host=" + servers.map(\.folder).joined(separator: ",")
    }

    /// Ends every backend of a database.
    package func cutConnections(to url: String) throws {
        let name = Self.database(of: url)
        let count = try sql("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '\(name)'")
        guard count != "0\n" else { throw ServerFailure("nobody is connected to \(name)") }
        try sql("SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '\(name)'")
    }

    /// Runs statements as the superuser.
    @discardableResult
    package func sql(_ statements: String, database: String = "postgres") throws -> String {
        try Self.run("\(bin)/psql -h \(folder) -U usher -d \(database) -v ON_ERROR_STOP=1 -qAt <<'END'\n\(statements)\nEND")
    }

    /// `pg_ctl` with these words: `-m immediate stop`, `-w start`.
    package func control(_ words: String) throws {
        try asUser("\(bin)/pg_ctl -D \(folder)/data -l \(folder)/server.log \(words) >/dev/null")
    }

    /// Runs a command as the user under which the server runs.
    package func shell(_ command: String) throws { try asUser(command) }

    private func asUser(_ command: String) throws { try Self.run(asUserWords(command)) }

    /// PostgreSQL refuses to run as root.
    private func asUserWords(_ command: String) -> String {
        let quoted = Self.quoted(command)
        return getuid() == 0 ? "runuser -u postgres -- bash -c \(quoted)" : "bash -c \(quoted)"
    }

    private static func quoted(_ command: String) -> String { "'" + command.replacing("'", with: "'\\''") + "'" }

    @discardableResult
    private static func run(_ command: String) throws -> String {
        // Foundation's Process waits for all who have inherited its channel, and the server never ends.
        let output = FileManager.default.temporaryDirectory.path + "/usher-pg-output-" + Environment.system.code(bits: 60)
        defer { unlink(output) }
        // Nor is whoever waits for us by a channel that we have inherited to wait for the server.
        let alone = #"for f in /proc/self/fd/*; do n=${f##*/}; [ "$n" -gt 2 ] && eval "exec $n>&-"; done"#
        let status = system("exec bash -c " + quoted("cd /tmp; exec >\(output) 2>&1 </dev/null; \(alone); \(command)"))
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        guard status == 0 else { throw ServerFailure("\(command.prefix(200)): \(text.suffix(1_000))") }
        return text
    }
}

package struct ServerFailure: Error, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }
}
