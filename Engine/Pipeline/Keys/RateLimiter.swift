import Synchronization
import UsherCore

/// How many calls a key may make, as a bucket that fills up again evenly. It belongs to one process: several let through as many more.
package final class RateLimiter: Sendable {
    /// Calls at once, and calls a minute.
    package static let burst = 200.0
    package static let perMinute = 1_200.0

    private let now: @Sendable () -> Instant
    private let buckets = Mutex<[String: (left: Double, at: Instant)]>([:])

    package init(now: @escaping @Sendable () -> Instant) { self.now = now }

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
            var (left, at) = buckets[key] ?? (Self.burst, now)
            left = min(Self.burst, left + Double((now - at).microseconds) * Self.perMinute / 60_000_000)
            let isAllowed = left >= 1
            if isAllowed { left -= 1 }
            buckets[key] = (left, now)
            return Standing(
                isAllowed: isAllowed, left: Int(left), secondsToFull: Int(((Self.burst - left) * 60 / Self.perMinute).rounded(.up)))
        }
    }
}
