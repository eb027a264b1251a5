import Synchronization

/// Wakes loops that wait for work. Each listens for itself; a signal while one is at work is kept for it, as one.
package final class WorkSignal: Sendable {
    private struct Listener {
        var isSent = false
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
    package func send() { release(isSent: true) }

    /// Time has passed: whoever waits may look.
    package func tick() { release(isSent: false) }

    /// Returns at the next signal with `true`, or at the next tick with `false`.
    package func wait(as listener: Int) async -> Bool {
        await withCheckedContinuation { continuation in
            let isSent = listeners.withLock { listeners in
                defer { listeners[listener].isSent = false }
                if !listeners[listener].isSent { listeners[listener].waiter = continuation }
                return listeners[listener].isSent
            }
            if isSent { continuation.resume(returning: true) }
        }
    }

    private func release(isSent: Bool) {
        let waiters = listeners.withLock { listeners in
            listeners.indices.compactMap { index -> CheckedContinuation<Bool, Never>? in
                defer { listeners[index].waiter = nil }
                if listeners[index].waiter == nil, isSent { listeners[index].isSent = true }
                return listeners[index].waiter
            }
        }
        for waiter in waiters { waiter.resume(returning: isSent) }
    }
}
