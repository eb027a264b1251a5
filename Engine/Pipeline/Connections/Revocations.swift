import Logging
import UsherCore
import UsherStore
import UsherVault

/// Ends a grant that is of no use any more at its service: tried for a day, and then said on the owner's page.
struct RevokeStep: Step {
    static let kind = "revoke"
    private static let patience = Duration.days(1)
    /// A service that may revoke by a living access token alone is asked for one first, within the same time.
    private static let policy = RetryPolicy(first: .seconds(10), longest: .hours(1))

    private let context: EngineContext
    init(_ context: EngineContext) { self.context = context }

    func prepare(_ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let revocation = try step.tx.revocation(claim.subject), !revocation.isGivenUp else { return try end(claim, step) }
        // A service may end every grant of an account at once: not where somebody is connected through it.
        let isUnknown = revocation.accountID.isEmpty
        let ofOwner = isUnknown ? try step.tx.connection(owner: revocation.ownerID, provider: revocation.provider) : nil
        guard try ofOwner == nil && step.tx.connections(clientID: revocation.clientID, accountID: revocation.accountID).isEmpty else {
            try step.tx.removeRevocation(revocation.id)
            return try end(claim, step)
        }
        let deadline = step.deadline
        return Effect(provider: revocation.provider) { [context] in
            do {
                try await Self.revoke(revocation, context, deadline: deadline)
                return { step in
                    try step.tx.removeRevocation(revocation.id)
                    return .lookAgain
                }
            } catch {
                let reason = (error as? ProviderError)?.message ?? "\(error)"
                context.logger.warning(
                    "a grant of no use could not be ended at the service",
                    metadata: ["owner": "\(revocation.ownerID)", "provider": "\(revocation.provider)", "reason": "\(reason)"])
                return { step in
                    let again = step.now + Self.policy.delay(afterFailures: claim.attempt + 1, step.context.environment)
                    if again < revocation.since + Self.patience { return .rest(until: again) }
                    try step.tx.giveUpRevocation(revocation.id)
                    return .lookAgain
                }
            }
        }
    }

    private func end(_ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        try step.tx.finish(claim)
        return nil
    }

    private static func revoke(_ revocation: StoredRevocation, _ context: EngineContext, deadline: Instant) async throws {
        let module = try Connections(context).module(revocation.provider)
        let app =
            revocation.app.isEmpty
            ? nil
            : StoredApp(
                ownerID: revocation.ownerID, provider: revocation.provider, clientID: revocation.clientID, sealed: revocation.app,
                createdAt: revocation.since)
        let call = try ProviderResolver(context).call(revocation.provider, app: app, deadline: deadline).call
        guard call.credentials["CLIENT_ID"]?.reveal() ?? "" == revocation.clientID else {
            throw ProviderError(
                .configuration, retry: .never, "The app that the permission was given to is not here any more.",
                remedy: "Remove the app at the service, in the account's settings for connected apps.")
        }
        let place = StoredConnection.context(owner: revocation.ownerID, provider: revocation.provider)
        var grant = try GrantCodec.open(revocation.sealed, context.vault, context: place)
        if grant.access.expiresAt <= context.now + .seconds(60) {
            do throws(ProviderError) { grant = try await module.refresh(grant, call) } catch {
                // A grant that is dead has ended.
                if error.code == .reauthorize { return }
                throw error
            }
            // The pair before it may be dead from now on: another try needs this one.
            let renewed = try GrantCodec.seal(grant, context.vault, context: place)
            try await context.store.write { try $0.renew(revocation.id, sealed: renewed) }
        }
        try await module.revoke(grant, call)
    }
}

extension EngineContext {
    /// Has a grant ended at its service, from `due` on.
    func revoke(_ revocation: StoredRevocation, due: Instant, _ tx: Tx) throws {
        try tx.add(revocation)
        try tx.enqueue(kind: RevokeStep.kind, subject: revocation.id, due: due, service: revocation.provider)
    }

    /// Has the grant of a connection ended, that ends here in this transaction.
    func revoke(_ connection: StoredConnection, _ tx: Tx) throws {
        let app = try tx.apps(of: connection.ownerID).first { $0.provider == connection.provider && $0.clientID == connection.clientID }
        try revoke(
            StoredRevocation(
                id: environment.id("rv_"), ownerID: connection.ownerID, provider: connection.provider, clientID: connection.clientID,
                accountID: connection.account.id, email: connection.account.email, sealed: connection.sealed, app: app?.sealed ?? "",
                since: now), due: now, tx)
    }

    /// Takes an owner out: bookings stay; sessions, links, connections and apps end in this transaction, and each grant is ended at its
    /// service. One made anew under the id begins with nothing.
    package func removeOwner(_ id: String, _ tx: Tx) throws {
        try tx.removeAccess(of: id)
        for connection in try tx.connections(of: id) {
            try revoke(connection, tx)
            if try tx.remove(connection) { try announcer.tell(.connectionRemoved, connection, tx) }
        }
        try tx.leaveRevocations(toFormer: id)
        try tx.removeApps(of: id)
        try tx.removeLostConnections(of: id)
        try tx.deactivateOwner(id)
        try audit("owner.remove", id, tx)
    }

    /// Writes down what is done in this transaction.
    /// - Parameter actor: who does it, where that is known only now.
    package func audit(_ action: String, _ subject: String, by actor: String? = nil, _ tx: Tx) throws {
        try tx.audit(action, subject, by: actor, id: environment.id("au_"), at: now)
    }

    /// Makes the owners of a file those of the database; who has left it is removed.
    package func follow(_ owners: [Owner], _ tx: Tx) throws { try tx.follow(owners) { try removeOwner($0, tx) } }
}
