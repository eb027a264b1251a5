import Hummingbird
import Synchronization
import UsherCore
import UsherPipeline
import UsherStore

/// Lets calls in that bear a valid key with the scope that they need.
struct Authenticator: Sendable {
    private let adminKey: Secret?
    private let keys: APIKeys
    private let limiter: RateLimiter

    /// - Parameter adminKey: of the configuration.
    init(_ adminKey: Secret?, _ context: EngineContext) {
        self.adminKey = adminKey
        keys = APIKeys(context)
        limiter = RateLimiter(now: context.surroundings.now)
    }

    /// - Returns: the key's id, under which idempotency keys are kept.
    /// - Throws: ``ErrorCode/authMissing``, ``ErrorCode/authInvalid``, ``ErrorCode/authForbidden``, ``ErrorCode/rateLimited``.
    @discardableResult
    func check(_ request: Request, _ scope: Scope) async throws -> String {
        guard let header = request.headers[.authorization] else {
            throw UsherError(.authMissing, "Send your API key: Authorization: Bearer usher_…")
        }
        guard header.lowercased().hasPrefix("bearer ") else { throw Self.invalid }
        let key = Secret(String(header.dropFirst(7)))
        if let adminKey, key == adminKey { return "admin" }
        guard let holder = try await keys.holder(of: key) else { throw Self.invalid }
        guard holder.scopes.contains(scope) || holder.scopes.contains(.admin) else {
            throw UsherError(.authForbidden, "This key lacks the scope \(scope.rawValue).")
        }
        try limiter.take(holder.id)
        return holder.id
    }

    private static var invalid: UsherError { UsherError(.authInvalid, "This API key is not valid.") }
}

/// How many calls a key may make, as a bucket that fills up again evenly. It belongs to one process: several let through as many more.
final class RateLimiter: Sendable {
    /// Calls at once, and calls a minute.
    static let burst = 200.0
    static let perMinute = 1_200.0

    private let now: @Sendable () -> Instant
    private let buckets = Mutex<[String: (left: Double, at: Instant)]>([:])

    init(now: @escaping @Sendable () -> Instant) { self.now = now }

    func take(_ key: String) throws(UsherError) {
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
