import UsherCore
import UsherStore
import UsherVault

/// A call that may be repeated: the same key and content gets the same result.
package struct IdempotencyKey: Hashable, Sendable {
    /// API key and route.
    package var scope: String
    /// The caller's `Idempotency-Key`.
    package var key: String
    /// A hash of the request.
    package var fingerprint: String

    /// Takes each property as it is.
    package init(scope: String, key: String, fingerprint: String) {
        self.scope = scope
        self.key = key
        self.fingerprint = fingerprint
    }
}

extension EngineContext {
    /// Does a piece of work once for a key; the key is committed with it, so callers at the same moment wait for the one commit.
    /// - Parameters:
    ///   - again: the answer to a repeated call, from what the first one left.
    ///   - work: the work, and what it leaves: an id, or a text that is sealed because it holds a secret.
    /// - Throws: ``ErrorCode/idempotencyMismatch`` when the key came with another request before.
    func once<Result>(
        _ key: IdempotencyKey?, _ tx: Tx, now: Instant, again: (String) throws -> Result,
        _ work: () throws -> (Result, leaves: StoredResult)
    ) throws -> (result: Result, isReplay: Bool) {
        guard let key else { return (try work().0, false) }
        let place = StoredRepeat.context(scope: key.scope, key: key.key)
        if let known = try tx.idempotent(scope: key.scope, key: key.key, now: now) {
            guard known.fingerprint == key.fingerprint else {
                throw UsherError(.idempotencyMismatch, "This Idempotency-Key was used for another request: take a new one.")
            }
            let left = StoredRepeat.isSealed(known.result) ? try vault.open(known.result, context: place) : known.result
            return (try again(left), true)
        }
        let (result, left) = try work()
        let kept =
            switch left {
            case .id(let id): id
            case .secret(let text): try vault.seal(text, context: place)
            }
        try tx.remember(scope: key.scope, key: key.key, fingerprint: key.fingerprint, result: kept, now: now)
        return (result, false)
    }
}

/// What a piece of work leaves for a repeated call.
enum StoredResult {
    case id(String)
    case secret(String)
}

/// The answer to a call, and whether it had been made before.
package struct IdempotentResult<Value: Sendable>: Sendable {
    /// What the call answers.
    package var value: Value
    /// Whether an earlier call did it.
    package var isReplay: Bool

    init(_ outcome: (result: Value, isReplay: Bool)) { (value, isReplay) = outcome }
}
