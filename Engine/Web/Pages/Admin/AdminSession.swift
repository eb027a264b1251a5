import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

/// An admin who has signed in with a key. The session ends with the key, or after twelve hours.
struct AdminSession: Sendable {
    private let context: EngineContext
    private let adminKey: Secret?
    private let authenticator: Authenticator

    static let cookie = "usher_admin"
    private static let lifetime = Duration.hours(12)

    init(_ context: EngineContext, adminKey: Secret?, _ authenticator: Authenticator) {
        self.context = context
        self.adminKey = adminKey
        self.authenticator = authenticator
    }

    /// - Returns: the cookie; `nil` for a key that is not valid or no admin's.
    func signIn(_ key: Secret) async throws -> Cookie? {
        guard let caller = try await authenticator.holder(key), caller.may(.admin), caller.standing?.isAllowed ?? true else { return nil }
        let secret = context.surroundings.code(bits: 160)
        let now = context.now
        let holder = caller.id == "admin" ? configured : caller.id
        try await context.store.write {
            try $0.addAdminSession(hash: Vault.hash(secret.utf8), holder: holder, expiresAt: now + Self.lifetime, now: now)
        }
        return Cookie(
            name: Self.cookie, value: secret, path: "/admin", lifetime: Self.lifetime,
            isSecure: context.settings.publicURL.hasPrefix("https://"))
    }

    /// The session's secret, where the request bears one that holds.
    func secret(_ request: Request) async throws -> Secret? {
        guard let secret = request.cookie(Self.cookie) else { return nil }
        let now = context.now
        let configured = configured
        let isGood = try await context.store.read { tx in
            guard let holder = try tx.adminSession(hash: Vault.hash(secret.reveal().utf8), now: now) else { return false }
            if holder == configured { return true }
            return try tx.keys().contains { $0.id == holder && $0.expiresAt > now && $0.scopes.contains(.admin) }
        }
        return isGood ? secret : nil
    }

    func signOut(_ secret: Secret) async throws {
        try await context.store.write { try $0.removeAdminSession(hash: Vault.hash(secret.reveal().utf8)) }
    }

    /// What a form of this session must bear, so that no other site can press its buttons.
    func formKey(_ secret: Secret) -> String { context.vault.sign(Vault.hash(secret.reveal().utf8), purpose: "admin form") }
    func isFormKey(_ key: String, of secret: Secret) -> Bool {
        context.vault.verify(key, of: Vault.hash(secret.reveal().utf8), purpose: "admin form")
    }

    /// Names the configuration's key as it is now: another key ends the sessions of the one before.
    private var configured: String { adminKey.map { "configuration " + Vault.hash($0.reveal().utf8) } ?? "nobody" }
}
