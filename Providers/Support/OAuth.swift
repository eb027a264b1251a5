import Foundation
import UsherCore

/// An OAuth 2 service with an authorisation code flow: what modules fill in, so that the flow itself stands once.
public struct OAuthService: Sendable {
    /// How the app proves itself at the token endpoint: in a Basic header, or in the form.
    public enum ClientAuthentication: Sendable {
        /// `Authorization: Basic`, RFC 6749 §2.3.1.
        case basic
        /// `client_id` and `client_secret` in the form.
        case form
    }

    /// As people call the service.
    public var name: String
    /// Where browsers agree.
    public var authorizeURL: String
    /// Where codes and refresh tokens are turned in.
    public var tokenURL: String
    /// How the app proves itself there.
    public var authentication: ClientAuthentication
    /// What is asked for; `nil` where the service takes it from the app's own configuration.
    public var scope: String?
    /// Further parameters of the authorisation address.
    public var parameters: [(name: String, value: String)]
    /// The documented words that a grant is dead, and no others.
    public var isDead: @Sendable (_ error: String, _ reason: String) -> Bool

    /// Takes each property as it is.
    public init(
        name: String, authorizeURL: String, tokenURL: String, authentication: ClientAuthentication, scope: String? = nil,
        parameters: [(name: String, value: String)] = [], isDead: @escaping @Sendable (_ error: String, _ reason: String) -> Bool
    ) {
        self.name = name
        self.authorizeURL = authorizeURL
        self.tokenURL = tokenURL
        self.authentication = authentication
        self.scope = scope
        self.parameters = parameters
        self.isDead = isDead
    }

    /// The page that asks for consent, with state and PKCE challenge.
    public func authorizationURL(_ request: ConsentRequest, _ call: ProviderContext) -> String {
        let query: [(name: String, value: String)] =
            [
                ("response_type", "code"), ("client_id", call.credentials["CLIENT_ID"]?.reveal() ?? ""),
                ("redirect_uri", request.redirectURL), ("state", request.state), ("code_challenge", request.challenge),
                ("code_challenge_method", "S256"),
            ] + (scope.map { [("scope", ([$0] + request.scopes).joined(separator: " "))] } ?? []) + parameters
        return authorizeURL + "?" + query.map { "\($0.name)=\(percentEncoded($0.value))" }.joined(separator: "&")
    }

    /// Turns a code into a grant.
    /// - Throws: an error that is final: a code works once.
    public func exchange(_ code: Secret, _ request: ConsentRequest, _ call: ProviderContext) async throws(ProviderError) -> Grant {
        try await grant(
            [
                ("grant_type", "authorization_code"), ("code", code.reveal()), ("redirect_uri", request.redirectURL),
                ("code_verifier", request.verifier.reveal()),
            ], keeping: nil, call)
    }

    /// Renews a grant; a refresh token that is not given anew stays.
    /// - Throws: ``ErrorCode/reauthorize`` where ``isDead`` says so.
    public func refresh(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) -> Grant {
        guard let token = grant.refresh else { throw dead(call, cause: "there is no refresh token") }
        return try await self.grant(
            [("grant_type", "refresh_token"), ("refresh_token", token.reveal())], keeping: grant, call)
    }

    /// Posts to a revocation endpoint (RFC 7009).
    public func revoke(_ token: Secret, at url: String, _ call: ProviderContext) async throws(ProviderError) {
        do throws(TransportError) {
            let answer = try await call.post(form: [("token", token.reveal())] + credentials(call), to: url, headers: headers(call))
            // 400 says that the token is not valid any more, which is what was wanted.
            if (200..<300).contains(answer.status) || answer.status == 400 { return }
            throw TransportError.notSent("HTTP \(answer.status)")
        } catch { throw .unreachable(name, error, operation: "POST revoke", changes: false) }
    }

    // MARK: The token endpoint

    private func headers(_ call: ProviderContext) -> [(name: String, value: String)] {
        guard authentication == .basic else { return [] }
        let pair = "\(call.credentials["CLIENT_ID"]?.reveal() ?? ""):\(call.credentials["CLIENT_SECRET"]?.reveal() ?? "")"
        return [("Authorization", "Basic \(Data(pair.utf8).base64EncodedString())")]
    }

