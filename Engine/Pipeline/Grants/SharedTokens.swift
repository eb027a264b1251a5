import Synchronization
import UsherCore
import UsherStore
import UsherVault

/// Access tokens in the database, sealed; obtained by one process at a time under a lease, and by one caller at a time within it.
final class SharedTokens: TokenCache {
    private let store: Store
    private let vault: Vault
    private let environment: Environment
    private let processID: String
    private let lock = KeyedLock()
    private let known = Mutex<[String: IssuedToken]>([:])

    /// A token counts as expired this much early, so that it does not expire on its way.
    private static let margin = Duration.seconds(60)
    /// Longer than obtaining a token may take.
    private static let leaseLength = EngineSettings.workLength + .seconds(10)

    init(store: Store, vault: Vault, environment: Environment, processID: String) {
        self.store = store
        self.vault = vault
        self.environment = environment
        self.processID = processID
    }

    func token(
        _ name: String, rejected: IssuedToken?, obtain: @escaping @Sendable () async throws(ProviderError) -> IssuedToken
    ) async throws(ProviderError) -> IssuedToken {
        if let token = known.withLock({ $0[name] }), isUsable(token, rejected) { return token }
        await lock.enter(name)
        let result = await refreshed(name, rejected, obtain)
        await lock.leave(name)
        return try result.get()
    }

    private func isUsable(_ token: IssuedToken, _ rejected: IssuedToken?) -> Bool {
        token.expiresAt > environment.now() + Self.margin && token.access != rejected?.access
    }

    private func refreshed(
        _ name: String, _ rejected: IssuedToken?, _ obtain: @Sendable () async throws(ProviderError) -> IssuedToken
    ) async -> Result<IssuedToken, ProviderError> {
        if let token = known.withLock({ $0[name] }), isUsable(token, rejected) { return .success(token) }
        do {
            let now = environment.now()
            let (stored, isOurs) = try await store.write { [processID] tx in
                let isOurs = try tx.leaseToken(name, process: processID, now: now, until: now + Self.leaseLength)
                return (try tx.token(name), isOurs)
            }
            if let stored, let token = try? open(stored, name), isUsable(token, rejected) {
                if isOurs { try await store.write { [processID] in try $0.unleaseToken(name, process: processID) } }
                remember(token, name)
                return .success(token)
            }
            guard isOurs else {
                return .failure(
                    ProviderError(
                        .unavailable, retry: .at(now + .seconds(1)), "Another process is obtaining an access token.",
                        remedy: ProviderError.triedAgain))
            }
            return await obtained(name, generation: stored?.generation ?? 0, obtain)
        } catch {
            return .failure(
                ProviderError(
                    .unavailable, retry: .backoff, "The access token could not be read from the database.",
                    remedy: ProviderError.triedAgain, cause: "\(error)"))
        }
    }

    private func obtained(
        _ name: String, generation: Int64, _ obtain: @Sendable () async throws(ProviderError) -> IssuedToken
    ) async -> Result<IssuedToken, ProviderError> {
        do throws(ProviderError) {
            let token = try await obtain()
            remember(token, name)
            // The token is good whether or not it can be stored: other processes then obtain their own, and wait for no lease.
            do {
                let sealed = try seal(token, name)
                _ = try await store.write { tx in
                    try tx.storeToken(name, sealed: sealed, expiresAt: token.expiresAt, generation: generation)
                }
            } catch { await release(name) }
            return .success(token)
        } catch {
            await release(name)
            return .failure(error)
        }
    }

    /// A lease that cannot be given back ends by itself.
    private func release(_ name: String) async {
        _ = try? await store.write { [processID] in try $0.unleaseToken(name, process: processID) }
    }

    private func remember(_ token: IssuedToken, _ name: String) { known.withLock { $0[name] = token } }

    private func seal(_ token: IssuedToken, _ name: String) throws -> String {
        try vault.seal(value: SealedToken(token), context: StoredToken.context(name))
    }

    private func open(_ stored: StoredToken, _ name: String) throws -> IssuedToken? {
        stored.sealed.isEmpty ? nil : try vault.open(SealedToken.self, stored.sealed, context: StoredToken.context(name)).token
    }
}
