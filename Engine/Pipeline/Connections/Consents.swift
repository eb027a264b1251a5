import Logging
import UsherCore
import UsherStore
import UsherVault

/// Consents, from the press on Connect to the connection. Every way in which one can end is a value, so that a page can say what
/// happened and what to do next.
package struct Consents: Sendable {
    private let context: EngineContext
    private let connections: Connections

    /// From the press on Connect to the return of the browser.
    package static let lifetime = Duration.minutes(10)
    /// The whole of the exchange happens while the browser waits.
    private static let patience = Duration.seconds(15)
    private static let signature = "consent"

    /// Works on the database of `context`.
    package init(_ context: EngineContext) {
        self.context = context
        connections = Connections(context)
    }

    /// How a consent ended, or what is still to be asked.
    package enum Outcome: Sendable {
        case connected(StoredConnection, returnTo: String)
        /// The owner had connected another account before, or the account's address is not the owner's.
        /// - Parameter from: the account that was connected before; empty where there was none, and `to` is not the owner's address.
        case asks(id: String, from: String, to: String, service: String)
        case refused(Refusal, owner: String?, service: String)
    }

    /// Why a consent ended without a connection.
    package enum Refusal: Sendable {
        case unknownState
        case expired
        case alreadyUsed
        case otherBrowser
        /// It was begun on the owner's page, and nobody is signed in there now.
        case signedOut
        /// `error` of the service, and its description.
        case declined(String, String)
        case noCode
        /// What the owner left out, or the app does not have.
        case missing([ConsentDescriptor.Ability])
        case failed(ProviderError)

        /// In the audit.
        package var name: String {
            switch self {
            case .unknownState: "consent.unknown"
            case .expired: "consent.expired"
            case .alreadyUsed: "consent.used"
            case .otherBrowser: "consent.other-browser"
            case .signedOut: "consent.signed-out"
            case .declined: "consent.declined"
            case .noCode: "consent.no-code"
            case .missing: "consent.permission-missing"
            case .failed(let error): error.code.rawValue
            }
        }
    }

    /// Opens a consent.
    /// - Parameters:
    ///   - returnTo: where the browser goes in the end; checked by the caller.
    ///   - session: the owner's, where it is begun on the owner's page: then it is needed to the end.
    /// - Returns: its id, for ``start(_:browser:session:)``, and when it ends.
    package func begin(
        owner: String, provider: String, returnTo: String, session: Secret? = nil, repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<Begun> {
        let module = try connections.module(provider)
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
            session: session.map { Vault.hash($0.reveal().utf8) } ?? ""
        )
        return IdempotentResult(
            try await context.store.write { tx in
                try context.once(
                    key, tx, now: now,
                    again: { text in
                        let left = try JSON(parsing: text)
                        return begun(left["id"]?.string ?? "", Instant(microseconds: left["end"]?.int ?? 0))
                    }
                ) {
                    guard let stored = try tx.owner(owner), stored.isActive else {
                        throw UsherError(.notFound, "No active owner is called '\(owner.prefix(80))'.")
                    }
                    try tx.add(consent, now: now)
                    let left: JSON = ["id": .string(consent.id), "end": .int(consent.expiresAt.microseconds)]
                    return (begun(consent.id, consent.expiresAt), .secret(left.serialized))
                }
            })
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
        return (owner.owner, try connections.module(consent.provider).consent)
    }

    private static var unusable: UsherError {
        UsherError(.notFound, "This way to connect has been used or is older than ten minutes. Go back and press Connect again.")
    }
    private static var otherSession: UsherError {
        UsherError(.authForbidden, "This was begun on an owner's page. Sign in there, and press Connect again.")
    }

    /// Whether the session that a consent was begun in, if it was begun in one, is there and still stands.
    private static func isOf(_ session: Secret?, _ consent: StoredConsent, _ tx: Tx, _ now: Instant) throws -> Bool {
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

    /// The browser is back.
    package func finish(
        service: String, state: String?, code: String?, error: (code: String, description: String)?, browser: Secret?,
        session: Secret? = nil
    ) async throws -> Outcome {
        let parts = (state ?? "").split(separator: ".").map(String.init)
        let now = context.now
        guard parts.count == 2, let consent = try await context.store.read({ try $0.consent(parts[0]) }),
            context.vault.verify(parts[1], of: signed(consent), purpose: Self.signature),
            let module = try? connections.module(consent.provider), module.consent.service == service
        else { return .refused(.unknownState, owner: nil, service: service) }
        func refused(_ refusal: Refusal) -> Outcome { .refused(refusal, owner: consent.ownerID, service: module.consent.name) }
        guard let browser, Vault.hash(browser.reveal().utf8) == consent.browser else { return refused(.otherBrowser) }
        guard consent.expiresAt > now else { return refused(.expired) }
        guard try await context.store.read({ try Self.isOf(session, consent, $0, now) }) else { return refused(.signedOut) }
        var used = consent
        (used.state, used.sealed) = (.used, "")
        let taken = used
        guard consent.state == .started, try await context.store.write({ try $0.move(taken, from: .started) }) else {
            return refused(.alreadyUsed)
        }
        if let error { return refused(.declined(error.code, error.description)) }
        guard let code, !code.isEmpty else { return refused(.noCode) }
        let verifier = try context.vault.open(consent.sealed, context: StoredConsent.context(consent.id))
        do {
            let (_, call) = try await connections.call(consent.provider, owner: consent.ownerID, deadline: now + Self.patience)
            let grant = try await module.exchange(Secret(code), request(consent, module, verifier: verifier), call)
            let missing = module.consent.missing(grant.access.scopes).filter(\.isEssential)
            guard missing.isEmpty else {
                // Whose it is decides whether it may be ended: it may be the account that is connected.
                try await discard(grant, try? await module.account(grant, call), consent, call)
                return refused(.missing(missing))
            }
            let account: ConnectedAccount
            do throws(ProviderError) { account = try await module.account(grant, call) } catch {
                try await discard(grant, nil, consent, call)
                throw error
            }
            return try await Self.acting(consent) { try await settle(grant, account, consent, call) }
        } catch let error as ProviderError { return refused(.failed(error)) } catch is UsherError { return refused(.alreadyUsed) }
    }

    /// A grant that nobody will use is ended at its service, by work that does not depend on this request.
    private func discard(
        _ grant: Grant, _ account: ConnectedAccount?, _ consent: StoredConsent, _ call: ProviderContext
    ) async throws {
        let revocation = try await revocation(of: grant, account, consent, call)
        let now = context.now
        try await context.store.write { try context.revoke(revocation, due: now, $0) }
    }

    private func revocation(
        of grant: Grant, _ account: ConnectedAccount?, _ consent: StoredConsent, _ call: ProviderContext
    ) async throws -> StoredRevocation {
        let clientID = call.credentials["CLIENT_ID"]?.reveal() ?? ""
        // A grant is ended by the app that it was given to, which may be the owner's organisation's own.
        let app = try await context.store.read { try $0.apps(of: consent.ownerID) }
            .first { $0.provider == consent.provider && $0.clientID == clientID }
        return StoredRevocation(
            id: context.environment.id("rv_"), ownerID: consent.ownerID, provider: consent.provider,
            clientID: clientID, accountID: account?.id ?? "", email: account?.email ?? "",
            sealed: try GrantCodec.seal(
                grant, context.vault, context: StoredConnection.context(owner: consent.ownerID, provider: consent.provider)),
            app: app?.sealed ?? "", since: context.now)
    }

    /// The owner agrees to the other account.
    package func confirm(_ id: String, browser: Secret?, session: Secret? = nil) async throws -> Outcome {
        let now = context.now
        guard let consent = try await context.store.read({ try $0.consent(id) }), let module = try? connections.module(consent.provider)
        else { return .refused(.unknownState, owner: nil, service: "") }
        func refused(_ refusal: Refusal) -> Outcome { .refused(refusal, owner: consent.ownerID, service: module.consent.name) }
        guard let browser, Vault.hash(browser.reveal().utf8) == consent.browser else { return refused(.otherBrowser) }
        guard consent.expiresAt > now else { return refused(.expired) }
        guard try await context.store.read({ try Self.isOf(session, consent, $0, now) }) else { return refused(.signedOut) }
        let text = try consent.state == .asking ? context.vault.open(consent.sealed, context: StoredConsent.context(id)) : ""
        var used = consent
        (used.state, used.sealed) = (.used, "")
        let taken = used
        let isTaken = try await context.store.write { tx in
            try tx.move(taken, from: .asking)
        }
        guard consent.state == .asking, isTaken else { return refused(.alreadyUsed) }
        let (grant, account) = try Self.waiting(text, context.vault, consent)
        do {
            let kept = try await Self.acting(consent) {
                try await connections.keep(
                    grant, account, owner: consent.ownerID, provider: consent.provider, instead: consent.revocation)
            }
            return .connected(kept, returnTo: consent.returnTo)
        } catch let error as ProviderError { return refused(.failed(error)) } catch is UsherError { return refused(.alreadyUsed) }
    }

    /// The owner keeps the account that was connected: the other one's grant is ended.
    /// - Returns: where the browser goes; `nil` where there was nothing to decide for it.
    package func decline(_ id: String, browser: Secret?) async throws -> String? {
        guard let consent = try await context.store.read({ try $0.consent(id) }), let browser,
            Vault.hash(browser.reveal().utf8) == consent.browser, consent.state == .asking
        else { return nil }
        var used = consent
        (used.state, used.sealed) = (.used, "")
        let taken = used
        let now = context.now
        let isTaken = try await context.store.write { tx in
            guard try tx.move(taken, from: .asking) else { return false }
            try tx.enqueue(kind: RevokeStep.kind, subject: consent.revocation, due: now, service: consent.provider)
            return true
        }
        return isTaken ? consent.returnTo : nil
    }

    /// Keeps the grant, or asks first where another account was connected.
    private func settle(
        _ grant: Grant, _ account: ConnectedAccount, _ consent: StoredConsent, _ call: ProviderContext
    ) async throws -> Outcome {
        let now = context.now
        let (present, owner) = try await context.store.read { tx in
            (try tx.connection(owner: consent.ownerID, provider: consent.provider), try tx.owner(consent.ownerID))
        }
        let isStrange = present == nil && account.email.lowercased() != owner?.owner.email.lowercased()
        if isStrange || present.map({ $0.account.id != account.id }) ?? false {
            // Unless the owner agrees in time, the grant is ended.
            let revocation = try await revocation(of: grant, account, consent, call)
            var asking = consent
            (asking.state, asking.revocation) = (.asking, revocation.id)
            let waiting: JSON = [
                "grant": .string(try GrantCodec.seal(grant, context.vault, context: StoredConsent.context(consent.id))),
                "id": .string(account.id), "tenant": .string(account.tenant), "email": .string(account.email),
                "name": .string(account.name),
            ]
            asking.sealed = try context.vault.seal(waiting.serialized, context: StoredConsent.context(consent.id))
            let kept = asking
            let isKept = try await context.store.write { tx in
                let isKept = try tx.move(kept, from: .used)
                try context.revoke(revocation, due: isKept ? consent.expiresAt + .minutes(1) : now, tx)
                return isKept
            }
            guard isKept else {
                return .refused(.alreadyUsed, owner: consent.ownerID, service: try connections.module(consent.provider).consent.name)
            }
            return .asks(
                id: consent.id, from: present?.account.email ?? "", to: account.email.isEmpty ? account.name : account.email,
                service: try connections.module(consent.provider).consent.name)
        }
        return .connected(
            try await connections.keep(grant, account, owner: consent.ownerID, provider: consent.provider), returnTo: consent.returnTo)
    }

    /// What is begun on the owner's page is ended in the owner's session.
    private static func acting<Result>(_ consent: StoredConsent, _ body: () async throws -> Result) async rethrows -> Result {
        try await Actor.acting(consent.session.isEmpty ? Actor.current.name : "owner:\(consent.ownerID)", body)
    }

    private static func waiting(_ text: String, _ vault: Vault, _ consent: StoredConsent) throws -> (Grant, ConnectedAccount) {
        let value = try JSON(parsing: text)
        let grant = try GrantCodec.open(value["grant"]?.string ?? "", vault, context: StoredConsent.context(consent.id))
        return (
            grant,
            ConnectedAccount(
                id: value["id"]?.string ?? "", tenant: value["tenant"]?.string ?? "", email: value["email"]?.string ?? "",
                name: value["name"]?.string ?? "")
        )
    }

    private func signed(_ consent: StoredConsent) -> String {
        "\(consent.id) \(consent.ownerID) \(consent.provider) \(consent.browser)"
    }

    private func request(_ consent: StoredConsent, _ module: any ConnectableProvider.Type, verifier: String) -> ConsentRequest {
        ConsentRequest(
            state: "\(consent.id).\(context.vault.sign(signed(consent), purpose: Self.signature))",
            redirectURL: context.settings.publicURL + module.consent.callbackPath, verifier: Secret(verifier),
            challenge: Vault.challenge(verifier))
    }
}