    private func credentials(_ call: ProviderContext) -> [(name: String, value: String)] {
        guard authentication == .form else { return [] }
        return [
            ("client_id", call.credentials["CLIENT_ID"]?.reveal() ?? ""),
            ("client_secret", call.credentials["CLIENT_SECRET"]?.reveal() ?? ""),
        ]
    }

    private func grant(
        _ form: [(name: String, value: String)], keeping old: Grant?, _ call: ProviderContext
    ) async throws(ProviderError) -> Grant {
        let operation = "POST token (\(form.first?.value ?? ""))"
        let answer: JSONAnswer
        do throws(TransportError) {
            answer = try await call.post(form: form + credentials(call), to: tokenURL, headers: headers(call))
        } catch { throw .unreachable(name, error, operation: operation) }
        guard answer.status == 200, let access = answer["access_token"]?.string, !access.isEmpty else {
            throw refusal(answer, isRefresh: old != nil, operation, call)
        }
        let scopes = (answer["scope"]?.string ?? "").split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
        return Grant(
            access: IssuedToken(
                access: Secret(access), expiresAt: call.environment.now() + .seconds(answer["expires_in"]?.int ?? 3_600),
                scopes: scopes.isEmpty ? old?.access.scopes ?? [] : scopes, apiURL: answer["api_url"]?.string ?? old?.access.apiURL),
            // Some services give a new one each time, others never again.
            refresh: answer["refresh_token"]?.string.map(Secret.init) ?? old?.refresh, identity: answer["id_token"]?.string.map(Secret.init)
        )
    }

    private func refusal(_ answer: JSONAnswer, isRefresh: Bool, _ operation: String, _ call: ProviderContext) -> ProviderError {
        let error = answer["error"]?.string ?? ""
        let reason = answer["reason"]?.string ?? answer["error_description"]?.string ?? ""
        let cause = "HTTP \(answer.status) \(error) \(reason)".trimmingBlanks
        if (400..<500).contains(answer.status), answer.status != 429 {
            if isRefresh, isDead(error, reason) { return dead(call, cause: cause) }
            if error == "invalid_client" || error == "unauthorized_client" {
                return ProviderError(
                    .notConnected, retry: .never, "\(name) does not know the client id and secret of '\(call.provider)'.",
                    remedy: "The admin copies CLIENT_ID and CLIENT_SECRET again from the app's page; connections then work again.",
                    operation: operation, cause: cause)
            }
            if !isRefresh {
                return ProviderError(
                    .reauthorize, retry: .never, "\(name) did not take the code that it had given: it may have been used or be too old.",
                    remedy: "Press Connect again.", operation: operation, cause: cause)
            }
        }
        // Anything else proves nothing against the grant.
        return ProviderError(
            .unavailable, retry: .backoff, "\(name) gives no access token at the moment.",
            remedy: ProviderError.triedAgain, operation: operation, cause: cause)
    }

    private func dead(_ call: ProviderContext, cause: String) -> ProviderError {
        ProviderError(
            .reauthorize, retry: .never, "\(name) has ended the connection of '\(call.provider)'.",
            remedy: "The owner connects \(name) again; what waits then resumes by itself.", cause: cause)
    }
}

/// A module whose consent is OAuth 2 as ``OAuthService`` speaks it.
public protocol OAuthProvider: ConnectableProvider {
    /// The service, at the addresses that are configured.
    static func service(_ call: ProviderContext) -> OAuthService
}

extension OAuthProvider {
    /// The service's consent page.
    public static func authorizationURL(_ request: ConsentRequest, _ call: ProviderContext) -> String {
        service(call).authorizationURL(request, call)
    }

    /// Turns the code into a grant.
    public static func exchange(_ code: Secret, _ request: ConsentRequest, _ call: ProviderContext) async throws(ProviderError) -> Grant {
        try await service(call).exchange(code, request, call)
    }

    /// Renews the grant; where the service gives a new refresh token, it takes the place of the old.
    public static func refresh(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) -> Grant {
        try await service(call).refresh(grant, call)
    }
}
