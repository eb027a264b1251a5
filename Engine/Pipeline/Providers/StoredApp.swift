import UsherCore
import UsherStore
import UsherVault

extension StoredApp {
    /// By the names that modules use: `CLIENT_ID`, `CLIENT_SECRET`, `WEBHOOK_SECRET`, `DEAUTH_SECRET`.
    func credentials(_ vault: Vault) throws(UsherError) -> [String: Secret] {
        let text = try vault.open(sealed, context: Self.context(owner: ownerID, provider: provider))
        guard let members = (try? JSON(parsing: text))?.members else {
            throw UsherError(.internalError, "A stored app cannot be read.")
        }
        var credentials = ["CLIENT_ID": Secret(clientID)]
        for member in members { if let value = member.value.string { credentials[member.key] = Secret(value) } }
        return credentials
    }

    /// As the API shows it: never a secret.
    package var json: JSON {
        ["provider": .string(provider), "clientId": .string(clientID), "createdAt": .string(createdAt.rfc3339)]
    }
}
