import UsherCore
import UsherStore
import UsherVault

/// From the return of the browser to the connection.
extension Consents {
    /// The browser is back.
    package func finish(
        service: String, state: String?, code: String?, error: (code: String, description: String)?, browser: Secret?,
        session: Secret? = nil
    ) async throws -> Outcome {
        let parts = (state ?? "").split(separator: ".").map(String.init)
        let now = context.now
        guard parts.count == 2, let consent = try await context.store.read({ try $0.consent(parts[0]) }),
            context.vault.verify(parts[1], of: signed(consent), purpose: Self.signature),
            let module = try? context.connectableModule(consent.provider), module.consent.service == service
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
        guard let consent = try await context.store.read({ try $0.consent(id) }),
            let module = try? context.connectableModule(consent.provider)
        else { return .refused(.unknownState, owner: nil, service: "") }
        func refused(_ refusal: Refusal) -> Outcome { .refused(refusal, owner: consent.ownerID, service: module.consent.name) }
        guard let browser, Vault.hash(browser.reveal().utf8) == consent.browser else { return refused(.otherBrowser) }
        guard consent.expiresAt > now else { return refused(.expired) }
        guard try await context.store.read({ try Self.isOf(session, consent, $0, now) }) else { return refused(.signedOut) }
        guard consent.state == .asking else { return refused(.alreadyUsed) }
        let (grant, account) = try WaitingGrant.open(context.vault, consent)
        var used = consent
        (used.state, used.sealed) = (.used, "")
        let taken = used
        let isTaken = try await context.store.write { tx in
            try tx.move(taken, from: .asking)
        }
        guard isTaken else { return refused(.alreadyUsed) }
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
            if let revocation = try tx.revocation(consent.revocation) {
                try tx.enqueue(followUps(of: .grantDiscarded(revocation, from: now), now: now), now: now)
            }
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
            asking.sealed = try WaitingGrant(grant, account, context.vault, consent).sealed(context.vault, consent)
            let kept = asking
            let isKept = try await context.store.write { tx in
                let isKept = try tx.move(kept, from: .used)
                try context.revoke(revocation, due: isKept ? consent.expiresAt + .minutes(1) : now, tx)
                return isKept
            }
            guard isKept else {
                return .refused(.alreadyUsed, owner: consent.ownerID, service: try context.connectableModule(consent.provider).consent.name)
            }
            return .asks(
                id: consent.id, owner: consent.ownerID, from: present?.account.email ?? "",
                to: account.email.isEmpty ? account.name : account.email,
                service: try context.connectableModule(consent.provider).consent.name)
        }
        return .connected(
            try await connections.keep(grant, account, owner: consent.ownerID, provider: consent.provider), returnTo: consent.returnTo)
    }

    /// What is begun on the owner's page is ended in the owner's session.
    private static func acting<Result>(_ consent: StoredConsent, _ body: () async throws -> Result) async rethrows -> Result {
        try await Actor.acting(consent.session.isEmpty ? Actor.current.name : "owner:\(consent.ownerID)", body)
    }
}

/// What is kept while an owner is asked whether another account is to take the place of theirs. Its names are those in the database.
struct WaitingGrant: Codable {
    /// Sealed by ``GrantCodec``.
    private var grant: String
    private var id: String
    private var tenant: String
    private var email: String
    private var name: String

    init(_ grant: Grant, _ account: ConnectedAccount, _ vault: Vault, _ consent: StoredConsent) throws {
        self.grant = try GrantCodec.seal(grant, vault, context: StoredConsent.context(consent.id))
        (id, tenant, email, name) = (account.id, account.tenant, account.email, account.name)
    }

    func sealed(_ vault: Vault, _ consent: StoredConsent) throws -> String {
        try vault.seal(value: self, context: StoredConsent.context(consent.id))
    }

    static func open(_ vault: Vault, _ consent: StoredConsent) throws -> (Grant, ConnectedAccount) {
        let place = StoredConsent.context(consent.id)
        let kept = try vault.open(WaitingGrant.self, consent.sealed, context: place)
        return (
            try GrantCodec.open(kept.grant, vault, context: place),
            ConnectedAccount(id: kept.id, tenant: kept.tenant, email: kept.email, name: kept.name)
        )
    }
}
