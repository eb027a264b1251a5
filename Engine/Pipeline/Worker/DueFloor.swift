import Synchronization
import UsherCore
import UsherStore

/// How each queue is looked at. PostgreSQL cannot take rows away that are older than the oldest transaction that is still open: beside a
/// long one, the index of what is due begins with thousands of jobs that are done, and every look would step over them.
///
/// So a look begins a little before the earliest job that the last one has seen. Nothing new comes due before: who enqueues or releases a
/// job makes it due now at the earliest. What a transaction of a slow server leaves behind after all is found by a look at everything; and
/// which services have work at all is asked once a second, since that steps over rows as well.
final class DueFloor: Sendable {
    /// One look at a queue.
    struct Look {
        var floor: Instant
        /// `nil` for all, known or not.
        var services: [String]?
    }
    private struct Seen {
        var floor = Instant.epoch
        var services: Set<String> = []
        var whole = Instant.epoch
        var discovery = Instant.epoch
    }
    private let seen = Mutex<[Queue: Seen]>([:])
    private let database: any Database

    /// From the moment at which a transaction takes its time to its commit.
    private static let slack = Duration.seconds(5)
    /// Between two looks at everything.
    private static let interval = Duration.seconds(10)
    /// Between two looks for services.
    private static let discovery = Duration.seconds(1)

    init(_ database: any Database) { self.database = database }

    /// How to look now.
    func next(_ queue: Queue, now: Instant) -> Look {
        guard database.leavesDeadRows, let known = seen.withLock({ $0[queue] }), now < known.whole + Self.interval else {
            return Look(floor: .epoch, services: nil)
        }
        return Look(floor: known.floor, services: now < known.discovery + Self.discovery ? known.services.sorted() : nil)
    }

    /// Takes in what a look has found, once its transaction is over.
    func learn(_ queue: Queue, _ look: Look, _ found: [(service: String, due: Instant)], now: Instant) {
        seen.withLock { seen in
            var known = seen[queue, default: Seen()]
            known.floor = min(found.map(\.due).min() ?? now, now) - Self.slack
            if look.services == nil {
                known.services.formUnion(found.map(\.service))
                known.discovery = now
                if look.floor == .epoch { known.whole = now }
            }
            seen[queue] = known
        }
    }
}

extension Tx {
    func services(_ queue: Queue, _ look: DueFloor.Look) throws -> [(service: String, due: Instant)] {
        try look.services.map { try services(queue, among: $0, from: look.floor) } ?? services(queue, from: look.floor)
    }
}
