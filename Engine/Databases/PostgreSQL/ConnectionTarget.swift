import CLibPQ
import Foundation
import UsherCore

/// Where a database is, and how a connection to it is made: what `DATABASE_URL` says, over careful defaults.
/// Source: https://www.postgresql.org/docs/15/libpq-connect.html
struct ConnectionTarget: Sendable {
    private let url: String
    private let password: String
    private let defaults: [String: String]
    /// The server's settings for a session: ours, and then what the URL says, which counts.
    private let sessionOptions: String

    /// - Throws: ``UsherError`` with ``ErrorCode/configuration`` for what libpq does not understand.
    init(_ url: String) throws(UsherError) {
        let options = try Self.parsed(url)
        try Self.refuseMisread(options)
        password = options["password"] ?? ""
        self.url = url
        var defaults = [
            "connect_timeout": "5", "target_session_attrs": "read-write", "application_name": "usher",
            // A peer that is gone is noticed, on an idle connection as on one that has something under way.
            "keepalives_idle": "10", "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "10000",
        ]
        // Nobody waits for ever for a lock, an answer, or somebody who has stopped in the middle; and the server, too, notices a peer that
        // is gone, whose session's lock says that it lives.
        sessionOptions = """
            -c statement_timeout=10s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s -c client_connection_check_interval=2s \
            -c tcp_keepalives_idle=3 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3 \(options["options"] ?? "")
            """
        // Unless the URL says otherwise: libpq alone would fall back to clear text.
        if !Self.isNear(options) { defaults["sslmode"] = "verify-full" }
        self.defaults = defaults
    }

    /// - Throws: ``ServerError``
    func connect() throws -> OpaquePointer {
        // What comes later counts: the URL over the defaults, and the rest over both.
        let pairs =
            defaults.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            + [("dbname", url), ("options", sessionOptions), ("client_encoding", "UTF8")]
        let handle = Self.withStrings(pairs.map(\.0)) { keys in
            Self.withStrings(pairs.map(\.1)) { values in PQconnectdbParams(keys, values, 1) }
        }
        guard let handle else { throw ServerError(state: "", message: "libpq is out of memory") }
        guard PQstatus(handle) == CONNECTION_OK else {
            defer { PQfinish(handle) }
            var message = String(cString: PQerrorMessage(handle)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
            if !password.isEmpty { message = message.replacing(password, with: "…") }
            throw ServerError(state: "", message: message)
        }
        return handle
    }

    /// A password with signs that mean something in an address ends up in its other parts, which are shown.
    private static func refuseMisread(_ options: [String: String]) throws(UsherError) {
        let isNumber = (options["port"] ?? "").allSatisfy { "0123456789,".contains($0) }
        // One that begins with @ is a socket without a file.
        guard isNumber, options["host"]?.dropFirst().contains("@") != true, options["dbname"]?.contains("@") != true else {
            throw UsherError(
                .configuration,
                "DATABASE_URL is not understood: in a user or password write / as %2F, @ as %40, : as %3A, ? as %3F and % as %25.")
        }
    }

    /// Database and host, for people.
    static func name(_ url: String) -> String {
        let options = (try? parsed(url)) ?? [:]
        let hosts = options["host"] ?? options["hostaddr"] ?? "this machine"
        return "PostgreSQL \(options["dbname"] ?? options["user"] ?? "") at \(hosts)"
    }

    /// On this machine, by socket or loopback.
    private static func isNear(_ options: [String: String]) -> Bool {
        let hosts = (options["hostaddr"] ?? options["host"] ?? "").split(separator: ",")
        return hosts.allSatisfy { $0.hasPrefix("/") || $0 == "localhost" || $0 == "::1" || $0.hasPrefix("127.") }
    }

    private static func parsed(_ url: String) throws(UsherError) -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            defer { PQfreemem(message) }
            // The words name the part that is wrong, and may name a password with it.
            throw UsherError(
                .configuration, "DATABASE_URL must be like postgres://user:password@host:5432/usher?sslmode=verify-full; see `man 7 libpq`."
            )
        }
        defer { PQconninfoFree(options) }
        var found: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { found[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return found
    }

    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return (copies.map { $0.map { UnsafePointer($0) } } + [nil]).withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}
