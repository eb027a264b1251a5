import Synchronization
import UsherCore

/// Whether callers are crowding in: while they are, the work that nobody waits for at this moment makes room for them.
package final class LoadSignal: Sendable {
    private let now: @Sendable () -> Instant
    private let lastSentAway = Atomic<Int64>(0)

    /// So long after somebody was sent away it counts as high.
    private static let length = Duration.milliseconds(250)

    init(now: @escaping @Sendable () -> Instant) { self.now = now }

    package var isHigh: Bool { now() - Instant(microseconds: lastSentAway.load(ordering: .relaxed)) < Self.length }
    /// Somebody was sent away.
    package func rise() { lastSentAway.store(now().microseconds, ordering: .relaxed) }
}
