import Synchronization

/// Whether callers are crowding in: while they are, the work that nobody waits for at this moment makes room for them.
package final class Pressure: Sendable {
    private let high = Atomic(false)

    package init() {}

    package var isHigh: Bool { high.load(ordering: .relaxed) }
    package func set(_ isHigh: Bool) { high.store(isHigh, ordering: .relaxed) }
}
