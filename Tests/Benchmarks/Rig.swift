import Foundation
import Synchronization
import UsherAssembly
import UsherCore
import UsherPostgreSQL
import UsherSQLite

/// `usher serve` in a process of its own, with the Zoom stand-in and an SMTP sink in others.
final class Rig: Sendable {
    let folder: String
    /// Of each server.
    let pids: [Int32]
    private let ports: [Int]
    private var port: Int { ports[0] }
    private let processes: [Process]
    private let transport = HTTPTransport(now: Environment.system.now)

    static let key = "usher_bench_0123456789abcdef012345"
    static let products = URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent().path
    static let catalog = """
        version: 1
        site: { name: Northwind Clinic, from: "Northwind Clinic <bookings@northwind.example>", time-zone: Europe/Berlin, default-provider: campus }
        providers: { campus: { module: zoom-s2s } }
        owners: { ana: { name: Ana Ruiz, email: ana@northwind.example, time-zone: Europe/Madrid } }
        meeting-types: { open: { title: "Open hours with {owner.name}", duration: 30m, overlap: allow } }
        """

    static func newFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.path + "/usher-bench-" + Environment.system.code(bits: 60)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try catalog.write(toFile: folder + "/meeting-types.yaml", atomically: true, encoding: .utf8)
        return folder
    }

    /// - Parameters:
    ///   - workers: 0 pauses all work behind the bookings.
    ///   - servers: more than one need a database that is a server.
    ///   - delay: so long the provider takes for an answer, in milliseconds.
    init(folder: String, workers: Int, servers: Int = 1, delay: Int = 0) async throws {
        self.folder = folder
        let (zoom, zoomPort) = try Self.start(Self.products + "/usher-bench", ["sandbox", "\(delay)"], [:], folder)
        let (sink, sinkPort) = try Self.startSink(31_000 + Int(zoomPort) % 1_000)
        let first = 20_000 + Int(zoomPort) % 10_000
        let ports = (0..<servers).map { first + $0 }
        self.ports = ports
        let ushers = try ports.map { try Self.startServer($0, folder, workers, sinkPort, zoomPort) }
        pids = ushers.map(\.processIdentifier)
        processes = [zoom, sink] + ushers
        for port in ports {
            while (try? await waitingSteps(port)) == nil { try await Task.sleep(for: .milliseconds(20)) }
        }
    }

    private static func startServer(
        _ port: Int, _ folder: String, _ workers: Int, _ sinkPort: Int, _ zoomPort: Int
    ) throws -> Process {
        let usher = Process()
        usher.executableURL = URL(fileURLWithPath: Self.products + "/usher")
        usher.arguments = ["serve", "--workers", "\(workers)"]
        usher.currentDirectoryURL = URL(fileURLWithPath: folder)
        usher.environment = [
            "USHER_PORT": "\(port)", "USHER_API_KEY": Self.key, "SMTP_URL": "smtp://127.0.0.1:\(sinkPort)",
            "ZOOM_S2S_ACCOUNT_ID": "sandbox-account",
            "ZOOM_S2S_CLIENT_ID": "sandbox-client", "ZOOM_S2S_CLIENT_SECRET": "sandbox-secret",
            "ZOOM_API_URL": "http://127.0.0.1:\(zoomPort)/v2", "ZOOM_OAUTH_URL": "http://127.0.0.1:\(zoomPort)/oauth",
        ]
        if let database = Self.databaseURL {
            usher.environment?["DATABASE_URL"] = database
            usher.environment?["USHER_VAULT_KEYS"] = Data(repeating: 7, count: 32).base64EncodedString()
        }
        usher.standardError = FileHandle.nullDevice
        try usher.run()
        return usher
    }

    /// Postfix's sink: a mail system of our own making would be slower than what is measured.
    private static func startSink(_ port: Int) throws -> (Process, Int) {
        let sink = Process()
        sink.executableURL = URL(fileURLWithPath: "/usr/sbin/smtp-sink")
        sink.arguments = (geteuid() == 0 ? ["-u", "postfix"] : []) + ["127.0.0.1:\(port)", "128"]
        try sink.run()
        return (sink, port)
    }

    private static func start(
        _ program: String, _ arguments: [String], _ environment: [String: String], _ folder: String
    ) throws -> (Process, Int) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = Pipe()
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") { line += String(decoding: output.fileHandleForReading.readData(ofLength: 1), as: UTF8.self) }
        return (process, Int(line.trimmingBlanks) ?? 0)
    }

    func stop(removing: Bool = true) async {
        for process in processes {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        _ = try? await transport.shutdown()
        if removing { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func call(_ method: String, _ path: String, _ body: String = "", at other: Int? = nil) async throws -> HTTPResponse {
        try await transport.send(
            HTTPRequest(
                method, "http://127.0.0.1:\(other ?? port)\(path)",
                headers: [("Authorization", "Bearer \(Self.key)"), ("Content-Type", "application/json")],
                body: Array(body.utf8), deadline: Environment.system.now() + .seconds(60)))
    }

    func waitingSteps(_ port: Int? = nil) async throws -> Int64 {
        let text = String(decoding: try await call("GET", "/metrics", at: port).body, as: UTF8.self)
        return text.split(separator: "\n").filter { $0.hasPrefix("usher_steps_waiting{") || $0.hasPrefix("usher_steps_working{") }
            .reduce(0) { $0 + Int64(Double($1.split(separator: " ").last ?? "") ?? 0) }
    }

    /// Makes `count` bookings by so many callers.
    /// - Returns: seconds.
    @discardableResult
    func book(_ count: Int, callers: Int) async throws -> Double {
        let numbers = Counter()
        let started = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    while true {
                        let number = numbers.next()
                        if number > count { return }
                        let port = self.ports[number % self.ports.count]
                        let answer = try await self.call("POST", "/v1/bookings", Self.booking(number: number), at: port)
                        guard answer.status == 201 else { throw UsherError(.internalError, String(decoding: answer.body, as: UTF8.self)) }
                    }
                }
            }
            try await group.waitForAll()
        }
        return Double((ContinuousClock.now - started).microseconds) / 1_000_000
    }

    /// - Returns: the id of the booking that was made.
    func book(number: Int) async throws -> String {
        let answer = try await call("POST", "/v1/bookings", Self.booking(number: number))
        guard answer.status == 201, let id = try JSON(parsing: answer.body)["id"]?.string else {
            throw UsherError(.internalError, String(decoding: answer.body, as: UTF8.self))
        }
        return id
    }

    /// Milliseconds from each booking's confirmation to its last mail, as the database has them.
    func timesToMails(_ ids: [String]) async throws -> [Double] {
        let database = try await opened()
        // An older build says so on the timeline.
        let isOld = (try? await database.read { try $0.query("SELECT sent_at FROM outbox LIMIT 1", []) }) == nil
        let sent =
            isOld
            ? "SELECT MAX(at) FROM timeline WHERE booking_id = $1 AND event = 'mail.sent'"
            : "SELECT MAX(sent_at) FROM outbox WHERE booking_id = $1"
        let times = try await database.read { session in
            try ids.map { id in
                let start = try session.query("SELECT created_at FROM bookings WHERE id = $1", [.text(id)])[0].int(0)
                return Double(try session.query(sent, [.text(id)])[0].int(0) - start) / 1_000
            }
        }
        try await database.close()
        return times
    }

    /// A PostgreSQL for the server, empty; SQLite where none is named.
    static var databaseURL: String? { ProcessInfo.processInfo.environment["USHER_BENCH_DATABASE"] }

    static func booking(number: Int) -> String {
        let start = (Instant(seconds: 1_830_000_000) + .minutes(Int64(number % 50_000) * 7)).rfc3339
        return
            #"{"meetingType":"open","owner":"ana","start":"\#(start)","attendees":[{"name":"Bo Li","email":"bo@example.org","timeZone":"America/New_York"}]}"#
    }

    var bookingsURL: String { url("/v1/bookings") }
    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Stores the one booking that there is again, so many times, each half an hour before the next, and all of them in the past.
    func repeatBooking(_ count: Int) async throws {
        let database = try SQLiteDatabase(path: folder + "/usher.sqlite")
        let columns = try await database.read { try $0.query("SELECT name FROM pragma_table_info('bookings')", []).map { try $0.text(0) } }
        let start = "\(Environment.system.now().microseconds) - n * 1800000000"
        let earlier = ["id": "'bk_' || n", "starts_at": start, "ends_at": "\(start) + 1500000000"]
        let values = columns.map { earlier[$0] ?? $0 }.joined(separator: ", ")
        try await database.write { session in
            _ = try session.execute(
                """
                INSERT INTO bookings (\(columns.joined(separator: ", "))) SELECT \(values) FROM bookings
                CROSS JOIN (WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count)) SELECT n FROM numbers)
                """, [])
        }
        try await database.close()
    }

    func bookingCount() async throws -> Int {
        let database = try SQLiteDatabase(path: folder + "/usher.sqlite")
        let rows = try await database.read { try $0.query("SELECT COUNT(*) FROM bookings", []) }
        try await database.close()
        return Int(try rows[0].int(0))
    }

    /// Waits until nothing is due. It asks seldom, since the answers are the server's work too; and each answer may be a second old.
    func settle() async throws {
        repeat { try await Task.sleep(for: .milliseconds(1_100)) } while try await waitingSteps() > 0
    }

    /// Bookings that have not both mails yet.
    func unsentMails() async throws -> Int {
        let database = try await opened()
        let rows = try await database.read {
            try $0.query(
                """
                SELECT COUNT(*) FROM bookings b
                WHERE (SELECT COUNT(*) FROM outbox o WHERE o.booking_id = b.id AND o.state = 'sent') < 2
                """, [])
        }
        try await database.close()
        return Int(try rows[0].int(0))
    }

    /// Jobs that somebody works on, or that wait for somebody.
    func openJobs() async throws -> Int {
        let (database, now) = (try await opened(), Environment.system.now().microseconds)
        let rows = try await database.read {
            try $0.query("SELECT COUNT(*) FROM steps WHERE claimed_by IS NOT NULL OR due_at <= $1", [.int(now)])
        }
        try await database.close()
        return Int(try rows[0].int(0))
    }

    private func opened() async throws -> any Database {
        if let url = Self.databaseURL { return try PostgreSQLDatabase(url: url, connections: 1) }
        return try SQLiteDatabase(path: folder + "/usher.sqlite")
    }

    /// User and system time of the servers so far, in seconds.
    func cpu() throws -> Double { try pids.map(cpu).reduce(0, +) }

    private func cpu(_ pid: Int32) throws -> Double {
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = stat[stat.lastIndex(of: ")")!...].split(separator: " ")
        return (Double(fields[12])! + Double(fields[13])!) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident memory in MiB.
    func memory() throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(pids[0])/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return Double(line?.split(separator: " ")[1] ?? "0")! / 1_024
    }
}

private final class Counter: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
