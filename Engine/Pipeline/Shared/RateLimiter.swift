import Synchronization
import UsherCore
import UsherStore

/// How many calls a key or an address may make, as a bucket that fills up again evenly. Nobody waits for the database: other servers
/// learn of the calls within a second (see ``RateLimits``).
package final class RateLimiter: Sendable {
    /// A key's calls at once, and calls a minute.
    package static let burst = 200.0
    package static let perMinute = 1_200.0

    /// Tells its buckets from those of other limiters.
    let name: String
    let burst: Double
    private let perMinute: Double
    /// Buckets that are kept. Full ones need none; of more than these, the ones that were used last are kept.
    private static let mostBuckets = 10_000
    private let now: @Sendable () -> Instant
    private let state = Mutex(State())

    private struct Bucket {
        var left: Double
        var at: Instant
        /// Calls that the database does not know of.
        var unsaved = 0.0
    }

    private struct State {
        var buckets: [String: Bucket] = [:]
        /// The keys of buckets with unsaved calls.
        var unsaved: Set<String> = []
    }

    /// - Parameters:
    ///   - burst: calls at once.
    ///   - perMinute: calls that come back a minute.
    package init(
        _ name: String, burst: Double = RateLimiter.burst, perMinute: Double = RateLimiter.perMinute,
        now: @escaping @Sendable () -> Instant
    ) {
        self.name = name
        self.burst = burst
        self.perMinute = perMinute
        self.now = now
    }

    /// What a key may do still.
    package struct Standing: Sendable {
        /// Whether this call may go on.
        package var isAllowed: Bool
        /// Calls that are left at this moment.
        package var left: Int
        /// Seconds until all of them are there again.
        package var secondsToFull: Int
    }

    /// Takes one call from a key's bucket, if there is one.
    package func take(_ key: String) -> Standing {
        let now = now()
        return state.withLock { state in
            makeRoom(&state, now)
            var bucket = state.buckets[key] ?? Bucket(left: burst, at: now)
            bucket.left = filled(bucket.left, since: bucket.at, now)
            bucket.at = now
            let isAllowed = bucket.left >= 1
            if isAllowed {
                bucket.left -= 1
                bucket.unsaved += 1
                state.unsaved.insert(key)
            }
            state.buckets[key] = bucket
            return Standing(
                isAllowed: isAllowed, left: Int(max(bucket.left, 0)),
                secondsToFull: Int(((burst - bucket.left) * 60 / perMinute).rounded(.up)))
        }
    }

    /// Buckets that are kept.
    package var size: Int { state.withLock { $0.buckets.count } }

    /// What is left of a bucket that held `left`.
    func filled(_ left: Double, since time: Instant, _ now: Instant) -> Double {
        min(burst, left + Double(max((now - time).microseconds, 0)) * perMinute / 60_000_000)
    }

    private func makeRoom(_ state: inout State, _ now: Instant) {
        guard state.buckets.count >= Self.mostBuckets else { return }
        state.buckets = state.buckets.filter { filled($0.value.left, since: $0.value.at, now) < burst || $0.value.unsaved > 0 }
        if state.buckets.count >= Self.mostBuckets {
            let newest = state.buckets.sorted { $0.value.at > $1.value.at }.prefix(Self.mostBuckets / 2)
            state.buckets = Dictionary(uniqueKeysWithValues: newest.map { ($0.key, $0.value) })
        }
        state.unsaved = state.unsaved.filter { state.buckets[$0] != nil }
    }

    // MARK: Beside other servers

    /// Unsaved calls by key, of at most `most` keys. They count as saved from now on.
    func takeUnsaved(most: Int) -> [String: Double] {
        state.withLock { state in
            var taken: [String: Double] = [:]
            for key in state.unsaved.prefix(most) {
                taken[key] = state.buckets[key]?.unsaved
                state.buckets[key]?.unsaved = 0
            }
            state.unsaved.subtract(taken.keys)
            return taken
        }
    }

    /// Calls that could not be saved, and are to be saved later.
    func putBack(_ unsaved: [String: Double]) {
        state.withLock { state in
            for (key, count) in unsaved where state.buckets[key] != nil {
                state.buckets[key]?.unsaved += count
                state.unsaved.insert(key)
            }
        }
    }

    /// All servers together leave so much; calls since then are taken from it.
    func adopt(_ left: Double, of key: String, at time: Instant) {
        state.withLock { state in
            guard let bucket = state.buckets[key] else { return }
            state.buckets[key]?.left = left - bucket.unsaved
            state.buckets[key]?.at = time
        }
    }
}
