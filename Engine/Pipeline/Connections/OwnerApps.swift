import UsherCore
import UsherStore
import UsherVault

/// Apps that owners' organisations bring along: kept sealed, never shown again.
package struct OwnerApps: Sendable {
    private let context: EngineContext

    /// Works on the database of `context`.
    package init(_ context: EngineContext) { self.context = context }

    /// An app as its organisation set it up at the service.
    package struct App: Sendable {
        /// The app's id at the service.
        package var clientID: String
        /// Its secret.
        package var clientSecret: Secret
        /// With which the service signs what it sends; `nil` where it sends nothing.
        package var webhookSecret: Secret?

        /// Takes each property as it is.
        package init(clientID: String, clientSecret: Secret, webhookSecret: Secret?) {
            self.clientID = clientID
            self.clientSecret = clientSecret
            self.webhookSecret = webhookSecret
        }
    }

    /// The apps that an owner has entered, by provider.
    package func list(owner: String) async throws -> [StoredApp] { try await context.store.read { try $0.apps(of: owner) } }

    /// Keeps an app in place of the site's own, for this owner, once its service knows it. A connection through an app that is gone
    /// must be made again.
    /// - Throws: ``ErrorCode/validationFailed`` with every finding, ``ErrorCode/notFound``, ``ErrorCode/unavailable`` when the service
    ///   cannot be asked.
    package func put(_ app: App, owner: String, provider: String, known: [UsherError.Finding] = []) async throws -> StoredApp {
        let module = try context.connectableModule(provider)
        let entry = context.catalog.current.provider(provider)
        let findings = known + check(app, entry).filter { finding in !known.contains { $0.pointer == finding.pointer } }
        guard findings.isEmpty else { throw UsherError(.validationFailed, "The app cannot be kept as written.", findings: findings) }
        let secrets = [
            "CLIENT_SECRET": app.clientSecret.reveal(), "WEBHOOK_SECRET": app.webhookSecret?.reveal(),
            "DEAUTH_SECRET": app.webhookSecret?.reveal(),
        ]
        let now = context.now
        let stored = StoredApp(
            ownerID: owner, provider: provider, clientID: app.clientID,
            sealed: try context.vault.seal(value: secrets, context: StoredApp.context(owner: owner, provider: provider)), createdAt: now
        )
        try await test(stored, module)
        try await context.store.write { tx in
            guard let known = try tx.lockOwner(owner), known.isActive else {
                throw UsherError(.notFound, "No active owner is called '\(owner.prefix(80))'.")
            }
            try tx.save(stored)
            try context.audit("app.put", "\(owner)/\(provider)", tx)
            try orphan(owner: owner, entry, keeping: [stored.clientID], module.consent.name, tx)
        }
        return stored
    }

    /// Asks for a grant with a code that is none: a service that knows the app refuses the code, and one that does not, the app.
    private func test(_ app: StoredApp, _ module: any ConnectableProvider.Type) async throws {
        let verifier = context.environment.code(bits: 320)
        let request = ConsentRequest(
            state: "test", redirectURL: context.settings.publicURL + module.consent.callbackPath, verifier: Secret(verifier),
            challenge: Vault.challenge(verifier))
        do throws(ProviderError) {
            let call = try ProviderResolver(context).call(app.provider, app: app, deadline: context.now + Self.patience).call
            _ = try await module.exchange(Secret("usher-looks-whether-it-knows-the-app"), request, call)
        } catch {
            switch error.code {
            case .reauthorize: return
            case .notConnected:
                throw UsherError(
                    .validationFailed, "\(module.consent.name) does not know this app.",
                    findings: [.init("/clientSecret", "does not belong to this client id: copy both again from the app's page")])
            default: throw UsherError(.unavailable, "\(module.consent.name) cannot be asked whether it knows the app: try again later.")
            }
        }
    }

    private static let patience = Duration.seconds(10)

    /// Takes an app away; the site's own counts again.
    /// - Returns: whether there was one.
    package func remove(owner: String, provider: String) async throws -> Bool {
        let entry = context.catalog.current.provider(provider)
        return try await context.store.write { tx in
            guard try tx.removeApp(owner: owner, provider: provider) else { return false }
            try context.audit("app.remove", "\(owner)/\(provider)", tx)
            if let module = try? context.connectableModule(provider) {
                try orphan(owner: owner, entry, keeping: [], module.consent.name, tx)
            }
            return true
        }
    }

    /// A connection through an app that is not there any more cannot be renewed.
    private func orphan(owner: String, _ entry: ProviderEntry?, keeping: [String], _ service: String, _ tx: Tx) throws {
        guard let entry, let connection = try tx.connection(owner: owner, provider: entry.name) else { return }
        guard !keeping.contains(connection.clientID), connection.clientID != context.siteClientID(entry) else { return }
        guard try tx.setHealth(.reauthorize, ProviderError.otherApp(service).problem, of: connection), connection.health != .reauthorize
        else {
            return
        }
        if let dead = try tx.connection(owner: owner, provider: entry.name) {
            try context.announcer.tell(.connectionNeedsAttention, dead, tx)
        }
        try tx.enqueue(followUps(of: .ownerNeeded(.connection(owner: owner, provider: entry.name)), now: context.now), now: context.now)
    }

    private func check(_ app: App, _ entry: ProviderEntry?) -> [UsherError.Finding] {
        func isPlain(_ text: String) -> Bool { (1...200).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 32 && $0 < 127 } }
        var findings: [UsherError.Finding] = []
        if !isPlain(app.clientID) { findings.append(.init("/clientId", "copy it from the app's page: 1 to 200 characters without blanks")) }
        // With a secret of the owner's choosing it would speak for everybody.
        if let entry, app.clientID == context.siteClientID(entry) {
            findings.append(.init("/clientId", "is the site's own app: leave this form empty"))
        }
        if !isPlain(app.clientSecret.reveal()) {
            findings.append(.init("/clientSecret", "copy it from the app's page: 1 to 200 characters without blanks"))
        }
        if let secret = app.webhookSecret, !isPlain(secret.reveal()) {
            findings.append(.init("/webhookSecret", "copy it from the app's page: 1 to 200 characters without blanks"))
        }
        return findings
    }
}
