import Foundation
import Logging
import ProviderSandbox
import Synchronization
import TestPostgreSQL
import TestSupport
import UsherAssembly
import UsherCore

/// A whole installation on this machine: folder, catalogue, sandboxed Zoom on a port, a real SMTP server, and `usher` as a
/// process of its own.
final class Site: Sendable {
    let folder: String
    let zoom: ZoomSandbox
    let key = "usher_test_0123456789abcdef01234567"
    let port: Int
    let environment: [String: String]
    private let mailLog: String
    /// For all sites, and never shut down: a test that ends early must not take the others with it.
    static let transport = HTTPTransport(now: Environment.system.now)
    private let sink: Command
    private let answers = Mutex("")

    /// All that the server has answered, heads and bodies: to be searched for what it must not say.
    var saidByServer: String { answers.withLock { $0 } }

    static let catalog = """
        version: 1
        site: { name: Northwind Clinic, from: "Northwind Clinic <bookings@northwind.example>", time-zone: Europe/Berlin, default-provider: campus }
        providers:
          campus: { module: zoom-s2s }
          zoom: {}
          room: { module: link, url: "https://meet.northwind.example/{code}" }
        owners:
          ana: { name: Ana Ruiz, email: ana@northwind.example, time-zone: Europe/Madrid }
        meeting-types:
          consultation: { title: "Consultation with {owner.name}", duration: 30m, email: { intro: "Bring your card." } }
          open: { title: "Open hours", duration: 30m, overlap: allow }
          mine: { title: "At my own Zoom", duration: 30m, provider: zoom }
        """

    /// - Parameters:
    ///   - sinkOptions: for the SMTP server: `auth`, `cut`.
    ///   - smtpQuery: appended to `SMTP_URL`; `nil` writes mail to a Maildir.
    ///   - server: a PostgreSQL to make the database at; by default SQLite in the folder, or what `USHER_TEST_DATABASE` says.
    ///   - databaseURL: of a database that is there.
    init(
        catalog: String = Site.catalog, sinkOptions: [String] = [], credentials: String = "", smtpQuery: String = "",
        server: PostgreSQLServer? = nil, databaseURL: String? = nil
    ) async throws {
        folder = FileManager.default.temporaryDirectory.path + "/usher-test-" + Environment.system.code(bits: 80)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try catalog.write(toFile: folder + "/meeting-types.yaml", atomically: true, encoding: .utf8)
        var account = TestEngine.account
        account.dailyLimit = 1_000_000
        account.userApp.redirectURLs = ["https://usher.example/auth/zoom/video/callback"]
        zoom = ZoomSandbox(account, now: Environment.system.now)
        let (ready, isReady) = AsyncStream<Int>.makeStream()
        Task { [zoom] in try await SandboxServer(zoom: zoom) { isReady.yield($0) }.run() }
        var sandboxPort = 0
        for await port in ready.prefix(1) { sandboxPort = port }
        mailLog = folder + "/mail.jsonl"
        sink = try Command("/usr/bin/python3", [Command.script("smtp_sink.py"), mailLog] + sinkOptions)
        guard let mailPort = await sink.line() else { throw UsherError(.internalError, "the SMTP server did not start: \(sink.errorText)") }
        port = try FreeTestPort.find()
        var database: [String: String] = [:]
        if let url = try databaseURL ?? (server ?? (TestDatabase.isPostgreSQL ? .shared() : nil))?.newDatabase() {
            database = [
                "DATABASE_URL": url, "USHER_VAULT_KEYS": Data(Environment.system.random(32)).base64EncodedString(),
            ]
        }
        environment = [
            "USHER_PORT": "\(port)", "USHER_API_KEY": key, "USHER_PUBLIC_URL": "https://usher.example",
            "SMTP_URL": "smtp://\(credentials)127.0.0.1:\(mailPort)\(smtpQuery)", "ZOOM_S2S_ACCOUNT_ID": "sandbox-account",
            "ZOOM_S2S_CLIENT_ID": "sandbox-client", "ZOOM_S2S_CLIENT_SECRET": "sandbox-secret",
            "ZOOM_CLIENT_ID": "sandbox-zoom-client", "ZOOM_CLIENT_SECRET": "sandbox-zoom-secret",
            "ZOOM_DEAUTH_SECRET": "sandbox-zoom-deauth",
            "ZOOM_API_URL": "http://127.0.0.1:\(sandboxPort)/v2", "ZOOM_OAUTH_URL": "http://127.0.0.1:\(sandboxPort)/oauth",
        ].merging(database) { $1 }
    }

