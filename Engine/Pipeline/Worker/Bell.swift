import Synchronization

/// Wakes a loop that waits for work. Rings while nobody waits are kept, as one.
package final class Bell: Sendable {
    private struct State {
        var hasRung = false
        var waiter: CheckedContinuation<Bool, Never>?
    }
    private let state = Mutex(State())

    package init() {}

    /// There is something to do.
    package func ring() { release(rung: true) }

    /// Time has passed: whoever waits may look.
    package func tick() { release(rung: false) }

    /// Returns at the next ring with `true`, or at the next tick with `false`. One caller at a time.
    package func wait() async -> Bool {
        await withCheckedContinuation { continuation in
            let hasRung = state.withLock { state in
                defer { state.hasRung = false }
                if !state.hasRung { state.waiter = continuation }
                return state.hasRung
            }
            if hasRung { continuation.resume(returning: true) }
        }
    }

    private func release(rung: Bool) {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            if state.waiter == nil, rung { state.hasRung = true }
            return state.waiter
        }
        waiter?.resume(returning: rung)
    }
}
