import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// Who makes a call: a key, and what it may do.
struct Caller: Sendable {
    /// The key's id, under which idempotency keys are kept.
    var id: String
    var scopes: Set<Scope>
    /// `nil` for the admin's key of the configuration, which is not limited.
    var standing: RateLimiter.Standing?

    static let nobody = Caller(id: "", scopes: [])

    func may(_ scope: Scope) -> Bool { scopes.contains(scope) || scopes.contains(.admin) }

    /// - Throws: ``ErrorCode/authForbidden``.
    func require(_ scope: Scope) throws(UsherError) {
        guard may(scope) else { throw UsherError(.authForbidden, "This key lacks the scope \(scope.rawValue).") }
    }
}

extension EngineContext {
    /// Writes down that whoever acts was refused something, counted by address and hour.
    func auditRefusal(_ action: String, outcome: String) async throws {
        let actor = Actor(Actor.current.name, address: TrustedProxies.group(Actor.current.address))
        try await auditRefusals(1, action, outcome: outcome, to: actor)
    }
}

/// Finds out whose key a call carries.
struct Authenticator: Sendable {
    private let adminKey: Secret?
    private let keys: APIKeys
    private let limiter: RateLimiter
    private let guesses: KeyGuesses
    private let context: EngineContext

    /// - Parameter adminKey: of the configuration.
    init(_ adminKey: Secret?, _ context: EngineContext) {
        self.adminKey = adminKey
        keys = APIKeys(context)
        limiter = context.limits.limiter("calls")
        guesses = KeyGuesses(context)
        self.context = context
    }

    /// - Throws: ``ErrorCode/authMissing``, ``ErrorCode/authInvalid``, ``ErrorCode/rateLimited``.
    func caller(_ request: Request) async throws -> Caller {
        guard let header = request.headers[.authorization] else {
            throw UsherError(.authMissing, "Send your API key: Authorization: Bearer usher_…")
        }
        guard header.lowercased().hasPrefix("bearer "), let caller = try await holder(of: Secret(String(header.dropFirst(7))), "key.use")
        else {
            throw UsherError(.authInvalid, "This API key is not valid.")
        }
        return caller
    }

    /// Writes down that a key is not allowed to do what it asked for.
    func audit(_ refusal: UsherError, of action: String, to caller: Caller) async throws {
        try await Actor.acting("key:\(caller.id)") { try await context.auditRefusal(action, outcome: refusal.code.rawValue) }
    }

    /// Whose key this is; `nil` for one that is not valid. It takes one call from what the key may make.
    /// - Parameter action: what a wrong key is written down as.
    /// - Throws: ``ErrorCode/rateLimited`` where too many wrong ones came from the address.
    func holder(of key: Secret, _ action: String) async throws -> Caller? {
        let address = TrustedProxies.group(Actor.current.address)
        if let caller = try await known(key) { return caller }
        let guess = guesses.wasWrong(from: address)
        if guess.untold > 0 {
            try await context.auditRefusals(
                guess.untold, action, outcome: ErrorCode.authInvalid.rawValue, to: Actor("nobody", address: guess.row))
        }
        guard guess.isListenedTo else {
            throw UsherError(.rateLimited, "Too many wrong keys came from your address. Try again in a minute.")
        }
        return nil
    }

    private func known(_ key: Secret) async throws -> Caller? {
        if let adminKey, key == adminKey { return Caller(id: "admin", scopes: [.admin]) }
        return try await keys.holder(of: key).map { Caller(id: $0.id, scopes: $0.scopes, standing: limiter.take($0.id)) }
    }
}
