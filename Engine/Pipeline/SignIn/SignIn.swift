import UsherCore
import UsherStore
import UsherVault

/// How a person signs in at the OpenID provider: off with a browser, and back with who they are. What lies between is kept by the
/// browser, sealed, and bound to it.
package struct SignIn: Sendable {
    private let context: EngineContext
    private let settings: OpenIDSettings
    private let provider: OpenIDProvider

    /// From the press on "Sign in" to the return of the browser.
    package static let lifetime = Duration.minutes(10)
    private static let seal = "sign-in"

    /// What a browser keeps on its way.
    private struct Journey: Codable {
        var state: String
        var nonce: String
        var verifier: String
        /// A path of ours.
        var returnTo: String
        /// In microseconds.
        var end: Int64
    }

    /// `nil` where no provider is configured.
    package init?(_ context: EngineContext) {
        guard let settings = context.settings.openID else { return nil }
        self.context = context
        self.settings = settings
        provider = OpenIDProvider(settings, context)
    }

    /// - Parameter returnTo: a path of ours, checked by the caller.
    /// - Returns: where to send the browser, and what it must keep until it is back with this state.
    package func begin(returnTo: String) async throws -> (url: String, state: String, journey: Secret) {
        let environment = context.environment
        let journey = Journey(
            state: environment.code(bits: 160), nonce: environment.code(bits: 160), verifier: environment.code(bits: 320),
            returnTo: returnTo, end: (context.now + Self.lifetime).microseconds)
        let url = try await provider.authorizationURL(
            state: journey.state, nonce: journey.nonce, challenge: Vault.challenge(journey.verifier))
        return (url, journey.state, Secret(try context.vault.seal(value: journey, context: Self.seal)))
    }

    /// - Parameters:
    ///   - error: what the provider says instead of a code.
    ///   - journey: what the browser kept.
    /// - Returns: who it is, and where they wanted to go.
    /// - Throws: ``SignInRefusal``.
    package func finish(
        state: String?, code: String?, error: String?, issuer: String?, journey: Secret?
    ) async throws(SignInRefusal) -> (person: Identity, returnTo: String) {
        guard let journey = journey.flatMap(opened), let state, Secret(state) == Secret(journey.state),
            context.now.microseconds < journey.end
        else { throw .notBegunHere }
        guard let code, error == nil else { throw .declined(error ?? "no code came back") }
        let person = try await provider.identity(code: code, issuer: issuer, verifier: journey.verifier, nonce: Secret(journey.nonce))
        return (person, journey.returnTo)
    }

    private func opened(_ journey: Secret) -> Journey? {
        try? context.vault.open(Journey.self, journey.reveal(), context: Self.seal)
    }

    /// What somebody may do at `/admin`.
    /// - Throws: ``SignInRefusal`` for nothing.
    package func role(of person: Identity) throws(SignInRefusal) -> AdminRole {
        if let role = settings.role(of: person) { return role }
        throw .unknownPerson(
            "You are \(person.label), and none of your groups opens this page. An admin of this server can add one of them to USHER_OIDC_ROLES."
        )
    }

    /// Opens a session of the owner who has the person's address.
    /// - Returns: its secret.
    /// - Throws: ``SignInRefusal`` where there is none.
    package func ownerSession(of person: Identity) async throws -> Secret {
        guard let address = person.verifiedEmail else {
            throw SignInRefusal.unknownPerson(
                "The sign-in service does not say that your mail address is yours, so nobody knows whose page to open. Have a link mailed to you instead."
            )
        }
        let owners = try await context.store.read { tx in
            try tx.owners().filter { $0.isActive && $0.owner.email.lowercased() == address }
        }
        guard let owner = owners.first else {
            throw SignInRefusal.unknownPerson("You are \(address), and no owner here has that address. Ask this server's admin.")
        }
        guard owners.count == 1 else {
            throw SignInRefusal.unknownPerson(
                "Several owners have the address \(address). Have a link mailed to you: there is one for each.")
        }
        return try await OwnerService(context).openSession(of: owner.owner.id)
    }
}
