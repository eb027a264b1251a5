import UsherCore
import UsherStore

extension EngineContext {
    /// Writes webhooks' events.
    var announcer: Announcer { Announcer(environment: environment, vault: vault) }

    /// Writes down what is done in this transaction.
    /// - Parameter actor: who does it, where that is known only now.
    package func audit(_ action: String, _ subject: String, by actor: String? = nil, _ tx: Tx) throws {
        try tx.audit(action, subject, by: actor, id: environment.id("au_"), at: now)
    }
}
