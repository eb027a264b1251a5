import Synchronization

/// Wakes loops that wait for work. Each listens for itself; a ring while one is at work is kept for it, as one.
package final class Bell: Sendable {
    private struct Listener {
        var hasRung = false
        var waiter: CheckedContinuation<Bool, Never>?
    }
    private let listeners = Mutex<[Listener]>([])

    package init() {}

    /// - Returns: what ``wait(as:)`` wants to know.
    package func listen() -> Int {
        listeners.withLock { listeners in
            listeners.append(Listener())
            return listeners.count - 1
        }
    }

    /// There is something to do.
    package func ring() { release(rung: true) }

    /// Time has passed: whoever waits may look.
    package func tick() { release(rung: false) }

    /// Returns at the next ring with `true`, or at the next tick with `false`.
    package func wait(as listener: Int) async -> Bool {
        await withCheckedContinuation { continuation in
            let hasRung = listeners.withLock { listeners in
                defer { listeners[listener].hasRung = false }
                if !listeners[listener].hasRung { listeners[listener].waiter = continuation }
                return listeners[listener].hasRung
            }
            if hasRung { continuation.resume(returning: true) }
        }
    }

    private func release(rung: Bool) {
        let waiters = listeners.withLock { listeners in
            listeners.indices.compactMap { index -> CheckedContinuation<Bool, Never>? in
                defer { listeners[index].waiter = nil }
                if listeners[index].waiter == nil, rung { listeners[index].hasRung = true }
                return listeners[index].waiter
            }
        }
        for waiter in waiters { waiter.resume(returning: rung) }
    }
}
