import Logging
import UsherCore
import UsherStore
import UsherVault

/// Ends a grant that is of no use any more at its service: tried for a day, and then said on the owner's page.
struct RevokeGrant {
    private static let patience = Duration.days(1)
    /// A service that may revoke by a living access token alone is asked for one first, within the same time.
    private static let policy = RetryPolicy(first: .seconds(10), longest: .hours(1))

    private let context: EngineContext
    init(_ context: EngineContext) { self.context = context }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let revocation = try step.tx.revocation(id), !revocation.isGivenUp else { return try step.finish(claim) }
        // A service may end every grant of an account at once: not where somebody is connected through it.
        let isUnknown = revocation.accountID.isEmpty
        let ofOwner = isUnknown ? try step.tx.connection(owner: revocation.ownerID, provider: revocation.provider) : nil
        guard try ofOwner == nil && step.tx.connections(clientID: revocation.clientID, accountID: revocation.accountID).isEmpty else {
            try step.tx.removeRevocation(revocation.id)
            return try step.finish(claim)
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

    private static func revoke(_ revocation: StoredRevocation, _ context: EngineContext, deadline: Instant) async throws {
        let module = try context.connectableModule(revocation.provider)
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
