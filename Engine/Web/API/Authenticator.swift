import Hummingbird
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
