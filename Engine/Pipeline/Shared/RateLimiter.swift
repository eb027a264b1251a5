import Synchronization
import UsherCore
import UsherStore

/// How many calls a key or an address may make, as a bucket that fills up again evenly. Nobody waits for the database: servers beside
/// this one hear of what was taken within a second (see ``RateLimits``).
package final class RateLimiter: Sendable {
    /// A key's calls at once, and calls a minute.
    package static let burst = 200.0
    package static let perMinute = 1_200.0

    /// Tells its buckets from those of other limiters.
    let name: String
    let burst: Double
    private let perMinute: Double
    /// Buckets that are kept; full ones need none.
    private static let mostBuckets = 10_000
    private let now: @Sendable () -> Instant
    private let state = Mutex(State())

    private struct Bucket {
        var left: Double
        var at: Instant
        /// Calls that other servers do not know of.
        var untold = 0.0
    }

    private struct State {
        var buckets: [String: Bucket] = [:]
        var untold: Set<String> = []
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
            if state.buckets.count >= Self.mostBuckets {
                state.buckets = state.buckets.filter { filled($0.value.left, since: $0.value.at, now) < burst || $0.value.untold > 0 }
            }
            var bucket = state.buckets[key] ?? Bucket(left: burst, at: now)
            bucket.left = filled(bucket.left, since: bucket.at, now)
            bucket.at = now
            let isAllowed = bucket.left >= 1
            if isAllowed {
                bucket.left -= 1
                bucket.untold += 1
                state.untold.insert(key)
            }
            state.buckets[key] = bucket
            return Standing(
                isAllowed: isAllowed, left: Int(max(bucket.left, 0)),
                secondsToFull: Int(((burst - bucket.left) * 60 / perMinute).rounded(.up)))
        }
    }

    /// What is left of a bucket that held `left`.
    func filled(_ left: Double, since time: Instant, _ now: Instant) -> Double {
        min(burst, left + Double(max((now - time).microseconds, 0)) * perMinute / 60_000_000)
    }

    // MARK: Beside other servers

    /// Calls that others do not know of, by key: at most `most` of them. They count as told from now on.
    func takeUntold(most: Int) -> [String: Double] {
        state.withLock { state in
            var taken: [String: Double] = [:]
            for key in state.untold.prefix(most) {
                taken[key] = state.buckets[key]?.untold
                state.buckets[key]?.untold = 0
            }
            state.untold.subtract(taken.keys)
            return taken
        }
    }

    /// Calls that could not be told, and are to be told later.
    func putBack(_ untold: [String: Double]) {
        state.withLock { state in
            for (key, count) in untold where state.buckets[key] != nil {
                state.buckets[key]?.untold += count
                state.untold.insert(key)
            }
        }
    }

    /// All servers together leave so much; calls since then are taken from it.
    func adopt(_ left: Double, of key: String, at time: Instant) {
        state.withLock { state in
            guard let bucket = state.buckets[key] else { return }
            state.buckets[key]?.left = left - bucket.untold
            state.buckets[key]?.at = time
        }
    }
}

/// The limits of a server, and what other servers have let through. Each counts by itself, and where several serve, tells the database
/// what was taken once a heartbeat's look; so together they let through what one would, and for at most that long a burst more each.
package final class RateLimits: Sendable {
    private let store: Store
    private let now: @Sendable () -> Instant
    private let limiters = Mutex<[RateLimiter]>([])

    /// Keys of one limiter that are told at once.
    private static let mostKeys = 200
    /// Buckets that nobody has taken from for so long are full.
    private static let memory = Duration.hours(1)

    /// - Parameter now: a clock on which the servers agree.
    package init(store: Store, now: @escaping @Sendable () -> Instant) {
        self.store = store
        self.now = now
    }

    /// A limiter that counts together with those of the same name at other servers.
    package func limiter(
        _ name: String, burst: Double = RateLimiter.burst, perMinute: Double = RateLimiter.perMinute
    ) -> RateLimiter {
        let limiter = RateLimiter(name, burst: burst, perMinute: perMinute, now: now)
        limiters.withLock { $0.append(limiter) }
        return limiter
    }

    /// Tells other servers what was taken, and hears what they have.
    /// - Parameter isAlone: no other server is there; nothing is told.
    package func settle(isAlone: Bool) async throws {
        for limiter in limiters.withLock({ $0 }) {
            let untold = limiter.takeUntold(most: Self.mostKeys)
            guard !isAlone, !untold.isEmpty else { continue }
            do { try await tell(untold, limiter) } catch {
                limiter.putBack(untold)
                throw error
            }
        }
    }

    private func tell(_ untold: [String: Double], _ limiter: RateLimiter) async throws {
        let now = now()
        let left = try await store.write { tx in
            try tx.removeRates(before: now - Self.memory)
            return try untold.sorted { $0.key < $1.key }.map { key, taken in
                let known = try tx.rate(limiter.name, key)
                let full = known.map { limiter.filled($0.left, since: $0.at, now) } ?? limiter.burst
                // Debts are no greater than a burst.
                let left = max(full - taken, 0 - limiter.burst)
                try tx.setRate(limiter.name, key, left: left, at: now)
                return (key, left)
            }
        }
        for (key, left) in left { limiter.adopt(left, of: key, at: now) }
    }
}
