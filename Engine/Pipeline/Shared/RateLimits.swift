import Synchronization
import UsherCore
import UsherStore

/// The limits of a server. It counts by itself; where several serve, each saves its calls in the database twice a second, and takes
/// from there what is left. Until then, each may let through a burst of its own.
package final class RateLimits: Sendable {
    private struct State {
        var limiters: [RateLimiter] = []
        var isAlone = true
        var cleanedAt = Instant.epoch
    }
    private let store: Store
    private let now: @Sendable () -> Instant
    private let state = Mutex(State())

    package static let interval = Duration.milliseconds(500)
    /// Keys of one limiter that are saved in one transaction.
    private static let mostKeys = 50
    /// A bucket that nobody has used for so long is full.
    private static let memory = Duration.minutes(30)
    private static let cleaning = Duration.minutes(1)

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
        state.withLock { $0.limiters.append(limiter) }
        return limiter
    }

    /// Whether no other server is there; then nothing is saved.
    package func setAlone(_ isAlone: Bool) { state.withLock { $0.isAlone = isAlone } }

    /// Saves what this server let through, and takes what all of them leave.
    package func settle() async throws {
        let now = now()
        let (limiters, isAlone, mustClean) = state.withLock { state in
            let mustClean = now - state.cleanedAt >= Self.cleaning
            if mustClean { state.cleanedAt = now }
            return (state.limiters, state.isAlone, mustClean)
        }
        // Rows are locked here one by one, and below by name: not in one transaction.
        if mustClean { try await store.write { try $0.removeRates(before: now - Self.memory) } }
        for limiter in limiters {
            let unsaved = limiter.takeUnsaved(most: isAlone ? .max : Self.mostKeys)
            guard !isAlone, !unsaved.isEmpty else { continue }
            do { try await save(unsaved, limiter, now) } catch {
                limiter.putBack(unsaved)
                throw error
            }
        }
    }

    private func save(_ unsaved: [String: Double], _ limiter: RateLimiter, _ now: Instant) async throws {
        let left = try await store.write { tx in
            try unsaved.sorted { $0.key < $1.key }.map { key, taken in
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
