import Synchronization

/// Counts the times that something was sent and its answers waited for.
final class TripCounter: Sendable {
    private let trips = Atomic(0)
    var value: Int { trips.load(ordering: .relaxed) }
    func count() { trips.add(1, ordering: .relaxed) }
}
