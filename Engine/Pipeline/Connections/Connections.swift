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
    /// So many upcoming bookings are put on a calendar that is connected anew.
    private static let calendarLimit = 1_000

    package init(_ context: EngineContext) { self.context = context }

    /// The module of a provider that owners connect.
    /// - Throws: ``ErrorCode/notFound`` when there is no such provider, ``ErrorCode/validationFailed`` when owners connect nothing there.
    package func module(_ provider: String) throws(UsherError) -> any ConnectableProvider.Type {
        guard let entry = context.catalog.current.provider(provider) else {
            let near = nearest(provider, context.catalog.current.providers.map(\.name)).map { " Did you mean '\($0)'?" } ?? ""
            throw UsherError(.notFound, "No provider is called '\(provider.prefix(80))'.\(near)")
        }
        guard let module = context.registry.module(entry.module) as? any ConnectableProvider.Type else {
            throw UsherError(.validationFailed, "Nobody connects an account to '\(provider)': it works without.")
        }
        return module
    }

    /// The module, and a call with the credentials of the owner's app: their organisation's own, or the site's.
    func call(_ provider: String, owner: String, deadline: Instant) async throws -> (any ConnectableProvider.Type, ProviderContext) {
        let module = try module(provider)
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
            problem: problem,
            connectedAt: now, refreshedAt: now)
        let isKept = try await insisting { [context] tx in
            // A commit before this one took hold although nobody could tell.
            if try tx.connection(owner: owner, provider: provider)?.sealed == connection.sealed { return true }
            if let revocation { try tx.removeRevocation(revocation) }
            guard let stored = try tx.owner(owner), stored.isActive else {
                try context.revoke(connection, tx)
                return false
            }
            // The grant of an account that another one takes the place of is of no use any more.
            if let present = try tx.connection(owner: owner, provider: provider),
                present.account.id != account.id || present.clientID != connection.clientID
            {
                try context.revoke(present, tx)
            }
            try tx.save(connection)
            try tx.removeLostConnection(owner: owner, provider: provider)
            try tx.removeRevocations(clientID: connection.clientID, accountID: account.id)
            try context.audit("connection.connect", "\(owner)/\(provider)", tx)
            try context.announcer.tell(.connectionConnected, connection, tx)
            if problem != nil { try context.announcer.tell(.connectionNeedsAttention, connection, tx) }
            try tx.enqueue(
                kind: KeepAliveStep.kind, subject: KeepAliveStep.subject(owner: owner, provider: provider),
                due: now + KeepAliveStep.interval)
            try tx.enqueue(
                kind: SweepStep.kind, subject: SweepStep.subject(provider: provider, owner: owner, host: account.id),
                due: now + SweepStep.interval)
            try Self.resume(connection, tx, now: now)
            guard module is any CalendarProvider.Type else { return true }
            for booking in try tx.bookings(after: (now, ""), until: .never, owner: owner, status: nil, limit: Self.calendarLimit)
            where booking.terms.type.calendar {
                try CalendarStep.enqueue(booking, tx, due: now)
            }
            return true
        }
        guard isKept else { throw UsherError(.notFound, "No active owner is called '\(owner.prefix(80))'.") }
        return connection
    }

    /// The grant lives: what was told of a dead one is over, and what waited goes on at once.
    static func resume(_ connection: StoredConnection, _ tx: Tx, now: Instant) throws {
        let (owner, provider) = (connection.ownerID, connection.provider)
        try tx.removeNotice(NoticeStep.Subject.connection(owner: owner, provider: provider).text)
        for id in try tx.bookingsStalled(owner: owner, provider: provider, now: now) {
            for var room in try tx.rooms(of: id) where room.provider == provider && (room.state == .absent || room.failures > 0) {
                (room.notBefore, room.failures) = (Instant(microseconds: 0), 0)
                if room.state == .live { room.checkAt = now }
                try tx.save(room)
            }
            if let booking = try tx.booking(id) { try ProvisionStep.enqueue(booking, tx, due: now) }
        }
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

    /// Ends a connection; existing bookings keep their links. Its grant is ended at the service as soon as that goes, by a step of the same
    /// commit: a process that dies in between leaves neither a connection that is dead nor a grant that lives.
    /// - Returns: whether there was one.
    @discardableResult
    package func disconnect(owner: String, provider: String) async throws -> Bool {
        try await context.store.write { tx in
            guard let present = try tx.connection(owner: owner, provider: provider), try end(present, tx) else { return false }
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
    /// - Returns: how many were removed.
    package func deauthorized(clientID: String, accountID: String, before: Instant, owner: String? = nil) async throws -> Int {
        let now = context.now
        return try await context.store.write { tx in
            try tx.connections(clientID: clientID, accountID: accountID)
                .filter { $0.connectedAt.seconds <= before.seconds && (owner == nil || $0.ownerID == owner) }
                .reduce(0) { count, connection in
                    guard try end(connection, tx) else { return count }
                    try tx.add(
                        LostConnection(
                            ownerID: connection.ownerID, provider: connection.provider, email: connection.account.email, at: now))
                    try NoticeStep.enqueue(.connection(owner: connection.ownerID, provider: connection.provider), tx, now: now)
                    return count + 1
                }
        }
    }

    private func end(_ connection: StoredConnection, _ tx: Tx) throws -> Bool {
        guard try tx.remove(connection) else { return false }
        try context.announcer.tell(.connectionRemoved, connection, tx)
        return true
    }
}

extension ConsentDescriptor {
    /// What a connection lacks, and who mends it; `nil` where it lacks nothing.
    func problem(_ missing: [Ability]) -> Problem? {
        guard !missing.isEmpty else { return nil }
        return Problem(
            .missingScope, "The \(name) app cannot \(missing.map(\.name).joined(separator: ", nor ")).",
            remedy: "The admin adds the scopes \(missing.compactMap(\.scopes.first).joined(separator: " ")) to the app; then connect again."
        )
    }
}

/// Renews a grant that nobody has used for a while, before it lapses.
struct KeepAliveStep: Step {
    static let kind = "keepalive"
    /// Services end grants that sleep for some months. Source: https://developers.zoom.us/docs/integrations/oauth/
    static let interval = Duration.days(30)

    private let context: EngineContext
    init(_ context: EngineContext) { self.context = context }

    static func subject(owner: String, provider: String) -> String { "\(owner) \(provider)" }

    /// Whether the token came out of a renewal since `before`.
    private func isFresh(_ before: StoredConnection, _ token: IssuedToken) -> Bool {
        (try? GrantCodec.open(before.sealed, context.vault, context: before.sealContext))?.access.access != token.access
    }

    func prepare(_ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        let parts = claim.subject.split(separator: " ").map(String.init)
        guard parts.count == 2, let connection = try step.tx.connection(owner: parts[0], provider: parts[1]) else {
            try step.tx.finish(claim)
            return nil
        }
        let due = connection.refreshedAt + Self.interval
        guard due <= step.now, connection.health != .reauthorize else {
            try step.tx.release(claim, due: max(due, step.now + .days(1)), attempt: 0)
            return nil
        }
        let deadline = step.deadline
        return Effect(provider: connection.provider) { [context] in
            do throws(ProviderError) {
                let call = try await ProviderResolver(context).call(connection.provider, owner: connection.ownerID, deadline: deadline).call
                // Renewed by another just now, or because its token had run out: once is enough.
                if let present = call.connection, try await !isFresh(connection, present.access(rejected: nil)) {
                    _ = try await present.access(rejected: present.access(rejected: nil))
                }
            } catch {
                context.logger.warning(
                    "a sleeping connection could not be renewed", metadata: ["step": "\(claim.subject)", "reason": "\(error.message)"])
                return { step in .rest(until: step.now + .days(1)) }
            }
            return { step in .sleep(until: step.now + .days(1)) }
        }
    }
}
