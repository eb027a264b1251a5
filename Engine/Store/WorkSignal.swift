import Synchronization
import UsherCore

/// Wakes loops that wait for work of a queue: after each commit of this process that enqueued some, when time has passed, and when work is
/// handed over to them. Each loop listens for itself; a signal while one is at work is kept for it, as one.
package final class WorkSignal: Sendable {
    private struct Listener {
        var queue: Queue
        var isSent = false
        /// Whether something may have come due.
        var mustLook = false
        var waiter: CheckedContinuation<Bool, Never>?
    }
    private let listeners = Mutex<[Listener]>([])

    /// - Returns: what ``wait(as:)`` wants to know.
    package func listen(for queue: Queue) -> Int {
        listeners.withLock { listeners in
            listeners.append(Listener(queue: queue))
            return listeners.count - 1
        }
    }

    /// There is something to do in these queues.
    package func send(to queues: some Sequence<Queue>) {
        // In one order, so that a run can be replayed.
        for queue in queues.sorted(by: { $0.rawValue < $1.rawValue }) { release(isSent: true, mustLook: true) { $0 == queue } }
    }

    /// Claimed work was handed over to this queue: it need not look for any.
    package func handOver(to queue: Queue) { release(isSent: true, mustLook: false) { $0 == queue } }

    /// Something has come due in these queues: whoever waits may look.
    package func tick(_ queues: Set<Queue>) { release(isSent: false, mustLook: true, queues.contains) }

    /// Returns at the next signal.
    /// - Returns: whether something may have come due.
    package func wait(as listener: Int) async -> Bool {
        await withCheckedContinuation { continuation in
            let mustLook = listeners.withLock { listeners -> Bool? in
                guard listeners[listener].isSent else {
                    listeners[listener].waiter = continuation
                    return nil
                }
                defer { (listeners[listener].isSent, listeners[listener].mustLook) = (false, false) }
                return listeners[listener].mustLook
            }
            if let mustLook { continuation.resume(returning: mustLook) }
        }
    }

    private func release(isSent: Bool, mustLook: Bool, _ concerns: (Queue) -> Bool) {
        let waiters = listeners.withLock { listeners in
            listeners.indices.filter { concerns(listeners[$0].queue) }.compactMap { index -> CheckedContinuation<Bool, Never>? in
                defer { listeners[index].waiter = nil }
                if listeners[index].waiter == nil, isSent {
                    listeners[index].isSent = true
                    listeners[index].mustLook = listeners[index].mustLook || mustLook
                }
                return listeners[index].waiter
            }
        }
        for waiter in waiters { waiter.resume(returning: mustLook) }
    }
}
