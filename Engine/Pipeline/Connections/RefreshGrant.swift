import Logging
import UsherCore
import UsherStore

/// Renews a grant that nobody has used for a while, before it lapses.
struct RefreshGrant {
    private let context: EngineContext
    init(_ context: EngineContext) { self.context = context }

    /// Whether the token came out of a renewal since `before`.
    private func isFresh(_ before: StoredConnection, _ token: IssuedToken) -> Bool {
        (try? GrantCodec.open(before.sealed, context.vault, context: before.sealContext))?.access.access != token.access
    }

    func prepare(owner: String, provider: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let connection = try step.tx.connection(owner: owner, provider: provider) else { return try step.finish(claim) }
        let due = connection.refreshedAt + refreshInterval
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
                    "a sleeping connection could not be renewed", metadata: ["job": "\(claim.id)", "reason": "\(error.message)"])
                return { step in .rest(until: step.now + .days(1)) }
            }
            return { step in .sleep(until: step.now + .days(1)) }
        }
    }
}
