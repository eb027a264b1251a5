import Foundation
import UsherCore
import UsherVault

/// The OpenID provider at which people sign in: what it says of itself, its keys, and what it says of a person.
/// Source: https://openid.net/specs/openid-connect-discovery-1_0.html and https://openid.net/specs/openid-connect-core-1_0.html
package actor OpenIDProvider {
    private let settings: OpenIDSettings
    private let redirectURL: String
    private let transport: any Transport
    private let now: @Sendable () -> Instant
    private var known: (metadata: Metadata, at: Instant)?
    private var keys: (set: PublishedKeys, at: Instant)?
    private var flight: Task<Result<Metadata, SignInRefusal>, Never>?
    private var failed: (refusal: SignInRefusal, at: Instant)?

    /// What a provider says of itself may change.
    private static let memory = Duration.hours(1)
    private static let patience = Duration.seconds(10)
    /// So long it is not asked again what it has not answered.
    private static let rest = Duration.seconds(10)
    private static let wanted = ["openid", "profile", "email"]

    /// Where the provider sends people back to.
    package static let callbackPath = "/auth/oidc/callback"

    /// What the provider says of itself.
    private struct Metadata {
        var authorize: String
        var token: String
        var keys: String
        var userInfo: String?
        var takesBasic: Bool
        /// Whether its answers name it (RFC 9207).
        var namesItself: Bool
        var scopes: [String]
    }

    /// Goes out while an installation is held, too: who signs in may be the one who lets it go.
    package init(_ settings: OpenIDSettings, _ context: EngineContext) {
        self.settings = settings
        redirectURL = context.settings.publicURL + Self.callbackPath
        transport = context.lookingWhileHeld.observed("sign-in")
        now = context.environment.now
    }

    /// Asks the provider what it is, for a check of the configuration.
    /// - Returns: the address that must be registered there.
    /// - Throws: what is wrong, in its reason.
    package func examine() async throws(SignInRefusal) -> String {
        let metadata = try await metadata()
        guard try await !published(at: metadata.keys).isEmpty else { throw .unavailable("it publishes no key of RS256 or ES256") }
        return redirectURL
    }

    /// Where a browser goes to sign in.
    func authorizationURL(state: String, nonce: String, challenge: String) async throws(SignInRefusal) -> String {
        let metadata = try await metadata()
        let scopes = Self.wanted + (metadata.scopes.contains("groups") ? ["groups"] : [])
        let query = [
            ("response_type", "code"), ("client_id", settings.clientID), ("redirect_uri", redirectURL),
            ("scope", scopes.joined(separator: " ")), ("state", state), ("nonce", nonce), ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]
        return metadata.authorize + (metadata.authorize.contains("?") ? "&" : "?") + Self.form(query)
    }

    /// Turns the code that a browser brought back into who its person is.
    /// - Parameter issuer: as the answer names it.
    func identity(code: String, issuer: String?, verifier: String, nonce: Secret) async throws(SignInRefusal) -> Identity {
        let metadata = try await metadata()
        // A provider that names itself must be the one that was asked (RFC 9207 §2.4).
        guard issuer == settings.issuer || issuer == nil && !metadata.namesItself else { throw .untrusted("another service answered") }
        let answer = try await exchange(code, verifier, metadata)
        guard let token = answer["id_token"]?.string.flatMap(SignedToken.init) else { throw .untrusted("there is no ID token in it") }
        guard let key = try await key(token.keyID, at: metadata.keys) else {
            throw .untrusted("it was signed by a key that is not the issuer's")
        }
        let checked = try IDToken(token, key: key, settings, nonce: nonce, now: now())
        guard let url = metadata.userInfo, let access = answer["access_token"]?.string else { return checked.identity(nil) }
        let more = try await ask("GET", url, headers: [("Authorization", "Bearer \(access)")])
        guard more.status == 200, let claims = more.json else { throw .unavailable("its user info endpoint answers \(more.status)") }
        guard claims["sub"]?.string == checked.subject else { throw .untrusted("its user info is of another person") }
        return checked.identity(claims)
    }

    // MARK: What it says of itself

    /// Asked for once for all who wait for it.
    private func metadata() async throws(SignInRefusal) -> Metadata {
        if let known, now() - known.at < Self.memory { return known.metadata }
        if let failed, now() - failed.at < Self.rest { throw failed.refusal }
        let asking =
            flight
            ?? Task { () async -> Result<Metadata, SignInRefusal> in
                do throws(SignInRefusal) { return .success(try await discover()) } catch { return .failure(error) }
            }
        flight = asking
        let found = await asking.value
        if flight == asking {
            flight = nil
            switch found {
            case .success(let metadata): (known, failed) = ((metadata, now()), nil)
            case .failure(let refusal): failed = (refusal, now())
            }
        }
        return try found.get()
    }

    private func discover() async throws(SignInRefusal) -> Metadata {
        let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
        let answer = try await ask("GET", base + "/.well-known/openid-configuration")
        guard answer.status == 200, let json = answer.json else {
            throw .unavailable("its configuration cannot be read (\(answer.status))")
        }
        guard json["issuer"]?.string == settings.issuer else {
            throw .unavailable("it calls itself \(json["issuer"]?.string ?? "nothing"), and USHER_OIDC_ISSUER says \(settings.issuer)")
        }
        return Metadata(
            authorize: try endpoint("authorization_endpoint", json), token: try endpoint("token_endpoint", json),
            keys: try endpoint("jwks_uri", json),
            userInfo: json["userinfo_endpoint"] == nil ? nil : try endpoint("userinfo_endpoint", json),
            takesBasic: json["token_endpoint_auth_methods_supported"]?.array?.contains("client_secret_basic") ?? true,
            namesItself: json["authorization_response_iss_parameter_supported"]?.bool ?? false,
            scopes: json["scopes_supported"]?.array?.compactMap(\.string) ?? [])
    }

    private func endpoint(_ name: String, _ json: JSON) throws(SignInRefusal) -> String {
        guard let url = json[name]?.string, url.utf8.allSatisfy({ $0 > 32 && $0 < 127 }),
            url.hasPrefix("https://") || settings.issuer.hasPrefix("http://") && url.hasPrefix("http://")
        else { throw .unavailable("its \(name) is no https:// address") }
        return url
    }

    /// A key that is not known may be new: the keys are read again.
    private func key(_ id: String?, at url: String) async throws(SignInRefusal) -> PublishedKeys.Key? {
        if let keys, now() - keys.at < Self.memory, let key = keys.set.key(id) { return key }
        return try await published(at: url).key(id)
    }

    private func published(at url: String) async throws(SignInRefusal) -> PublishedKeys {
        let answer = try await ask("GET", url)
        guard answer.status == 200, let json = answer.json else { throw .unavailable("its keys cannot be read (\(answer.status))") }
        let set = PublishedKeys(json)
        keys = (set, now())
        return set
    }

    // MARK: Calls

    private func exchange(_ code: String, _ verifier: String, _ metadata: Metadata) async throws(SignInRefusal) -> JSON {
        let (id, secret) = (settings.clientID, settings.clientSecret.reveal())
        var form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURL), ("code_verifier", verifier)]
        var headers = [("Content-Type", "application/x-www-form-urlencoded")]
        if metadata.takesBasic {
            // RFC 6749 §2.3.1: both are encoded as a form's values are.
            let pair = "\(percentEncoded(id)):\(percentEncoded(secret))"
            headers.append(("Authorization", "Basic \(Data(pair.utf8).base64EncodedString())"))
        } else {
            form += [("client_id", id), ("client_secret", secret)]
        }
        let answer = try await ask("POST", metadata.token, headers: headers, body: Self.form(form))
        guard answer.status == 200, let json = answer.json else {
            let words = [answer.json?["error"]?.string, answer.json?["error_description"]?.string].compactMap(\.self)
            throw answer.status >= 500 || words.isEmpty
                ? .unavailable("its token endpoint answers \(answer.status)") : .declined(words.joined(separator: ": "))
        }
        return json
    }

    private static func form(_ fields: [(String, String)]) -> String {
        fields.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }.joined(separator: "&")
    }

    private func ask(
        _ method: String, _ url: String, headers: [(String, String)] = [], body: String = ""
    ) async throws(SignInRefusal) -> (status: Int, json: JSON?) {
        do throws(TransportError) {
            let response = try await transport.send(
                HTTPRequest(
                    method, url, headers: headers + [("Accept", "application/json")], body: Array(body.utf8),
                    deadline: now() + Self.patience))
            return (response.status, try? JSON(parsing: response.body))
        } catch { throw .unavailable("it does not answer (\(error.reason))") }
    }
}