    func close() async {
        // The stand-in's server stays: one that is cancelled while a connection waits to be taken ends the whole process.
        sink.kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts `usher` with these arguments.
    func usher(_ arguments: String..., environment extra: [String: String] = [:]) throws -> Command {
        try usher(arguments: arguments, environment: extra)
    }

    func usher(arguments: [String], environment extra: [String: String] = [:]) throws -> Command {
        try Command(Command.usher, arguments, environment: environment.merging(extra) { _, new in new }, folder: folder)
    }

    /// Starts the server, and waits until it takes connections.
    func serve(_ arguments: String..., environment extra: [String: String] = [:]) async throws -> Command {
        let server = try usher(arguments: ["serve"] + arguments, environment: extra)
        guard await server.line(errorStream: true, { $0.contains("listening") }) != nil else {
            throw UsherError(.internalError, "the server did not start: \(server.errorText)")
        }
        return server
    }

    /// One API call.
    /// - Parameter other: the port of another server than the site's first.
    func call(
        _ method: String, _ path: String, body: String? = nil, headers: [(name: String, value: String)] = [], key: String? = nil,
        port other: Int? = nil
    ) async throws -> (status: Int, json: JSON, response: HTTPResponse) {
        var headers = headers + [("Authorization", "Bearer \(key ?? self.key)")]
        if body != nil, !headers.contains(where: { $0.name == "Content-Type" }) { headers.append(("Content-Type", "application/json")) }
        let response = try await Self.transport.send(
            HTTPRequest(
                method, "http://127.0.0.1:\(other ?? port)\(path)", headers: headers, body: Array((body ?? "").utf8),
                deadline: Environment.system.now() + .seconds(60)))
        keep(response)
        return (response.status, (try? JSON(parsing: response.body)) ?? .null, response)
    }

    /// The answer to a call that was let in: who is told that the server is full comes again, as the answer asks for.
    static func letIn(
        _ call: () async throws -> (status: Int, json: JSON, response: HTTPResponse)
    ) async throws -> (status: Int, json: JSON, response: HTTPResponse) {
        while true {
            let answer = try await call()
            guard answer.status == 503, let wait = answer.response.header("retry-after").flatMap(Double.init) else { return answer }
            try await Task.sleep(for: .seconds(wait))
        }
    }

    private func keep(_ response: HTTPResponse) {
        let text = response.headers.map { "\($0.name): \($0.value)\n" }.joined() + String(decoding: response.body, as: UTF8.self)
        answers.withLock { $0 += text }
    }

    /// One step of a browser: it keeps nothing, so cookies are given and taken by hand.
    func browse(
        _ path: String, form: [String: String]? = nil, cookies: [String] = [], headers extra: [(name: String, value: String)] = []
    ) async throws -> (status: Int, page: String, location: String, cookie: String) {
        var headers: [(name: String, value: String)] = extra + (cookies.isEmpty ? [] : [("Cookie", cookies.joined(separator: "; "))])
        if form != nil { headers.append(("Content-Type", "application/x-www-form-urlencoded")) }
        let body = (form ?? [:]).map { "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")" }
        let local = path.replacing("https://usher.example", with: "")
        let response = try await Self.transport.send(
            HTTPRequest(
                form == nil ? "GET" : "POST", "http://127.0.0.1:\(port)\(local)", headers: headers,
                body: Array(body.joined(separator: "&").utf8),
                deadline: Environment.system.now() + .seconds(60)))
        keep(response)
        let cookie = response.header("set-cookie")?.split(separator: ";").first.map(String.init) ?? ""
        return (response.status, String(decoding: response.body, as: UTF8.self), response.header("location") ?? "", cookie)
    }

    func book(_ type: String = "consultation", at start: String, email: String = "bo@example.org", key: String? = nil, port: Int? = nil)
        async throws -> (
            status: Int, json: JSON, response: HTTPResponse
        )
    {
        let body =
            #"{"meetingType": "\#(type)", "owner": "ana", "start": "\#(start)", "attendees": [{"name": "Bo Li", "email": "\#(email)", "timeZone": "America/New_York"}]}"#
        return try await call("POST", "/v1/bookings", body: body, headers: key.map { [("Idempotency-Key", "\"\($0)\"")] } ?? [], port: port)
    }

    /// Waits until there is a booking.
    func booked(within limit: Duration) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if try await call("GET", "/v1/bookings").json["items"]?.array?.isEmpty == false { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    /// Asks again until the booking is as wanted.
    func booking(_ id: String, within limit: Duration = .seconds(30), port: Int? = nil, _ isFine: (JSON) -> Bool) async throws -> JSON {
        let end = ContinuousClock.now + limit
        while true {
            let json = try await call("GET", "/v1/bookings/\(id)", port: port).json
            if isFine(json) || ContinuousClock.now > end { return json }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    static func isDone(_ booking: JSON) -> Bool {
        booking["meeting"]?["status"] == "ready" && booking["confirmations"]?.array?.allSatisfy { $0["status"] == "sent" } == true
    }

    struct Received {
        var recipient: String
        var authenticated: Bool
        var content: [UInt8]
        /// What it says, its soft line breaks undone (RFC 2045 §6.7).
        var text: String { String(decoding: content, as: UTF8.self).replacing("=\r\n", with: "").replacing("=\n", with: "") }
        var messageID: String {
            let head = String(decoding: content, as: UTF8.self)
            return head.split(separator: "\r\n").first { $0.hasPrefix("Message-ID: ") }.map(String.init) ?? ""
        }
    }

    /// What the SMTP server took.
    func received() throws -> [Received] {
        let text = (try? String(contentsOfFile: mailLog, encoding: .utf8)) ?? ""
        // A line without its end is still being written.
        return try text[..<(text.lastIndex(of: "\n") ?? text.startIndex)].split(separator: "\n").map { line in
            let json = try JSON(parsing: String(line))
            let content = Data(base64Encoded: json["content"]?.string ?? "") ?? Data()
            return Received(
                recipient: json["recipients"]?.array?.first?.string ?? "", authenticated: json["authenticated"]?.bool ?? false,
                content: Array(content))
        }
    }

    /// Waits for a mail that fits.
    func mail(within limit: Duration = .seconds(30), _ isFine: (Received) -> Bool) async throws -> Received {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if let mail = try received().first(where: isFine) { return mail }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw UsherError(.internalError, "the mail did not come; there are \(try received().count)")
    }

    /// A mail as Python's parser and icalendar read it.
    static func read(_ content: [UInt8]) async throws -> JSON {
        let reader = try Command("/usr/bin/python3", [Command.script("read_mail.py")])
        reader.write(content)
        let (code, output, errors) = await reader.finish()
        guard code == 0 else { throw UsherError(.internalError, "the mail could not be read: \(errors)") }
        return try JSON(parsing: output)
    }
}

/// Ports for the servers of this test run, each given once. They lie below those that the kernel gives to connections by itself,
/// so that none is taken between here and the server.
enum FreeTestPort {
    private static let range = 12_000..<32_000
    private static let last = Mutex(Int.random(in: range))

    static func find() throws -> Int {
        for _ in range {
            let port = last.withLock { last in
                last = last + 1 < range.upperBound ? last + 1 : range.lowerBound
                return last
            }
            if isFree(UInt16(port)) { return port }
        }
        throw UsherError(.internalError, "no port is free")
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
