import Logging
import UsherCore
import UsherStore
import UsherVault

/// Owners' connections: made, used, ended. A connection never changes a preference.
package struct Connections: Sendable {
    private let context: EngineContext

    /// Between tries to store a new grant, while the browser waits.
    private static let pauses: [Duration] = [.milliseconds(100), .milliseconds(400), .seconds(1), .seconds(2)]
    private static let patience = Duration.seconds(10)

    package init(_ context: EngineContext) { self.context = context }

    /// The module, and a call with the credentials of the owner's app: their organisation's own, or the site's.
    func call(_ provider: String, owner: String, deadline: Instant) async throws -> (any ConnectableProvider.Type, ProviderContext) {
        let module = try context.connectableModule(provider)
        let app = try await context.store.read { try $0.apps(of: owner) }.first { $0.provider == provider }
        return (module, try ProviderResolver(context).call(provider, app: app, deadline: deadline).call)
    }

    package func list(owner: String) async throws -> [StoredConnection] { try await context.store.read { try $0.connections(of: owner) } }

    /// Keeps a grant as the owner's connection, and wakes what waited for it.
    /// - Parameter revocation: the one that waited in case the owner did not agree.
    /// - Throws: ``ErrorCode/notFound`` where the owner was removed meanwhile; then the grant is ended.
    func keep(
        _ grant: Grant, _ account: ConnectedAccount, owner: String, provider: String, instead revocation: String? = nil
    ) async throws -> StoredConnection {
        let (module, call) = try await call(provider, owner: owner, deadline: context.now + Self.patience)
        let missing = module.consent.missing(grant.access.scopes)
        let problem = module.consent.problem(missing)
        let now = context.now
        let connection = StoredConnection(
            ownerID: owner, provider: provider, module: module.descriptor.id, clientID: call.credentials["CLIENT_ID"]?.reveal() ?? "",
            account: account, scopes: grant.access.scopes,
            sealed: try GrantCodec.seal(grant, context.vault, context: StoredConnection.context(owner: owner, provider: provider)),
            generation: now.microseconds, expiresAt: grant.access.expiresAt, health: missing.isEmpty ? .ok : .missingScope,
            problem: problem, connectedAt: now, refreshedAt: now)
        let isKept = try await insisting { [context] tx in
            let isActive = try tx.lockOwner(owner)?.isActive ?? false
            // A commit before this one took hold although nobody could tell.
            let present = try tx.lockConnection(owner: owner, provider: provider)
            if present?.sealed == connection.sealed { return true }
            if let revocation { try tx.removeRevocation(revocation) }
            guard isActive else {
                try context.revoke(connection, tx)
                return false
            }
            // The grant of an account that another one takes the place of is of no use any more.
            if let present, present.account.id != account.id || present.clientID != connection.clientID { try context.revoke(present, tx) }
            try tx.save(connection)
            try tx.removeLostConnection(owner: owner, provider: provider)
            try tx.removeRevocations(clientID: connection.clientID, accountID: account.id)
            try context.audit("connection.connect", "\(owner)/\(provider)", tx)
            try context.announcer.tell(.connectionConnected, connection, tx)
            if problem != nil { try context.announcer.tell(.connectionNeedsAttention, connection, tx) }
            try tx.enqueue(followUps(of: .accountConnected(connection), now: now), now: now)
            try tx.resumeWaiting(for: connection, of: module, now: now)
            return true
        }
        guard isKept else { throw UsherError(.notFound, "No active owner is called '\(owner.prefix(80))'.") }
        return connection
    }

    /// Tries a write again where the database cannot be written: a service gives a grant once, and has ended the one before.
    private func insisting<Result: Sendable>(_ body: @escaping @Sendable (Tx) throws -> Result) async throws -> Result {
        for pause in Self.pauses {
            do { return try await context.store.write(body) } catch let error as DatabaseError
                where error.kind == .busy || error.kind == .unclear
            { await context.pause(pause) }
        }
        return try await context.store.write(body)
    }

    /// Ends a connection; existing bookings keep their links. Its grant is ended at the service as soon as that goes, by a job of the same
    /// commit: a process that dies in between leaves neither a connection that is dead nor a grant that lives.
    /// - Returns: whether there was one.
    @discardableResult
    package func disconnect(owner: String, provider: String) async throws -> Bool {
        try await context.store.write { tx in
            guard let present = try tx.lockConnection(owner: owner, provider: provider), try end(present, tx) else { return false }
            try tx.removeLostConnection(owner: owner, provider: provider)
            try context.revoke(present, tx)
            try context.audit("connection.disconnect", "\(owner)/\(provider)", tx)
            return true
        }
    }

    /// The user has removed the app at the service: the grants are dead, and erased here.
    /// - Parameters:
    ///   - before: a connection made later than this, by the whole seconds in which services tell, is another one, and stays.
    ///   - owner: whose connections alone are meant, where one is given.
    ///   - keepsData: whether what the service said of rooms of meetings that are over may stay.
    /// - Returns: how many were removed.
    package func deauthorized(
        clientID: String, accountID: String, before: Instant, owner: String? = nil, keepsData: Bool = true
    ) async throws -> Int {
        let now = context.now
        return try await context.store.write { tx in
            try tx.lockConnections(clientID: clientID, accountID: accountID)
                .filter { $0.connectedAt.seconds <= before.seconds && (owner == nil || $0.ownerID == owner) }
                .reduce(0) { count, connection in
                    guard try end(connection, tx) else { return count }
                    try tx.add(
                        LostConnection(
                            ownerID: connection.ownerID, provider: connection.provider, email: keepsData ? connection.account.email : "",
                            at: now))
                    if !keepsData { try tx.forgetEndedRooms(module: connection.module, host: connection.account.id, now: now) }
                    let subject = AlertSubject.connection(owner: connection.ownerID, provider: connection.provider)
                    try tx.enqueue(followUps(of: .ownerNeeded(subject), now: now), now: now)
                    return count + 1
                }
        }
    }

    private func end(_ connection: StoredConnection, _ tx: Tx) throws -> Bool {
        guard try tx.remove(connection) else { return false }
        try tx.removeCalendars(of: connection.ownerID, provider: connection.provider)
        try context.announcer.tell(.connectionRemoved, connection, tx)
        return true
    }
}
