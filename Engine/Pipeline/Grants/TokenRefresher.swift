import Logging
import Synchronization
import UsherCore
import UsherStore
import UsherVault

/// Keeps owners' grants alive: renewed by one caller and one process at a time, and a new pair stored before it is used.
///
/// A refresh token may be good for one use, and the answer to that use may be lost. So the old pair is read again before every
/// refresh, the new one is stored whatever became of the lease, and a grant is dead only on the service's documented word for
/// the pair that is still stored. Source: https://devforum.zoom.us/t/10375 and https://devforum.zoom.us/t/77706
final class TokenRefresher: Sendable {
    private let store: Store
    private let vault: Vault
    private let environment: Environment
    private let processID: String
    private let logger: Logger
    private let meters: Meters
    private let lock = KeyedLock()
    /// Renewed pairs that could not be stored: each is the only live one, so it is stored before another is asked for.
    private let unsaved = Mutex<[String: Unsaved]>([:])
    private struct Unsaved {
        var grant: Grant
        var connection: StoredConnection
        var module: any ConnectableProvider.Type
    }

    /// A token counts as expired this much early, so that it does not expire on its way.
    private static let margin = Duration.seconds(60)
    private static let leaseLength = EngineSettings.workLength + .seconds(10)
    private static let storeTries = 5

    init(store: Store, vault: Vault, environment: Environment, processID: String, logger: Logger, meters: Meters) {
        self.store = store
        self.vault = vault
        self.environment = environment
        self.processID = processID
        self.logger = logger
        self.meters = meters
    }

    /// A token of the owner's connection that can be used now.
    /// - Parameter rejected: the one that the service has just refused.
    func access(
        _ connection: StoredConnection, _ module: any ConnectableProvider.Type, _ call: ProviderContext, rejected: IssuedToken?
    ) async throws(ProviderError) -> IssuedToken {
        if let token = try? grant(connection).access, isUsable(token, rejected) { return token }
        let name = "\(connection.ownerID) \(connection.provider)"
        await lock.enter(name)
        let result = await renewed(connection, module, call, rejected)
        await lock.leave(name)
        return try result.get()
    }

    private func grant(_ connection: StoredConnection) throws(UsherError) -> Grant {
        try GrantCodec.open(connection.sealed, vault, context: connection.sealContext)
    }

    private func isUsable(_ token: IssuedToken, _ rejected: IssuedToken?) -> Bool {
        token.expiresAt > environment.now() + Self.margin && token.access != rejected?.access
    }

    private func renewed(
        _ seen: StoredConnection, _ module: any ConnectableProvider.Type, _ call: ProviderContext, _ rejected: IssuedToken?
    ) async -> Result<IssuedToken, ProviderError> {
        let service = module.consent.name
        do {
            let now = environment.now()
            let (stored, isOurs) = try await store.write { [processID] tx in
                let isOurs = try tx.leaseConnection(
                    owner: seen.ownerID, provider: seen.provider, process: processID, now: now, until: now + Self.leaseLength)
                return (try tx.connection(owner: seen.ownerID, provider: seen.provider), isOurs)
            }
            // Another account's token would make the room there.
            guard let stored, stored.account.id == seen.account.id else {
                if isOurs, let stored { await release(stored) }
                return .failure(.notConnected(service))
            }
            // The pair that could not be stored is the only live one, whatever another process has heard of the one before.
            if let kept = unsaved.withLock({ $0[stored.sealContext] }), kept.connection.generation == stored.generation {
                return await keep(kept.grant, stored, module)
            }
            let grant = try grant(stored)
            if isUsable(grant.access, rejected) {
                if isOurs { await release(stored) }
                return .success(grant.access)
            }
            if stored.health == .reauthorize {
                if isOurs { await release(stored) }
                return .failure(.reauthorize(service))
            }
            guard isOurs else {
                return .failure(
                    ProviderError(
                        .unavailable, retry: .at(now + .seconds(1)), "Another process is renewing the connection.",
                        remedy: ProviderError.triedAgain))
            }
            return await refreshed(stored, grant, module, call)
        } catch {
            return .failure(
                ProviderError(
                    .unavailable, retry: .backoff, "The connection could not be read from the database.",
                    remedy: ProviderError.triedAgain, cause: "\(error)"))
        }
    }

    private func refreshed(
        _ stored: StoredConnection, _ grant: Grant, _ module: any ConnectableProvider.Type, _ call: ProviderContext
    ) async -> Result<IssuedToken, ProviderError> {
        var call = call
        call.deadline = min(call.deadline, environment.now() + EngineSettings.workLength)
        var outcome = "failed"
        do throws(ProviderError) {
            defer { meters.count(.refreshes, ["provider": stored.provider, "outcome": outcome]) }
            let new: Grant
            do throws(ProviderError) { new = try await module.refresh(grant, call) } catch {
                guard error.isUnclear else { throw error }
                // The answer was lost, and the old pair with it, if the service had got that far: one more try tells.
                new = try await module.refresh(grant, call)
            }
            outcome = "renewed"
            return await keep(new, stored, module)
        } catch {
            if error.code == .reauthorize { return await died(stored, error) }
            await release(stored)
            return .failure(error)
        }
    }

