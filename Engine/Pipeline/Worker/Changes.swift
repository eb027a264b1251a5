import Synchronization
import UsherCore

/// Tells whoever waits for a booking that something about it was written down in this process.
package final class Changes: Sendable {
    private let listeners = Mutex<[String: [Int: AsyncStream<Void>.Continuation]]>([:])
    private let numbers = Atomic<Int>(0)

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
        let waiting = listeners.withLock { $0[subject].map { Array($0.values) } ?? [] }
        for continuation in waiting { continuation.yield() }
    }

    private func forget(_ subject: String, _ number: Int) {
        listeners.withLock { listeners in
            listeners[subject]?[number] = nil
            if listeners[subject]?.isEmpty == true { listeners[subject] = nil }
        }
    }
}

extension BookingService {
    /// How long a change that another process has made may go unnoticed.
    private static let lookInterval = Duration.seconds(1)

    /// The booking once its meeting is not pending any more, or as it stands when the time is up.
    package func settled(_ id: String, within limit: Duration) async throws -> BookingView {
        let end = context.now + limit
        while true {
            // Before the look, so that no change falls between the two.
            let changes = context.changes.listen(to: id)
            let view = try await view(id)
            guard view.booking.meeting.status == .pending, context.now < end else { return view }
            let patience = min(Self.lookInterval, end - context.now)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in changes.prefix(1) {} }
                group.addTask { try? await Task.sleep(for: patience) }
                await group.next()
                group.cancelAll()
            }
        }
    }
}
