import UsherCore
import UsherStore
import UsherVault

extension StoredApp {
    /// By the names that modules use: `CLIENT_ID`, `CLIENT_SECRET`, `WEBHOOK_SECRET`, `DEAUTH_SECRET`.
    func credentials(_ vault: Vault) throws(UsherError) -> [String: Secret] {
        let secrets = try vault.open([String: String?].self, sealed, context: Self.context(owner: ownerID, provider: provider))
        var credentials = secrets.compactMapValues { $0.map(Secret.init) }
        credentials["CLIENT_ID"] = Secret(clientID)
        return credentials
    }
}

extension StoredApp: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "App"
    /// Whose app it is; never a secret.
    package static let fields: [JSONField<StoredApp>] = [
        .init("provider", "The provider's name in meeting-types.yaml.") { $0.provider },
        .init("clientId", "As the service gave it.") { $0.clientID }, .init("createdAt", "When it was put here.") { $0.createdAt },
    ]
}
