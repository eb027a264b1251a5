import Synchronization
import UsherCore

/// Tells whoever waits for a booking that something about it was written down in this process.
package final class Changes: Sendable {
    private let listeners = Mutex<[String: [Int: AsyncStream<Void>.Continuation]]>([:])
    private let numbers = Atomic<Int>(0)

    /// The subject of whoever wants to know of everything.
    package static let all = ""

    package init() {}

    /// - Returns: yields at each change from now on; one that comes before anyone looks is kept.
    package func listen(to subject: String) -> AsyncStream<Void> {
        let number = numbers.add(1, ordering: .relaxed).newValue
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        continuation.onTermination = { [weak self] _ in self?.forget(subject, number) }
        listeners.withLock { $0[subject, default: [:]][number] = continuation }
        return stream
    }

    func tell(_ subject: String) {
        let waiting = listeners.withLock { listeners in
            [subject, Self.all].flatMap { listeners[$0].map { Array($0.values) } ?? [] }
        }
        for continuation in waiting { continuation.yield() }
    }

    private func forget(_ subject: String, _ number: Int) {
        listeners.withLock { listeners in
            listeners[subject]?[number] = nil
            if listeners[subject]?.isEmpty == true { listeners[subject] = nil }
        }
    }
}
