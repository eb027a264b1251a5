import Foundation
import ProviderSupport
import UsherCore

/// Server-to-Server OAuth: the account's own credentials, no refresh token.
/// Source: https://developers.zoom.us/docs/internal-apps/s2s-oauth/
struct ZoomAccountTokens: TokenSource {
    let call: ProviderContext

    private let remedy =
        "Check in the Zoom Marketplace that the Server-to-Server OAuth app is active; `usher doctor` shows what Zoom answers."

    func access(rejected: IssuedToken?) async throws(ProviderError) -> IssuedToken {
        guard let account = call.credentials["ACCOUNT_ID"], let client = call.credentials["CLIENT_ID"],
            let secret = call.credentials["CLIENT_SECRET"]
        else {
            throw ProviderError(
                .notConnected, retry: .never, "The provider '\(call.provider)' has no credentials.",
                remedy: "Set ACCOUNT_ID, CLIENT_ID and CLIENT_SECRET under its prefix.")
        }
        let name = "zoom:\(account.reveal()):\(client.reveal())"
        return try await call.tokens.token(name, rejected: rejected) { () async throws(ProviderError) -> IssuedToken in
            try await obtain(account, client, secret)
        }
    }

    private func obtain(_ account: Secret, _ client: Secret, _ secret: Secret) async throws(ProviderError) -> IssuedToken {
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
        throw refusal(answer, operation)
    }

    /// Source: https://developers.zoom.us/docs/integrations/oauth-error-messages/ and
    /// https://developers.zoom.us/blog/s2s-token-generation-troubleshoot/
    private func refusal(_ answer: JSONAnswer, _ operation: String) -> ProviderError {
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
