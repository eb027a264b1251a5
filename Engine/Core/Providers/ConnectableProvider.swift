/// A module whose owners connect an account of their own by OAuth 2. **The second, small part of the contract for provider authors.**
///
/// The engine keeps states, grants and browsers apart; a module knows its service's addresses and words. `call` holds the app's
/// credentials and the deadline; it has no ``ProviderContext/connection`` here.
public protocol ConnectableProvider: Provider {
    static var consent: ConsentDescriptor { get }

    /// Where the owner's browser is sent to agree.
    static func authorizationURL(_ request: ConsentRequest, _ call: ProviderContext) -> String

    /// Turns the code that came back with the browser into a grant. A code can be used once.
    static func exchange(_ code: Secret, _ request: ConsentRequest, _ call: ProviderContext) async throws(ProviderError) -> Grant

    /// Whose account was connected.
    static func account(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) -> ConnectedAccount

    /// A fresh grant in place of one that runs out.
    /// - Throws: ``ErrorCode/reauthorize`` only on the service's documented word that the grant is dead.
    static func refresh(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) -> Grant

    /// Ends a grant at the service. One that has ended already is success.
    static func revoke(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError)
}

/// What an owner is asked to agree to.
public struct ConsentDescriptor: Sendable {
    /// In paths: `/auth/{service}/start`.
    public var service: String
    /// As people call it: `Zoom`.
    public var name: String
    /// Where the browser comes back to; registered at the service, so it never changes.
    public var callbackPath: String
    /// What the module does, and the scopes of which any one allows it.
    public var abilities: [Ability]

    /// Something that the module does in the owner's account.
    public struct Ability: Sendable {
        /// `move meetings`.
        public var name: String
        /// Any one of them allows it.
        public var scopes: [String]
        /// Without it the connection is of no use.
        public var isEssential: Bool

        /// Takes each property as it is.
        public init(_ name: String, scopes: [String], essential: Bool = false) {
            self.name = name
            self.scopes = scopes
            isEssential = essential
        }
    }

    /// Where an organisation's administrator allows an app, in the service's own words.
    public var approval: String

    /// Takes each property as it is.
    public init(service: String, name: String, callbackPath: String, abilities: [Ability], approval: String) {
        self.approval = approval
        self.service = service
        self.name = name
        self.callbackPath = callbackPath
        self.abilities = abilities
    }

    /// The abilities that a grant lacks. A service that names no scopes lacks none.
    public func missing(_ granted: [String]) -> [Ability] {
        granted.isEmpty ? [] : abilities.filter { Set($0.scopes).isDisjoint(with: granted) }
    }
}

/// One consent that is under way.
public struct ConsentRequest: Sendable {
    /// Comes back unchanged.
    public var state: String
    /// The exact address that is registered at the service.
    public var redirectURL: String
    /// PKCE (RFC 7636): the secret, and its SHA-256 in base64url, method `S256`.
    public var verifier: Secret
    /// The SHA-256 of ``verifier`` in base64url.
    public var challenge: String
    /// What is asked for beside what the module itself needs.
    public var scopes: [String]

    /// Takes each property as it is.
    public init(state: String, redirectURL: String, verifier: Secret, challenge: String, scopes: [String] = []) {
        self.state = state
        self.redirectURL = redirectURL
        self.verifier = verifier
        self.challenge = challenge
        self.scopes = scopes
    }
}

/// What a service granted.
public struct Grant: Hashable, Sendable {
    /// The token to call with, and how long it is good for.
    public var access: IssuedToken
    /// `nil` where the service gave none: then the grant ends with its access token.
    public var refresh: Secret?
    /// Of OpenID Connect, as received over TLS from the token endpoint.
    public var identity: Secret?

    /// Takes each property as it is.
    public init(access: IssuedToken, refresh: Secret?, identity: Secret? = nil) {
        self.access = access
        self.refresh = refresh
        self.identity = identity
    }
}

/// The account behind a connection.
public struct ConnectedAccount: Hashable, Sendable {
    /// The service's own stable id of the user; never an address, which may change hands.
    public var id: String
    /// The organisation's id there; empty where there is none.
    public var tenant: String
    /// The account's address; it may differ from the owner's.
    public var email: String
    /// The account's name, for pages; may be empty.
    public var name: String

    /// Takes each property as it is.
    public init(id: String, tenant: String = "", email: String, name: String) {
        self.id = id
        self.tenant = tenant
        self.email = email
        self.name = name
    }
}

/// Where access tokens come from: an owner's connection, or an app of the whole site.
public protocol TokenSource: Sendable {
    /// A token to call with: renewed if it is about to expire, or if it is `rejected`.
    /// - Throws: ``ErrorCode/reauthorize`` when the owner must connect again.
    func access(rejected: IssuedToken?) async throws(ProviderError) -> IssuedToken
}

/// An owner's connection, as a module uses it.
public protocol Connection: TokenSource {
    var account: ConnectedAccount { get }
}
