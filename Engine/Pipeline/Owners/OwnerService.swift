import Foundation
import UsherCore
import UsherStore
import UsherVault

/// Where owners are made and changed, and let in to their own page.
package struct OwnerService: Sendable {
    let context: EngineContext

    /// How long a link of a mail signs in.
    package static let linkLifetime = Duration.minutes(15)
    /// How long a session lasts that nobody uses.
    package static let sessionLifetime = Duration.hours(12)
    /// A browser keeps a session's cookie for so long at most.
    package static let longestSession = Duration.days(30)

    /// Works on the database of `context`.
    package init(_ context: EngineContext) { self.context = context }

    /// The owner of that id.
    /// - Throws: ``ErrorCode/notFound``.
    package func owner(_ id: String) async throws -> StoredOwner {
        guard let owner = try await context.store.read({ [catalog = context.catalog.current] in try $0.owner(id, in: catalog) }) else {
            throw Self.notFound(id)
        }
        return owner
    }

    /// The owner's connected accounts, and own apps.
    package func accounts(of id: String) async throws -> OwnerAccounts { try await context.store.read { try context.accounts(of: id, $0) } }

    /// Every owner, those of the file first.
    package func list() async throws -> [StoredOwner] {
        try await context.store.read { [catalog = context.catalog.current] in try $0.owners(in: catalog) }
    }

    /// Makes or changes an owner who does not stand in the file.
    /// - Parameter known: what is wrong with the form already.
    /// - Throws: ``ErrorCode/validationFailed`` with every finding, ``ErrorCode/ownerInFile``.
    package func put(_ owner: Owner, known findings: [UsherError.Finding] = []) async throws -> StoredOwner {
        var owner = owner
        owner.email = asciiMailAddress(owner.email) ?? owner.email
        owner.language = Language.normalized(owner.language) ?? owner.language
        let kept = owner
        let findings = findings + check(owner).filter { finding in !findings.contains { $0.pointer == finding.pointer } }
        guard findings.isEmpty else { throw UsherError(.validationFailed, "The owner cannot be kept as written.", findings: findings) }
        return try await context.store.write { tx in
            try refuseFile(try tx.owner(kept.id))
            try tx.put(kept)
            try context.audit("owner.put", kept.id, tx)
            guard let stored = try tx.owner(kept.id) else { throw Self.notFound(kept.id) }
            return stored
        }
    }

    /// An owner who is taken out takes no new bookings, and is let in nowhere; bookings that are made stay.
    package func remove(_ id: String) async throws {
        try await context.store.write { tx in
            guard let stored = try tx.owner(id), stored.isActive else { throw Self.notFound(id) }
            try refuseFile(stored)
            try context.removeOwner(id, tx)
        }
    }

    /// Sets the owner's own choice, which the file does not overrule; `nil` clears it.
    package func setDefault(_ provider: String?, of id: String) async throws -> StoredOwner {
        let names = context.catalog.current.providers.map(\.name)
        if let provider, !names.contains(provider) {
            let near = nearest(provider, names).map { " Did you mean '\($0)'?" } ?? " There are: \(names.joined(separator: ", "))."
            throw UsherError(
                .validationFailed, "No provider is called '\(provider.prefix(80))'.\(near)",
                findings: [.init("/provider", "must be one of: \(names.joined(separator: ", "))")])
        }
        return try await context.store.write { tx in
            guard try tx.owner(id) != nil else { throw Self.notFound(id) }
            try tx.setDefaultProvider(provider, owner: id)
            try context.audit("owner.default-provider", id, tx)
            guard let stored = try tx.owner(id) else { throw Self.notFound(id) }
            return stored
        }
    }

    private func refuseFile(_ stored: StoredOwner?) throws(UsherError) {
        if let stored, stored.isInFile {
            throw UsherError(.ownerInFile, "\(stored.owner.name) stands in meeting-types.yaml: change them there.")
        }
    }

    private func check(_ owner: Owner) -> [UsherError.Finding] {
        var findings: [UsherError.Finding] = []
        if owner.id.wholeMatch(of: /[a-z0-9][a-z0-9-]{0,63}/) == nil {
            findings.append(.init("/id", "small letters, digits and hyphens, at most 64, beginning with a letter or digit"))
        }
        if owner.name.trimmingBlanks.isEmpty || owner.name.unicodeScalars.count > Limits.name
            || owner.name.unicodeScalars.contains(where: \.isControl)
        {
            findings.append(.init("/name", "one line of 1 to \(Limits.name) characters"))
        }
        if !isMailAddress(owner.email) { findings.append(.init("/email", "'\(owner.email.prefix(80))' is not a mail address")) }
        if TimeZone(iana: owner.timeZone) == nil {
            findings.append(
                .init("/timeZone", "'\(owner.timeZone.prefix(80))' is not a time zone; write an IANA name such as Europe/Berlin"))
        }
        if Language.normalized(owner.language) == nil { findings.append(.init("/language", Language.choices)) }
        return findings
    }

    private static func notFound(_ id: String) -> UsherError { UsherError(.notFound, "No owner is called '\(id.prefix(80))'.") }
}

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
                try context.once(
                    key, tx, now: now,
                    again: { text in
                        let left = try JSON(parsing: text)
                        return link(left["token"]?.string ?? "", Instant(microseconds: left["end"]?.int ?? 0))
                    }
                ) {
                    let end = now + Self.linkLifetime
                    try tx.addPortalLink(hash: Vault.hash(token.utf8), owner: id, expiresAt: end, now: now)
                    try context.audit("owner.portal-link", id, tx)
                    let left: JSON = ["token": .string(token), "end": .int(end.microseconds)]
                    return (link(token, end), .secret(left.serialized))
                }
            })
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
        let secret = context.environment.code(bits: 160)
        let now = context.now
        let isIn = try await context.store.write { tx in
            guard let owner = try tx.usePortalLink(hash: Vault.hash(token.utf8), now: now) else { return false }
            try tx.addSession(hash: Vault.hash(secret.utf8), owner: owner, expiresAt: now + Self.sessionLifetime, now: now)
            try context.audit("owner.sign-in", owner, by: "owner:\(owner)", tx)
            return true
        }
        return isIn ? Secret(secret) : nil
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

    /// What a form of this session must bear, so that no other site can press its buttons.
    package func formKey(_ secret: Secret) -> String { context.vault.sign(Vault.hash(secret.reveal().utf8), purpose: "form") }
    /// Whether a form's key belongs to a session; compared in constant time.
    package func isFormKey(_ key: String, of secret: Secret) -> Bool {
        context.vault.verify(key, of: Vault.hash(secret.reveal().utf8), purpose: "form")
    }
}

extension StoredOwner {
    /// As the API shows an owner.
    package var json: JSON {
        [
            "id": .string(owner.id), "name": .string(owner.name), "email": .string(owner.email), "timeZone": .string(owner.timeZone),
            "language": .string(owner.language), "defaultProvider": JSON(owner.defaultProvider), "inFile": .bool(isInFile),
            "active": .bool(isActive),
        ]
    }
}

extension StoredConnection {
    /// As the API shows a connection: never a token.
    package var json: JSON {
        [
            "provider": .string(provider), "module": .string(module),
            "account": ["id": .string(account.id), "email": .string(account.email), "name": .string(account.name)],
            "scopes": .array(scopes.map(JSON.string)), "health": .string(health.rawValue), "problem": problem?.json ?? .null,
            "connectedAt": .string(connectedAt.rfc3339),
        ]
    }
}
