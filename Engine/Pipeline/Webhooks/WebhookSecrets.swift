import UsherCore
import UsherStore
import UsherVault

extension StoredWebhook {
    /// What signs now: the newest secret, and for a day the one before.
    func secrets(_ vault: Vault, now: Instant) throws(UsherError) -> [Secret] {
        let place = Self.context(id)
        var secrets = [Secret(try vault.open(sealed, context: place))]
        if !former.isEmpty, now < formerUntil { secrets.append(Secret(try vault.open(former, context: place))) }
        return secrets
    }
}
