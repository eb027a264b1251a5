import UsherCore
import UsherStore
import UsherVault

extension OwnerService {
    /// A one-time sign-in to the owner's page.
    package func portalLink(_ id: String, repeating key: IdempotencyKey? = nil) async throws -> IdempotentResult<PortalLink> {
        let owner = try await owner(id)
        guard owner.isActive else { throw UsherError(.notFound, "\(owner.owner.name) is not active any more.") }
        let token = context.environment.code(bits: 160)
        let now = context.now
        @Sendable func link(_ token: String, _ end: Instant) -> PortalLink {
            PortalLink(url: "\(context.settings.publicURL)/owners/signin/\(token)", expiresAt: end)
        }
        return IdempotentResult(
            try await context.store.write { tx in
                try context.idempotentSealed(
                    key, tx, now: now, replay: { (stored: StoredPortalLink) in link(stored.token, Instant(microseconds: stored.end)) }
                ) {
                    let end = now + Self.linkLifetime
                    try tx.addPortalLink(hash: Vault.hash(token.utf8), owner: id, expiresAt: end, now: now)
                    try context.audit("owner.portal-link", id, tx)
                    return (link(token, end), StoredPortalLink(token: token, end: end.microseconds))
                }
            })
    }

    /// What a repeated call answers from.
    private struct StoredPortalLink: Codable {
        var token: String
        /// In microseconds.
        var end: Int64
    }

    /// A link that signs in once.
    package struct PortalLink: Sendable {
        /// Its address.
        package var url: String
        /// When it ends, used or not.
        package var expiresAt: Instant
    }

    /// Whose link this is; opening it uses nothing up, because mail scanners open links.
    package func portalLinkOwner(_ token: String) async throws -> StoredOwner? {
        let now = context.now
        return try await context.store.read { tx in
            try tx.portalLinkOwner(hash: Vault.hash(token.utf8), now: now).flatMap { try tx.owner($0) }
        }
    }

    /// Uses a link up, and opens a session.
    /// - Returns: the session's secret; `nil` when the link is unknown, used or too old.
    package func signIn(_ token: String) async throws -> Secret? {
        let (secret, now) = (context.environment.code(bits: 160), context.now)
        let isIn = try await context.store.write { tx in
            let hash = Vault.hash(token.utf8)
            guard let owner = try tx.portalLinkOwner(hash: hash, now: now), try tx.lockOwner(owner)?.isActive == true,
                try tx.usePortalLink(hash: hash, now: now) == owner
            else { return false }
            try addSession(secret, of: owner, tx, now: now)
            return true
        }
        return isIn ? Secret(secret) : nil
    }

    /// Opens a session of an owner who has proved elsewhere who they are.
    func openSession(of owner: String) async throws -> Secret {
        let (secret, now) = (context.environment.code(bits: 160), context.now)
        try await context.store.write { tx in
            guard try tx.lockOwner(owner)?.isActive == true else { throw UsherError(.notFound, "This owner is not active any more.") }
            try addSession(secret, of: owner, tx, now: now)
        }
        return Secret(secret)
    }

    private func addSession(_ secret: String, of owner: String, _ tx: Tx, now: Instant) throws {
        try tx.addSession(hash: Vault.hash(secret.utf8), owner: owner, expiresAt: now + Self.sessionLifetime, now: now)
        try context.audit("owner.sign-in", owner, by: "owner:\(owner)", tx)
    }

    /// Whose session this is; it ends when nobody has used it for ``sessionLifetime``.
    package func session(_ secret: Secret) async throws -> StoredOwner? {
        let now = context.now
        let hash = Vault.hash(secret.reveal().utf8)
        let owner = try await context.store.read { tx in try tx.sessionOwner(hash: hash, now: now).flatMap { try tx.owner($0) } }
        if owner != nil { try await extend(hash, now) }
        return owner
    }

    /// The end moves on no more often than this.
    private static let sessionPrecision = Duration.minutes(5)

    private func extend(_ hash: String, _ now: Instant) async throws {
        let (end, limit) = (now + Self.sessionLifetime, now + Self.sessionLifetime - Self.sessionPrecision)
        guard try await context.store.read({ try $0.sessionOwner(hash: hash, now: limit) }) == nil else { return }
        try await context.store.write { try $0.extendSession(hash: hash, to: end, unlessAfter: limit) }
    }

    /// Ends all sessions of an owner.
    package func signOutEverywhere(_ owner: String) async throws {
        try await context.store.write { tx in
            try tx.removeSessions(of: owner)
            try context.audit("owner.sign-out-everywhere", owner, tx)
        }
    }

    /// Ends a session.
    package func signOut(_ secret: Secret) async throws {
        try await context.store.write { try $0.removeSession(hash: Vault.hash(secret.reveal().utf8)) }
    }

    /// What a form of this session must carry, so that no other site can press its buttons.
    package func formKey(_ secret: Secret) -> String { context.vault.sign(Vault.hash(secret.reveal().utf8), purpose: "form") }
    /// Whether a form's key belongs to a session; compared in constant time.
    package func isFormKey(_ key: String, of secret: Secret) -> Bool {
        context.vault.verify(key, of: Vault.hash(secret.reveal().utf8), purpose: "form")
    }

    /// Has a sign-in link mailed to the active owner of that address, at most once a minute. It says nothing of whether there is one.
    package func mailSignInLink(to email: String) async throws {
        guard let address = asciiMailAddress(email)?.lowercased(), address.utf8.count <= Limits.mailAddress else { return }
        let now = context.now
        try await context.store.write { try $0.enqueue(followUps(of: .signInAsked(address: address), now: now), now: now) }
    }
}
