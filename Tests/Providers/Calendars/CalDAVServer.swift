import Foundation
import ProviderSandbox
import Synchronization
import UsherAssembly
import UsherCore

/// A real CalDAV server with an empty folder, which ends with this value.
final class CalDAVServer: Sendable {
    /// Debian's packages of the same names.
    enum Kind: String, CaseIterable { case radicale, xandikos }

    let url: String
    let transport = HTTPTransport(now: Environment.system.now)
    private let process: Process
    private let folder: String
    private let kind: Kind

    static let (user, password) = ("ana", "app-password")
    /// Of the calendar that events are put into.
    private var collection: String { kind == .radicale ? "\(url)/ana/work/" : "\(url)/user/calendars/calendar/" }

    init(_ kind: Kind) async throws {
        self.kind = kind
        folder = FileManager.default.temporaryDirectory.path + "/usher-dav-" + Environment.system.code(bits: 60)
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
        let port = try Self.freePort()
        url = "http://127.0.0.1:\(port)"
        process = Process()
        switch kind {
        case .radicale:
            try "\(Self.user):\(Self.password)\n".write(toFile: folder + "/users", atomically: true, encoding: .utf8)
            try """
            [server]
            hosts = 127.0.0.1:\(port)
            [auth]
            type = htpasswd
            htpasswd_filename = \(folder)/users
            htpasswd_encryption = plain
            delay = 0
            [storage]
            filesystem_folder = \(folder)/data
            """.write(toFile: folder + "/config", atomically: true, encoding: .utf8)
            process.executableURL = URL(fileURLWithPath: "/usr/bin/radicale")
            process.arguments = ["--config", folder + "/config"]
        case .xandikos:
            process.executableURL = URL(fileURLWithPath: "/usr/bin/xandikos")
            process.arguments = [
                "--defaults", "--current-user-principal", "/user/", "-d", folder + "/data", "-l", "127.0.0.1", "-p", "\(port)",
            ]
        }
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        try await start()
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)
        let transport = transport
        Task { try await transport.shutdown() }
    }

    private func start() async throws {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            do {
                // Xandikos has made its calendar by then.
                let answer = try await send(kind == .radicale ? "MKCALENDAR" : "PROPFIND", collection, [("Depth", "0")])
                if (200..<300).contains(answer) { return }
            } catch {}
            guard ContinuousClock.now < end else { throw UsherError(.internalError, "\(kind) does not start") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw UsherError(.internalError, "no port is free") }
        return UInt16(bigEndian: address.sin_port)
    }

    private func send(_ method: String, _ url: String, _ headers: [(String, String)] = [], body: String = "") async throws -> Int {
        let pair = Data("\(Self.user):\(Self.password)".utf8).base64EncodedString()
        let now = Environment.system.now()
        return try await transport.send(
            HTTPRequest(
                method, url, headers: [("Authorization", "Basic \(pair)")] + headers, body: Array(body.utf8), deadline: now + .seconds(20))
        ).status
    }

    private func address(_ uid: String) -> String { collection + uid.filter(\.isLetter) + ".ics" }

    func put(_ event: SandboxEvent) async throws {
        let body = SandboxEvent.file([event], owner: "ana@northwind.example")
        let status = try await send("PUT", address(event.uid), [("Content-Type", "text/calendar; charset=utf-8")], body: body)
        guard (200..<300).contains(status) else { throw UsherError(.internalError, "PUT: \(status)") }
    }

    func takeOut(_ uid: String) async throws {
        let status = try await send("DELETE", address(uid))
        guard (200..<300).contains(status) else { throw UsherError(.internalError, "DELETE: \(status)") }
    }

    /// - Parameter path: of the address that the owner gives; empty for the host alone.
    func context(password: String = password, path: String = "") -> BusyContext {
        BusyContext(
            address: Secret(url + path), user: Self.user, password: Secret(password),
            call: ProviderContext(
                provider: "caldav", settings: .object([]), credentials: [:], endpoints: [:], transport: transport, tokens: NoTokens(),
                deadline: Environment.system.now() + .seconds(30), environment: .system))
    }
}

/// Sources with addresses of their own share no tokens.
struct NoTokens: TokenCache {
    func token(
        _ name: String, rejected: IssuedToken?, obtain: @escaping @Sendable () async throws(ProviderError) -> IssuedToken
    ) async throws(ProviderError) -> IssuedToken { try await obtain() }
}
