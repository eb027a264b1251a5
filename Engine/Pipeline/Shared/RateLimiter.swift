import Synchronization
import UsherCore

/// How many calls a key or an address may make, as a bucket that fills up again evenly. It belongs to one process: several let through as many more.
package final class RateLimiter: Sendable {
    /// A key's calls at once, and calls a minute.
    package static let burst = 200.0
    package static let perMinute = 1_200.0

    private let burst: Double
    private let perMinute: Double
    /// Buckets that are kept; full ones need none.
    private static let mostBuckets = 10_000
    private let now: @Sendable () -> Instant
    private let buckets = Mutex<[String: (left: Double, at: Instant)]>([:])

    package init(burst: Double = RateLimiter.burst, perMinute: Double = RateLimiter.perMinute, now: @escaping @Sendable () -> Instant) {
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
        return buckets.withLock { buckets in
            if buckets.count >= Self.mostBuckets { buckets = buckets.filter { filled($0.value, now) < burst } }
            var left = buckets[key].map { filled($0, now) } ?? burst
            let isAllowed = left >= 1
            if isAllowed { left -= 1 }
            buckets[key] = (left, now)
            return Standing(
                isAllowed: isAllowed, left: Int(left), secondsToFull: Int(((burst - left) * 60 / perMinute).rounded(.up)))
        }
    }

    private func filled(_ bucket: (left: Double, at: Instant), _ now: Instant) -> Double {
        min(burst, bucket.left + Double((now - bucket.at).microseconds) * perMinute / 60_000_000)
    }
}
