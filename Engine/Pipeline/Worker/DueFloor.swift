import Synchronization
import UsherCore
import UsherStore

/// From when on each queue is looked at. PostgreSQL cannot take rows away that are older than the oldest transaction that is still open:
/// beside a long one, the index of what is due begins with thousands of jobs that are done, and every look would step over them.
///
/// So a look begins a little before the earliest job that the last one has seen. Nothing new comes due before: who enqueues or releases a
/// job makes it due now at the earliest. What a transaction of a slow server leaves behind after all is found by a look at everything.
final class DueFloor: Sendable {
    private struct Seen {
        var floor: Instant
        var isWholeUntil: Instant
    }
    private let seen = Mutex<[Queue: Seen]>([:])

    /// From the moment at which a transaction takes its time to its commit.
    private static let slack = Duration.seconds(5)
    /// Between two looks at everything.
    private static let interval = Duration.seconds(10)

    /// Where a look begins now.
    func current(_ queue: Queue, now: Instant) -> Instant {
        seen.withLock { seen in
            guard let known = seen[queue], now < known.isWholeUntil, now + Self.interval >= known.isWholeUntil else {
                seen[queue] = Seen(floor: .epoch, isWholeUntil: now + Self.interval)
                return .epoch
            }
            return min(known.floor, now - Self.slack)
        }
    }

    /// Takes in what a look has found.
    /// - Parameter earliest: when the earliest job of the queue comes due; `nil` where there is none.
    func learn(_ queue: Queue, earliest: Instant?, now: Instant) {
        seen.withLock { $0[queue]?.floor = min(earliest ?? now, now) - Self.slack }
    }
}
