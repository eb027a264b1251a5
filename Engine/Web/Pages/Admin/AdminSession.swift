import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

/// An admin who has signed in with a key. The session ends with the key, or when nobody has used it for twelve hours.
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

    /// Who has signed in.
    struct Visitor: Sendable {
        var secret: Secret
        /// The key's id, or a name for the configuration's key.
        var holder: String
        /// For the audit.
        var name: String
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
        let secret = context.environment.code(bits: 160)
        let now = context.now
        let holder = caller.id == "admin" ? configured : caller.id
        try await Actor.acting("admin:\(caller.id)") {
            try await context.store.write { [context] tx in
                try tx.addAdminSession(hash: Vault.hash(secret.utf8), holder: holder, expiresAt: now + Self.lifetime, now: now)
                try context.audit("admin.sign-in", caller.id, tx)
            }
        }
        return cookie.setting(Secret(secret), for: Self.longest)
    }

    /// Who makes a request, where it carries the cookie of a session that holds.
    func visitor(_ request: Request) async throws -> Visitor? {
        guard let secret = cookie.value(in: request) else { return nil }
        let (now, hash, configured) = (context.now, Vault.hash(secret.reveal().utf8), configured)
        let limit = now + Self.lifetime - Self.precision
        let found = try await context.store.read { tx -> (holder: String, isFresh: Bool)? in
            guard let holder = try tx.adminSession(hash: hash, now: now) else { return nil }
            let isGood =
                try holder == configured
                || tx.keys().contains { $0.id == holder && $0.expiresAt > now && $0.scopes.contains(.admin) }
            return isGood ? (holder, try tx.adminSession(hash: hash, now: limit) != nil) : nil
        }
        guard let (holder, isFresh) = found else { return nil }
        if !isFresh {
            try await context.store.write { try $0.extendAdminSession(hash: hash, to: now + Self.lifetime, unlessAfter: limit) }
        }
        return Visitor(secret: secret, holder: holder, name: holder == configured ? "admin" : holder)
    }

    /// Ends all sessions that were opened with the same key.
    func signOutEverywhere(_ visitor: Visitor) async throws {
        try await context.store.write { [context] tx in
            try tx.removeAdminSessions(of: visitor.holder)
            try context.audit("admin.sign-out-everywhere", visitor.name, tx)
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
