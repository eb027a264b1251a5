import Foundation
import Synchronization
import UsherCore

/// A connection of its own, on a thread of its own, that stays open: it holds the locks by which others see that this process lives, hears
/// that others have enqueued work, and tells them.
/// Source: https://www.postgresql.org/docs/15/sql-notify.html, https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS
final class Listener: Sendable {
    private struct State {
        var announced: [String] = []
        var waiting: [(id: String, continuation: CheckedContinuation<Void, any Error>)] = []
        var wakes: [@Sendable () -> Void] = []
        var hasNews = false
        var isUp = false
        var isClosed = false
    }
    private let state = Mutex(State())
    private let target: ConnectionTarget
    /// Rung by other threads of this process.
    private let bell = Bell()

    private static let channel = "usher_work"
    /// A notification takes a lock of the whole server: one in this time is enough for many commits.
    private static let notifyInterval = Duration.milliseconds(50)
    /// An idle connection is tried this often.
    private static let idleLimit = Duration.seconds(5)

    init(_ target: ConnectionTarget) { self.target = target }

    /// Whether others can see that this process lives.
    var isUp: Bool { state.withLock { $0.isUp || $0.announced.isEmpty } }

    func start() {
        let thread = Thread { self.work() }
        thread.name = "postgres-listen"
        thread.start()
    }

    func add(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wakes.append(wake) } }

    func notify() {
        state.withLock { $0.hasNews = true }
        bell.ring()
    }

    /// Returns once the lock is held.
    func announce(_ id: String) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let isClosed = state.withLock { state in
                if !state.isClosed { state.waiting.append((id, continuation)) }
                return state.isClosed
            }
            if isClosed { return continuation.resume(throwing: DatabaseError(.other, "the database is closed")) }
            bell.ring()
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        bell.ring()
    }

    /// The number that stands for a process.
    static func key(_ id: String) -> Int64 { AdvisoryLock.key("process \(id)") }

    // MARK: The thread

    private func work() {
        var pause = 0.02
        while !state.withLock({ $0.isClosed }) {
            do {
                let connection = try Connection(target)
                _ = try connection.run("LISTEN \(Self.channel)", [])
                for id in state.withLock({ $0.announced }) { try lock(id, connection) }
                let wakes = state.withLock { state in
                    state.isUp = true
                    return state.wakes
                }
                // What was told meanwhile was not heard.
                for wake in wakes { wake() }
                pause = 0.02
                try serve(connection)
            } catch {
                refuseWaiting((error as? ServerError)?.asDatabaseError ?? DatabaseError(.busy, "\(error)"))
                Thread.sleep(forTimeInterval: .random(in: pause / 2...pause))
                pause = min(pause * 2, 0.5)
            }
        }
        refuseWaiting(DatabaseError(.other, "the database is closed"))
    }

    /// Nobody waits for a lock for ever.
    private func refuseWaiting(_ error: DatabaseError) {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isUp = false
            return state.waiting
        }
        for waiter in waiting { waiter.continuation.resume(throwing: error) }
    }

    private func serve(_ connection: Connection) throws {
        var told = ContinuousClock.now - Self.notifyInterval
        while !state.withLock({ $0.isClosed }) {
            try announceWaiting(connection)
            let hasNews = state.withLock { $0.hasNews }
            let untilTold = told + Self.notifyInterval - .now
            if hasNews, untilTold <= .zero {
                state.withLock { $0.hasNews = false }
                told = .now
                _ = try connection.run("NOTIFY \(Self.channel)", [])
            }
            let wait = hasNews && untilTold > .zero ? untilTold : Self.idleLimit
            let heard = try connection.hear(beside: bell.descriptor, for: wait)
            bell.silence()
            if heard == .others { for wake in state.withLock({ $0.wakes }) { wake() } }
            if heard == .nothing, !hasNews { _ = try connection.run("SELECT 1", []) }
        }
    }

    private func announceWaiting(_ connection: Connection) throws {
        while let next = state.withLock({ $0.waiting.first }) {
            if !state.withLock({ $0.announced.contains(next.id) }) { try lock(next.id, connection) }
            state.withLock { state in
                state.announced.append(next.id)
                state.waiting.removeFirst()
            }
            next.continuation.resume()
        }
    }

    private func lock(_ id: String, _ connection: Connection) throws {
        _ = try connection.run("SELECT pg_advisory_lock($1)", [.int(Self.key(id))])
    }
}
