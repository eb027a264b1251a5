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
    ///   - replay: the answer to a repeated call, from the id that the first one stored.
    ///   - work: the work, and the id that it stores.
    /// - Throws: ``ErrorCode/idempotencyMismatch`` when the key came with another request before.
    func idempotent<Result>(
        _ key: IdempotencyKey?, _ tx: Tx, now: Instant, replay: (String) throws -> Result,
        _ work: () throws -> (Result, stored: String)
    ) throws -> (result: Result, isReplay: Bool) {
        guard let key else { return (try work().0, false) }
        if let known = try storedResult(key, tx, now: now) { return (try replay(known), true) }
        let (result, stored) = try work()
        try tx.remember(scope: key.scope, key: key.key, fingerprint: key.fingerprint, result: stored, now: now)
        return (result, false)
    }

    /// The same for work that stores a secret, which is kept sealed.
    func idempotentSealed<Result, Stored: Codable>(
        _ key: IdempotencyKey?, _ tx: Tx, now: Instant, replay: (Stored) throws -> Result,
        _ work: () throws -> (Result, stored: Stored)
    ) throws -> (result: Result, isReplay: Bool) {
        let place = key.map { StoredRepeat.context(scope: $0.scope, key: $0.key) } ?? ""
        return try idempotent(key, tx, now: now, replay: { try replay(vault.open(Stored.self, $0, context: place)) }) {
            let (result, stored) = try work()
            return (result, key == nil ? "" : try vault.seal(value: stored, context: place))
        }
    }

    private func storedResult(_ key: IdempotencyKey, _ tx: Tx, now: Instant) throws -> String? {
        guard let known = try tx.idempotent(scope: key.scope, key: key.key, now: now) else { return nil }
        guard known.fingerprint == key.fingerprint else {
            throw UsherError(.idempotencyMismatch, "This Idempotency-Key was used for another request: take a new one.")
        }
        return known.result
    }
}

/// The answer to a call, and whether it had been made before.
package struct IdempotentResult<Value: Sendable>: Sendable {
    /// What the call answers.
    package var value: Value
    /// Whether an earlier call did it.
    package var isReplay: Bool

    init(_ outcome: (result: Value, isReplay: Bool)) { (value, isReplay) = outcome }

    /// The same result in another form.
    package func map<Form>(_ form: (Value) -> Form) -> IdempotentResult<Form> { IdempotentResult<Form>((form(value), isReplay)) }
}
