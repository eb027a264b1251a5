import Synchronization
import UsherCore

/// PostgreSQL through libpq: transactions on a few threads that each have a connection, and one more connection that listens.
///
/// READ COMMITTED suffices, since a transaction locks what it decides about with its first read; under a stricter default of the server
/// a transaction that others were in the way of is run again. A read sees one snapshot.
package final class PostgreSQLDatabase: Database {
    private let threads: WorkerThreads
    private let listener: Listener
    private let serverClock: ServerClock
    private let trips: TripCounter
    /// Processes whose lock was found free, since when, and when last: one that has lost its connection takes it again within a moment.
    private let found = Mutex<[String: (since: ContinuousClock.Instant, last: ContinuousClock.Instant)]>([:])

    private static let grace = Duration.seconds(1)
    /// What was seen longer ago says nothing of the time between.
    private static let memory = Duration.seconds(15)

    /// - Parameters:
    ///   - url: `postgres://user:password@host:5432/database?sslmode=verify-full`, with all that libpq knows.
    ///   - connections: transactions at the same time.
    /// - Throws: ``UsherError`` with ``ErrorCode/configuration`` where it cannot be reached.
    package init(url: String, connections: Int = 8) throws {
        let target = try ConnectionTarget(url)
        let clock: ServerClock
        do {
            let asked = ContinuousClock.now
            let said = try Connection(target).run("SELECT \(ServerClock.sql)", []).rows[0].instant(0)
            clock = ServerClock(said, at: asked + asked.duration(to: .now) / 2)
        } catch let error as ServerError {
            throw UsherError(
                .configuration,
                "The database of DATABASE_URL cannot be reached: \(error.message). Check that the server runs, and its name, port, user and password."
            )
        }
        serverClock = clock
        let (health, trips) = (ServerHealth(), TripCounter())
        self.trips = trips
        threads = WorkerThreads(count: connections) { TransactionRunner(target, clock: clock, health: health, trips: trips) }
        listener = Listener(target)
        listener.start()
    }

    deinit { listener.close() }

    /// Whether libpq understands an address; nothing is asked.
    /// - Throws: ``UsherError`` with ``ErrorCode/configuration``.
    package static func check(url: String) throws(UsherError) { _ = try ConnectionTarget(url) }

    /// `PostgreSQL usher at db.northwind.example`, of an address that is understood.
    package static func name(url: String) -> String { ConnectionTarget.name(url) }

    package func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try await onThread { try $0.write(body) }
    }

    package func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try await onThread { try $0.read(body) }
    }

    private func onThread<Result: Sendable>(_ body: @escaping @Sendable (TransactionRunner) throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            guard threads.add({ runner in continuation.resume(with: Swift.Result { try body(runner) }) }) else {
                return continuation.resume(throwing: DatabaseError(.other, "the database is closed"))
            }
        }
    }

    /// Holds a lock of the session that listens: the server drops it when the process ends, however it ends.
    package func announce(process id: String) async throws { try await listener.announce(id) }

    /// Whether the lock of that process has been free for a moment, at each look.
    package func isDead(process id: String) async throws -> Bool {
        let isFree = try await read { session in
            try session.query("SELECT pg_try_advisory_xact_lock($1)", [.int(Listener.key(id))])[0].bool(0)
        }
        return found.withLock { found in
            guard isFree else {
                found[id] = nil
                return false
            }
            let now = ContinuousClock.now
            let before = found[id].flatMap { $0.last.duration(to: now) <= Self.memory ? $0.since : nil }
            found[id] = (before ?? now, now)
            return (before ?? now).duration(to: now) >= Self.grace
        }
    }

    /// The cluster, which its standbys share, and the database's number in it.
    package func place() async throws -> String {
        let sql = """
            SELECT system_identifier::text || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())::text
            FROM pg_control_system()
            """
        do { return try await read { "cluster " + (try $0.query(sql, [])[0].text(0)) } } catch {
            // Not every service lets us see that much.
            let name = "SELECT current_database()::text || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())::text"
            return try await read { "database " + (try $0.query(name, [])[0].text(0)) }
        }
    }

    package func examine() async throws -> [DatabaseFinding] {
        try await read { [serverClock] in try ServerExamination(session: $0).findings(clock: serverClock.now) }
    }

    /// How often transactions have sent something and waited for the answers.
    package var roundTrips: Int { trips.value }
    package var isAnnounced: Bool { listener.isUp }
    package var clock: (@Sendable () -> Instant)? { { [serverClock] in serverClock.now } }
    package func listen(_ wake: @escaping @Sendable () -> Void) { listener.add(wake) }
    package func notify() { listener.notify() }
    /// Notifications come at once, unless they are lost.
    package var pollInterval: Duration { .seconds(1) }

    package func close() async throws {
        listener.close()
        threads.close()
    }
}
