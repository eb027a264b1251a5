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

    /// - Throws: ``ErrorCode/rateLimited``.
    package func take(_ key: String) throws(UsherError) {
        let now = now()
        let isFull = buckets.withLock { buckets in
            var (left, at) = buckets[key] ?? (Self.burst, now)
            left = min(Self.burst, left + Double((now - at).microseconds) * Self.perMinute / 60_000_000)
            buckets[key] = (max(left - 1, 0), now)
            return left < 1
        }
        if isFull {
            throw UsherError(.rateLimited, "This key makes more than \(Int(Self.perMinute)) calls a minute. Try again in a second.")
        }
    }
}
