import Hummingbird
import Logging
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

/// An admin who has signed in, with a key or as a person at the OpenID provider. A key's session ends with the key, or when nobody has
/// used it for twelve hours. A person's is looked up at the provider again after an hour, so that who has left there leaves here, too.
struct AdminSession: Sendable {
    private let context: EngineContext
    private let adminKey: Secret?
    private let authenticator: Authenticator

    private let cookie: SessionCookie
    private static let lifetime = Duration.hours(12)
    /// A browser keeps the cookie for so long at most.
    private static let longest = Duration.days(30)
    /// The end moves on no more often than this.
    private static let precision = Duration.minutes(5)
    /// For so long the provider's word on a person holds.
    private static let trust = Duration.hours(1)

    /// Who has signed in.
    struct Visitor: Sendable {
        var secret: Secret
        /// The key's id, a name for the configuration's key, or for a person.
        var holder: String
        /// For the audit.
        var name: String
        var role: AdminRole
        /// Whether the provider is to be asked again who it is.
        var isStale = false
    }

    init(_ context: EngineContext, adminKey: Secret?, _ authenticator: Authenticator) {
        self.context = context
        self.adminKey = adminKey
        self.authenticator = authenticator
        cookie = SessionCookie(SessionCookie.admin, context.settings.publicURL)
    }

    /// - Returns: what the browser is to keep; `nil` for a key that is not valid or no admin's.
    /// - Throws: ``ErrorCode/rateLimited``.
    func signIn(_ key: Secret) async throws -> Cookie? {
        guard let caller = try await authenticator.holder(of: key, "admin.sign-in"), caller.standing?.isAllowed ?? true else {
            return nil
        }
        guard caller.may(.admin) else {
            try await context.auditRefusal("admin.sign-in", outcome: ErrorCode.authForbidden.rawValue)
            return nil
        }
        let holder = caller.id == "admin" ? configured : caller.id
        return try await open(
            StoredAdminSession(holder: holder, expiresAt: context.now + Self.lifetime), by: caller.id, subject: caller.id)
    }

    /// - Returns: what the browser is to keep.
    func signIn(_ person: Identity, as role: AdminRole) async throws -> Cookie {
        let now = context.now
        let sealed = try context.vault.seal(
            value: KnownPerson(
                issuer: context.settings.openID?.issuer ?? "", identity: person, until: (now + Self.trust).microseconds),
            context: StoredAdminSession.context)
        return try await open(
            StoredAdminSession(holder: Identity.holder(person.label), person: sealed, expiresAt: now + Self.lifetime), by: person.label,
            subject: role.rawValue)
    }

    private func open(_ session: StoredAdminSession, by name: String, subject: String) async throws -> Cookie {
        let (secret, now) = (context.environment.code(bits: 160), context.now)
        try await Actor.acting("admin:\(name)") {
            try await context.store.write { [context] tx in
                try tx.addAdminSession(session, hash: Vault.hash(secret.utf8), now: now)
                try context.audit("admin.sign-in", subject, tx)
            }
        }
        return cookie.setting(Secret(secret), for: Self.longest)
    }

    /// What is kept of a person.
    private struct KnownPerson: Codable {
        var issuer: String
        var identity: Identity
        /// In microseconds.
        var until: Int64
    }

    /// Who makes a request, where it carries the cookie of a session that holds. What a page asks for by itself, while nobody is at it,
    /// makes the session no longer.
    func visitor(_ request: Request) async throws -> Visitor? {
        guard let secret = cookie.value(in: request) else { return nil }
        let (now, hash) = (context.now, Vault.hash(secret.reveal().utf8))
        guard let session = try await context.store.read({ try $0.adminSession(hash: hash, now: now) }) else { return nil }
        if !session.person.isEmpty { return person(session, secret, now) }
        guard try await isKeyValid(session.holder, now) else { return nil }
        let limit = now + Self.lifetime - Self.precision
        if session.expiresAt <= limit, !LiveEvents.isAsked(by: request) {
            try await context.store.write { try $0.extendAdminSession(hash: hash, to: now + Self.lifetime, unlessAfter: limit) }
        }
        return Visitor(
            secret: secret, holder: session.holder, name: session.holder == configured ? "admin" : session.holder, role: .admin)
    }

    private func isKeyValid(_ holder: String, _ now: Instant) async throws -> Bool {
        if holder == configured { return true }
        return try await context.store.read { tx in
            try tx.keys().contains { $0.id == holder && $0.expiresAt > now && $0.scopes.contains(.admin) }
        }
    }

    /// By the configuration's provider and roles as they are now.
    private func person(_ session: StoredAdminSession, _ secret: Secret, _ now: Instant) -> Visitor? {
        let known: KnownPerson
        do { known = try context.vault.open(KnownPerson.self, session.person, context: StoredAdminSession.context) } catch {
            // As good as over: its holder signs in again.
            context.logger.warning("a session of /admin cannot be opened", metadata: ["error": "\(error.message)"])
            return nil
        }
        guard let settings = context.settings.openID, settings.issuer == known.issuer, let role = settings.role(of: known.identity)
        else { return nil }
        return Visitor(
            secret: secret, holder: session.holder, name: known.identity.label, role: role, isStale: now.microseconds >= known.until)
    }

    /// Ends all sessions of the same key or person.
    func signOutEverywhere(_ visitor: Visitor) async throws {
        try await context.store.write { [context] tx in
            try tx.removeAdminSessions(of: visitor.holder)
            try context.audit("admin.sign-out-everywhere", "", tx)
        }
    }

    func signOut(_ secret: Secret) async throws {
        try await context.store.write { try $0.removeAdminSession(hash: Vault.hash(secret.reveal().utf8)) }
    }

    /// What a form of this session must carry, so that no other site can press its buttons.
    func formKey(_ secret: Secret) -> String { context.vault.sign(Vault.hash(secret.reveal().utf8), purpose: "admin form") }
    func isFormKey(_ key: String, of secret: Secret) -> Bool {
        context.vault.verify(key, of: Vault.hash(secret.reveal().utf8), purpose: "admin form")
    }

    /// Names the configuration's key as it is now: another key ends the sessions of the one before.
    private var configured: String { adminKey.map { "configuration " + Vault.hash($0.reveal().utf8) } ?? "nobody" }
}
