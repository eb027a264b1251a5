import UsherCore
import UsherStore
import UsherVault

extension EngineContext {
    /// Writes webhooks' events.
    var announcer: Announcer { Announcer(environment: environment, vault: vault) }

    /// Writes down what is done in this transaction.
    /// - Parameter actor: who does it, where that is known only now.
    package func audit(_ action: String, _ subject: String, by actor: String? = nil, _ tx: Tx) throws {
        try tx.audit(action, subject, by: actor, id: environment.id("au_"), at: now)
    }

    /// Counts what was refused to somebody at an address, in one row for each hour and outcome.
    package func auditRefusals(_ count: Int64, _ action: String, outcome: String, to actor: Actor) async throws {
        let hour = now.microseconds / Duration.hours(1).microseconds
        // Equal ones have one id, which tells nobody whose it is.
        let name = Vault.hash([action, outcome, actor.name, actor.address].joined(separator: " ").utf8)
        let entry = AuditEntry(
            id: "au_\(hour)_\(name)", at: Instant(microseconds: hour * Duration.hours(1).microseconds), actor: actor, action: action,
            subject: "", outcome: outcome, count: count)
        try await store.write { try $0.audit(entry) }
    }
}
