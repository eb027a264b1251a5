import UsherCore
import UsherStore
import UsherVault

/// Grants as they lie in the database: sealed for their owner and provider.
package enum GrantCodec {
    static func seal(_ grant: Grant, _ vault: Vault, context: String) throws -> String {
        let value: JSON = [
            "access": .string(grant.access.access.reveal()), "expires": .int(grant.access.expiresAt.microseconds),
            "scopes": .array(grant.access.scopes.map(JSON.string)), "api": JSON(grant.access.apiURL),
            "refresh": JSON(grant.refresh?.reveal()),
        ]
        return try vault.seal(value.serialized, context: context)
    }

    package static func open(_ sealed: String, _ vault: Vault, context: String) throws(UsherError) -> Grant {
        let text = try vault.open(sealed, context: context)
        guard let value = try? JSON(parsing: text), let access = value["access"]?.string, let expires = value["expires"]?.int else {
            throw UsherError(.internalError, "A stored grant cannot be read.")
        }
        return Grant(
            access: IssuedToken(
                access: Secret(access), expiresAt: Instant(microseconds: expires),
                scopes: value["scopes"]?.array?.compactMap(\.string) ?? [], apiURL: value["api"]?.string),
            refresh: value["refresh"]?.string.map(Secret.init))
    }
}

extension StoredConnection {
    var sealContext: String { Self.context(owner: ownerID, provider: provider) }
}
