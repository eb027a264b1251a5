import Logging
import UsherCore
import UsherStore
import UsherVault

/// Consents, from the press on Connect to the connection. Every way in which one can end is a value, so that a page can say what
/// happened and what to do next.
package struct Consents: Sendable {
    let context: EngineContext
    let connections: Connections

    /// From the press on Connect to the return of the browser.
    package static let lifetime = Duration.minutes(10)
    /// The whole of the exchange happens while the browser waits.
    static let patience = Duration.seconds(15)
    static let signature = "consent"

    /// Works on the database of `context`.
    package init(_ context: EngineContext) {
        self.context = context
        connections = Connections(context)
    }

    /// Opens a consent.
    /// - Parameters:
    ///   - returnTo: where the browser goes in the end; checked by the caller.
    ///   - scopes: what is asked for beside what the module itself needs.
    ///   - session: the owner's, where it is begun on the owner's page: then it is needed to the end.
    /// - Returns: its id, for ``start(_:browser:session:)``, and when it ends.
    package func begin(
        owner: String, provider: String, returnTo: String, session: Secret? = nil, scopes: [String] = [],
        repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<Begun> {
        let module = try context.connectableModule(provider)
        let apps = try await context.store.read { try $0.apps(of: owner) }
        if let entry = context.catalog.current.provider(provider),
            let problem = ProviderResolver(context).readinessProblem(entry, apps.first { $0.provider == provider })
        {
            throw UsherError(problem.code, "\(problem.message) \(problem.remedy)")
        }
        let now = context.now
        @Sendable func begun(_ id: String, _ end: Instant) -> Begun {
            Begun(id: id, service: module.consent.service, name: module.consent.name, expiresAt: end)
        }
        let consent = StoredConsent(
            id: context.environment.code(bits: 128), ownerID: owner, provider: provider, returnTo: returnTo,
            expiresAt: now + Self.lifetime,
            session: session.map { Vault.hash($0.reveal().utf8) } ?? "", scopes: scopes.joined(separator: " ")
        )
        return IdempotentResult(
            try await context.store.write { tx in
                try context.idempotentSealed(
                    key, tx, now: now, replay: { (stored: StoredBegun) in begun(stored.id, Instant(microseconds: stored.end)) }
                ) {
                    guard let stored = try tx.lockOwner(owner), stored.isActive else {
                        throw UsherError(.notFound, "No active owner is called '\(owner.prefix(80))'.")
                    }
                    try tx.add(consent, now: now)
                    let left = StoredBegun(id: consent.id, end: consent.expiresAt.microseconds)
                    return (begun(consent.id, consent.expiresAt), left)
                }
            })
    }

    /// What a repeated call answers from.
    private struct StoredBegun: Codable {
        var id: String
        /// In microseconds.
        var end: Int64
    }

    /// A consent that waits for its browser.
    package struct Begun: Sendable {
        /// For ``start(_:browser:session:)``.
        package var id: String
        /// In paths: `/auth/{service}/start`.
        package var service: String
        /// As people call the service.
        package var name: String
        /// When it ends, used or not.
        package var expiresAt: Instant
    }

    /// The language of the owner whose consent it is; `nil` for one that nobody knows.
    package func language(of id: String) async throws -> String? {
        try await context.store.read { tx in try tx.consent(id).flatMap { try tx.owner($0.ownerID)?.owner.language } }
    }

    /// What a consent is about, for the page that asks for a press.
    /// - Throws: ``ErrorCode/notFound`` when the consent is unknown, used or too old, ``ErrorCode/authForbidden`` without the session that
    ///   it was begun in.
    package func look(_ id: String, session: Secret?) async throws -> (owner: Owner, service: ConsentDescriptor) {
        let now = context.now
        let found = try await context.store.read { tx in
            try tx.consent(id).flatMap { consent in
                try tx.owner(consent.ownerID).map { (consent, $0, try Self.isOf(session, consent, tx, now)) }
            }
        }
        guard let (consent, owner, isTheirs) = found, owner.isActive, consent.expiresAt > context.now,
            consent.state == .open || consent.state == .started
        else { throw Self.unusable }
        guard isTheirs else { throw Self.otherSession }
        return (owner.owner, try context.connectableModule(consent.provider).consent)
    }

    private static var unusable: UsherError {
        UsherError(.notFound, "This way to connect has been used or is older than ten minutes. Go back and press Connect again.")
    }
    private static var otherSession: UsherError {
        UsherError(.authForbidden, "This was begun on an owner's page. Sign in there, and press Connect again.")
    }

    /// Whether the session that a consent was begun in, if it was begun in one, is there and still stands.
    static func isOf(_ session: Secret?, _ consent: StoredConsent, _ tx: Tx, _ now: Instant) throws -> Bool {
        guard !consent.session.isEmpty else { return true }
        guard let session, Vault.hash(session.reveal().utf8) == consent.session else { return false }
        return try tx.sessionOwner(hash: consent.session, now: now) == consent.ownerID
    }

    /// Binds a consent to the browser that opens it.
    /// - Returns: where to send the browser.
    /// - Throws: ``ErrorCode/notFound`` when the consent is unknown, used or too old, ``ErrorCode/authForbidden`` without its session.
    package func start(_ id: String, browser: Secret, session: Secret? = nil) async throws -> String {
        let verifier = context.environment.code(bits: 320)
        let browserHash = Vault.hash(browser.reveal().utf8)
        let sealed = try context.vault.seal(verifier, context: StoredConsent.context(id))
        let now = context.now
        let started = try await context.store.write { tx in
            guard var consent = try tx.consent(id), consent.expiresAt > now, consent.state == .open || consent.state == .started else {
                return StoredConsent?.none
            }
            guard try Self.isOf(session, consent, tx, now) else { throw Self.otherSession }
            let from = consent.state
            (consent.state, consent.browser, consent.sealed) = (.started, browserHash, sealed)
            return try tx.move(consent, from: from) ? consent : nil
        }
        guard let consent = started else { throw Self.unusable }
        let (module, call) = try await connections.call(consent.provider, owner: consent.ownerID, deadline: now + Self.patience)
        return module.authorizationURL(request(consent, module, verifier: verifier), call)
    }

    func signed(_ consent: StoredConsent) -> String {
        "\(consent.id) \(consent.ownerID) \(consent.provider) \(consent.browser)"
    }

    func request(_ consent: StoredConsent, _ module: any ConnectableProvider.Type, verifier: String) -> ConsentRequest {
        ConsentRequest(
            state: "\(consent.id).\(context.vault.sign(signed(consent), purpose: Self.signature))",
            redirectURL: context.settings.publicURL + module.consent.callbackPath, verifier: Secret(verifier),
            challenge: Vault.challenge(verifier), scopes: consent.scopes.split(separator: " ").map(String.init))
    }
}
