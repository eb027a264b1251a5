import UsherCore
import UsherStore

/// What an owner brings along at providers: connected accounts, and their organisation's own apps.
package struct OwnerAccounts: Sendable {
    /// One for each provider at most.
    package var connections: [StoredConnection] = []
    /// The apps of the owner's organisation, one for each provider at most.
    package var apps: [StoredApp] = []
    /// Ended at the service, and not made again.
    package var lost: [LostConnection] = []
    /// Grants that are to be ended at their service, or could not be.
    package var revocations: [StoredRevocation] = []

    /// Of an owner who has connected nothing.
    package static let none = OwnerAccounts()

    /// The connection at a provider.
    package func connection(_ provider: String) -> StoredConnection? { connections.first { $0.provider == provider } }
    /// The organisation's own app for a provider.
    package func app(_ provider: String) -> StoredApp? { apps.first { $0.provider == provider } }
}

extension EngineContext {
    /// The client id of the site's own app at a provider.
    func siteClientID(_ entry: ProviderEntry) -> String? { settings.variables["\(registry.prefix(entry))_CLIENT_ID"]?.reveal() }

    /// An owner's accounts; not even looked for where no provider of the catalogue is one that owners connect.
    package func accounts(of owner: String, _ tx: Tx) throws -> OwnerAccounts {
        guard catalog.current.providers.contains(where: { registry.descriptor($0.module)?.connection == .owner }) else { return .none }
        return OwnerAccounts(
            connections: try tx.connections(of: owner), apps: try tx.apps(of: owner), lost: try tx.lostConnections(of: owner),
            revocations: try tx.revocations(of: owner))
    }
}
