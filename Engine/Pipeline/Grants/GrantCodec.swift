import UsherCore
import UsherStore
import UsherVault

/// A token, and the refresh token where there is one, as they are sealed for the database. Its names are those in the database.
struct SealedToken: Codable {
    private var access: String
    /// In microseconds.
    private var expires: Int64
    private var scopes: [String]?
    private var api: String?
    private var refresh: String?

    init(_ token: IssuedToken, refresh: Secret? = nil) {
        access = token.access.reveal()
        expires = token.expiresAt.microseconds
        scopes = token.scopes
        api = token.apiURL
        self.refresh = refresh?.reveal()
    }

    var token: IssuedToken {
        IssuedToken(access: Secret(access), expiresAt: Instant(microseconds: expires), scopes: scopes ?? [], apiURL: api)
    }

    var grant: Grant { Grant(access: token, refresh: refresh.map(Secret.init)) }
}

/// Grants as they lie in the database: sealed for their owner and provider.
package enum GrantCodec {
    static func seal(_ grant: Grant, _ vault: Vault, context: String) throws -> String {
        try vault.seal(value: SealedToken(grant.access, refresh: grant.refresh), context: context)
    }

    package static func open(_ sealed: String, _ vault: Vault, context: String) throws(UsherError) -> Grant {
        try vault.open(SealedToken.self, sealed, context: context).grant
    }
}

extension StoredConnection {
    var sealContext: String { Self.context(owner: ownerID, provider: provider) }
}
