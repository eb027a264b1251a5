import Foundation
import ProviderSupport
import UsherCore

/// Zoom's REST API with a token that all processes share. It sends, renews the token once where it was refused, and turns
/// every answer that is no success into a ``ProviderError``.
struct ZoomClient: Sendable {
    let call: ProviderContext
    private let grant: any ZoomGrant

    init(_ call: ProviderContext, _ grant: any ZoomGrant) {
        self.call = call
        self.grant = grant
    }

    /// - Parameters:
    ///   - path: after the base, with every part percent-encoded.
    ///   - changes: whether the call changes something, so that one without an answer is unclear.
    func send(_ method: String, _ path: String, body: JSON? = nil, changes: Bool) async throws(ProviderError) -> JSONAnswer {
        let operation = "\(method) \(Self.pattern(path))"
        let token = try await grant.token(call, rejected: nil)
        var answer = try await exchange(method, path, body, token, operation, changes)
        if answer.status == 401 {
            // A new token may have ended this one: what is stored is read again before another is asked for.
            let renewed = try await grant.token(call, rejected: token)
            answer = try await exchange(method, path, body, renewed, operation, changes)
        }
        if let error = ZoomError(answer) { throw error.meaning(operation, changes: changes, now: call.environment.now()) }
        return answer
    }

    private func exchange(
        _ method: String, _ path: String, _ body: JSON?, _ token: IssuedToken, _ operation: String, _ changes: Bool
    ) async throws(ProviderError) -> JSONAnswer {
        do throws(TransportError) {
            return try await call.exchange(
                method, base(token) + path, headers: [("Authorization", "Bearer \(token.access.reveal())")], body: body)
        } catch { throw .unreachable("Zoom", error, operation: operation, changes: changes) }
    }

    /// `ZOOM_API_URL`, else what came with the token, else the global address.
    /// Source: https://developers.zoom.us/docs/integrations/oauth/ (`api_url`).
    private func base(_ token: IssuedToken) -> String {
        if let configured = call.endpoints["ZOOM_API_URL"] { return configured.hasSuffix("/") ? String(configured.dropLast()) : configured }
        if let url = token.apiURL, Self.isZooms(url) { return url + "/v2" }
        return "https://api.zoom.us/v2"
    }

    /// Tokens go to Zoom's own hosts alone, whatever an answer says: `https://api-us.zoom.us`, `https://api.zoomgov.com`.
    static func isZooms(_ url: String) -> Bool {
        guard let parts = URLComponents(string: url), parts.scheme == "https", parts.user == nil, parts.port == nil, parts.path.isEmpty,
            parts.query == nil, parts.fragment == nil, let host = parts.host?.lowercased()
        else { return false }
        return ["zoom.us", "zoomgov.com"].contains { host == $0 || host.hasSuffix("." + $0) }
    }

    /// The path without ids, for messages: `/users/{id}/meetings`.
    private static func pattern(_ path: String) -> String {
        path.prefix { $0 != "?" }.split(separator: "/").enumerated()
            .map { $0.offset == 1 ? "/{id}" : "/\($0.element)" }.joined()
    }
}

/// How tokens come about: one for each kind of app.
protocol ZoomGrant: Sendable {
    func token(_ call: ProviderContext, rejected: IssuedToken?) async throws(ProviderError) -> IssuedToken
}

/// Server-to-Server OAuth: the account's own credentials, no refresh token.
/// Source: https://developers.zoom.us/docs/internal-apps/s2s-oauth/
struct ZoomAccountGrant: ZoomGrant {
    private let remedy =
        "Check in the Zoom Marketplace that the Server-to-Server OAuth app is active; `usher doctor` shows what Zoom answers."

    func token(_ call: ProviderContext, rejected: IssuedToken?) async throws(ProviderError) -> IssuedToken {
        guard let account = call.credentials["ACCOUNT_ID"], let client = call.credentials["CLIENT_ID"],
            let secret = call.credentials["CLIENT_SECRET"]
        else {
            throw ProviderError(
                .notConnected, retry: .never, "The provider '\(call.provider)' has no credentials.",
                remedy: "Set ACCOUNT_ID, CLIENT_ID and CLIENT_SECRET under its prefix.")
        }
        let name = "zoom:\(account.reveal()):\(client.reveal())"
        return try await call.tokens.token(name, rejected: rejected) { () async throws(ProviderError) -> IssuedToken in
            try await obtain(call, account, client, secret)
        }
    }

    private func obtain(_ call: ProviderContext, _ account: Secret, _ client: Secret, _ secret: Secret) async throws(ProviderError)
        -> IssuedToken
    {
        let base = call.endpoints["ZOOM_OAUTH_URL"] ?? "https://zoom.us/oauth"
        let basic = Data("\(client.reveal()):\(secret.reveal())".utf8).base64EncodedString()
        let operation = "POST /oauth/token"
        let answer: JSONAnswer
        do throws(TransportError) {
            answer = try await call.post(
                form: [("grant_type", "account_credentials"), ("account_id", account.reveal())], to: "\(base)/token",
                headers: [("Authorization", "Basic \(basic)")])
        } catch { throw .unreachable("Zoom", error, operation: operation, changes: false) }
        if answer.status == 200, let access = answer["access_token"]?.string, !access.isEmpty {
            return IssuedToken(
                access: Secret(access), expiresAt: call.environment.now() + .seconds(answer["expires_in"]?.int ?? 3_600),
                scopes: (answer["scope"]?.string ?? "").split(separator: " ").map(String.init), apiURL: answer["api_url"]?.string)
        }
        throw refusal(answer, call, operation)
    }

    /// Source: https://developers.zoom.us/docs/integrations/oauth-error-messages/ and
    /// https://developers.zoom.us/blog/s2s-token-generation-troubleshoot/
    private func refusal(_ answer: JSONAnswer, _ call: ProviderContext, _ operation: String) -> ProviderError {
        let reason = answer["reason"]?.string ?? ""
        let cause = "HTTP \(answer.status) \(answer["error"]?.string ?? "") \(reason)".trimmingBlanks
        func refused(_ message: String, _ remedy: String) -> ProviderError {
            ProviderError(.notConnected, retry: .never, message, remedy: remedy, operation: operation, cause: cause)
        }
        guard (400..<500).contains(answer.status), answer.status != 429 else {
            return ProviderError(
                .unavailable, retry: .backoff, "Zoom gives no access token at the moment.",
                remedy: ProviderError.triedAgain,
                operation: operation, cause: cause)
        }
        switch answer["error"]?.string {
        case "invalid_client":
            return refused(
                "Zoom does not know the client id and secret of '\(call.provider)'.",
                "Copy CLIENT_ID and CLIENT_SECRET again from the app's credentials page.")
        case "unsupported_grant_type":
            return refused(
                "The credentials of '\(call.provider)' belong to another kind of Zoom app.",
                "Make a Server-to-Server OAuth app in the Zoom Marketplace, and use its credentials.")
        case "invalid_request":
            return refused(
                "Zoom refuses the account id of '\(call.provider)'.",
                "Copy ACCOUNT_ID again from the app's credentials page, without blanks, and check that the app is active.")
        default:
            // Not a word of the documented ones: nothing is proven against the credentials.
            return ProviderError(
                .unavailable, retry: .backoff, "Zoom gives no access token for '\(call.provider)'.", remedy: remedy, operation: operation,
                cause: cause)
        }
    }
}