    /// Tries once more to store the pairs that could not be stored, so that one is not lost with this process.
    func saveUnsaved() async {
        for (_, pair) in unsaved.withLock({ $0 }) { _ = await keep(pair.grant, pair.connection, pair.module) }
    }

    /// Stores the new pair, the only live one, before anyone uses it. What another process has said of the pair before it is over, and
    /// what waited for a living one goes on.
    private func keep(
        _ grant: Grant, _ stored: StoredConnection, _ module: any ConnectableProvider.Type
    ) async -> Result<IssuedToken, ProviderError> {
        var lastError: (any Error)?
        let consent = module.consent
        unsaved.withLock { $0[stored.sealContext] = Unsaved(grant: grant, connection: stored, module: module) }
        let missing = consent.missing(grant.access.scopes)
        for _ in 0..<Self.storeTries {
            do {
                let sealed = try GrantCodec.seal(grant, vault, context: stored.sealContext)
                let now = environment.now()
                let (isKept, present) = try await store.write { [environment] tx in
                    let before = try tx.lockConnection(owner: stored.ownerID, provider: stored.provider)
                    let isKept = try tx.renew(
                        stored, sealed: sealed, scopes: grant.access.scopes, expiresAt: grant.access.expiresAt,
                        health: missing.isEmpty ? .ok : .missingScope, problem: consent.problem(missing), now: now)
                    if isKept, before?.health == .reauthorize { try tx.resumeWaiting(for: stored, of: module, now: now) }
                    // Ended while it was renewed, or another account's by now: what the service has given has no other to end it.
                    if !isKept, before?.account.id != stored.account.id || before?.clientID != stored.clientID {
                        var unused = stored
                        unused.sealed = sealed
                        try tx.revoke(unused, as: environment.id("rv_"), now: now)
                        if try tx.owner(stored.ownerID)?.isActive != true { try tx.leaveRevocations(toFormer: stored.ownerID) }
                    }
                    return (isKept, try tx.connection(owner: stored.ownerID, provider: stored.provider))
                }
                unsaved.withLock { $0[stored.sealContext] = nil }
                if isKept { return .success(grant.access) }
                guard let present, present.account.id == stored.account.id else {
                    return .failure(.notConnected(consent.name))
                }
                // Another grant stands there: the owner has connected again, or this commit had happened after all.
                return .success(try self.grant(present).access)
            } catch { lastError = error }
        }
        logger.error(
            "a renewed grant could not be stored",
            metadata: ["owner": "\(stored.ownerID)", "provider": "\(stored.provider)", "error": "\(lastError.map { "\($0)" } ?? "")"])
        return .failure(
            ProviderError(
                .unavailable, retry: .backoff, "The renewed connection could not be stored.",
                remedy: "Nothing to do: it is tried again by itself; if it goes on, see the server's log."))
    }

    /// The service says that the grant is dead: that counts only if it is still the one that is stored.
    private func died(_ stored: StoredConnection, _ error: ProviderError) async -> Result<IssuedToken, ProviderError> {
        do {
            let present = try await store.write { [processID, environment, vault] tx in
                if try tx.setHealth(.reauthorize, error.problem, of: stored) {
                    let now = environment.now()
                    try tx.enqueue(
                        followUps(of: .ownerNeeded(.connection(owner: stored.ownerID, provider: stored.provider)), now: now), now: now)
                    if let dead = try tx.connection(owner: stored.ownerID, provider: stored.provider) {
                        try Announcer(environment: environment, vault: vault).tell(.connectionNeedsAttention, dead, tx)
                    }
                }
                try tx.unleaseConnection(owner: stored.ownerID, provider: stored.provider, process: processID)
                return try tx.connection(owner: stored.ownerID, provider: stored.provider)
            }
            if let present, present.generation != stored.generation, present.account.id == stored.account.id {
                return .success(try grant(present).access)
            }
            logger.warning(
                "a connection must be made again", metadata: ["owner": "\(stored.ownerID)", "provider": "\(stored.provider)"])
        } catch { logger.error("a dead grant could not be marked", metadata: ["error": "\(error)"]) }
        return .failure(error)
    }

    private func release(_ stored: StoredConnection) async {
        do {
            try await store.write { [processID] in
                try $0.unleaseConnection(owner: stored.ownerID, provider: stored.provider, process: processID)
            }
        } catch { logger.warning("a lease could not be given back; it runs out by itself", metadata: ["error": "\(error)"]) }
    }
}
