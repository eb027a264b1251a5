import CryptoExtras
import Foundation
import ProviderSupport
import UsherCore
import UsherMail
import UsherPipeline

/// Access tokens that sign in at a relay in place of a password: asked for once for all processes, kept until they end.
struct MailTokens: Sendable {
    private let authorization: SMTPAddress.Authorization
    private let mailbox: String
    private let values: [String: Secret]
    private let context: EngineContext

    private static let patience = Duration.seconds(20)

    /// `nil` where the address signs in by a password, or not at all.
    init?(_ address: SMTPAddress, _ configuration: Configuration, _ context: EngineContext) {
        guard let authorization = address.authorization, let user = address.user else { return nil }
        (self.authorization, mailbox, values, self.context) = (authorization, user, configuration.values, context)
    }

    /// Other credentials, or another scope, are another token.
    private var name: String {
        let names = ["MICROSOFT_LOGIN_URL", "SMTP_TENANT_ID", "SMTP_CLIENT_ID", "SMTP_TOKEN_URL", "SMTP_SCOPE", "SMTP_KEY_FILE"]
        let settings = names.map(value).joined(separator: "\n")
        return "smtp \(authorization.rawValue) \(mailbox) \(digest(Array(settings.utf8)).prefix(16))"
    }

    /// What the mailer asks.
    var source: SMTPMailer.TokenSource {
        { (rejected) async throws(ProviderError) in
            try await context.tokens.token(name, rejected: rejected) {
                () async throws(ProviderError) -> IssuedToken in try await obtain()
            }
        }
    }

    /// What is missing in the configuration for a way to sign in, as a sentence.
    static func problem(_ authorization: SMTPAddress.Authorization, _ values: [String: String]) -> String? {
        let needed =
            switch authorization {
            case .microsoft: ["SMTP_CLIENT_ID", "SMTP_CLIENT_SECRET", "SMTP_TENANT_ID"]
            case .google: ["SMTP_KEY_FILE"]
            case .xoauth2: ["SMTP_CLIENT_ID", "SMTP_CLIENT_SECRET", "SMTP_TOKEN_URL", "SMTP_SCOPE"]
            }
        let missing = needed.filter { values[$0] == nil }
        guard missing.isEmpty else {
            return
                "SMTP_URL says auth=\(authorization.rawValue), which needs \(missing.joined(separator: ", ")); the chapter Mail says how."
        }
        if let path = values["SMTP_KEY_FILE"], authorization == .google {
            do throws(UsherError) { _ = try ServiceAccount(path: path) } catch { return error.message }
        }
        return nil
    }

    private func value(_ name: String) -> String { values[name]?.reveal() ?? "" }

    private func obtain() async throws(ProviderError) -> IssuedToken {
        switch authorization {
        case .microsoft:
            let base = values["MICROSOFT_LOGIN_URL"]?.reveal() ?? "https://login.microsoftonline.com"
            return try await ask(
                "\(base)/\(value("SMTP_TENANT_ID"))/oauth2/v2.0/token", credentials("https://outlook.office365.com/.default"))
        case .xoauth2: return try await ask(value("SMTP_TOKEN_URL"), credentials(value("SMTP_SCOPE")))
        case .google:
            do {
                let account = try ServiceAccount(path: value("SMTP_KEY_FILE"))
                let url = values["GOOGLE_TOKEN_URL"]?.reveal() ?? account.tokenURL
                let assertion = try account.assertion(for: mailbox, at: url, now: context.now)
                return try await ask(
                    url, [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion)])
            } catch let error as ProviderError { throw error } catch {
                throw ProviderError(
                    .notConnected, retry: .never, (error as? UsherError)?.message ?? "The key of SMTP_KEY_FILE cannot sign.",
                    remedy: "Download a new key of the service account, and name it in SMTP_KEY_FILE.")
            }
        }
    }

    private func credentials(_ scope: String) -> [(String, String)] {
        [
            ("grant_type", "client_credentials"), ("client_id", value("SMTP_CLIENT_ID")), ("client_secret", value("SMTP_CLIENT_SECRET")),
            ("scope", scope),
        ]
    }

    private func ask(_ url: String, _ form: [(String, String)]) async throws(ProviderError) -> IssuedToken {
        let body = form.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await context.transport.send(
                HTTPRequest(
                    "POST", url, headers: [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")],
                    body: Array(body.utf8), deadline: context.now + Self.patience))
        } catch {
            throw ProviderError(
                .unavailable, retry: .backoff, "The token endpoint \(url) does not answer: \(error.reason)",
                remedy: ProviderError.triedAgain)
        }
        let answer = (try? JSON(parsing: response.body)) ?? .null
        guard response.status == 200, let access = answer["access_token"]?.string, let seconds = answer["expires_in"]?.int else {
            let words = [answer["error"]?.string, answer["error_description"]?.string].compactMap(\.self).joined(separator: ": ")
            throw ProviderError(
                response.status >= 500 ? .unavailable : .notConnected, retry: .backoff,
                "The token endpoint \(url) gives no token (\(response.status)\(words.isEmpty ? "" : ", \(words.prefix(300))")).",
                remedy: "Check SMTP_CLIENT_ID, SMTP_CLIENT_SECRET and what the app may do; the chapter Mail says how.")
        }
        return IssuedToken(access: Secret(access), expiresAt: context.now + .seconds(seconds))
    }
}

/// A key file of Google's (https://developers.google.com/identity/protocols/oauth2/service-account).
private struct ServiceAccount {
    private let email: String
    private let key: _RSA.Signing.PrivateKey
    let tokenURL: String

    private static let scope = "https://mail.google.com/"

    init(path: String) throws(UsherError) {
        func refuse(_ why: String) -> UsherError { UsherError(.configuration, "SMTP_KEY_FILE names \(path), which \(why).") }
        if let mode = FileStatus(path)?.mode, mode & 0o004 != 0 {
            throw refuse("everybody on this machine can read: chmod 640 \(path)")
        }
        guard let data = FileManager.default.contents(atPath: path), let json = try? JSON(parsing: Array(data)) else {
            throw refuse("cannot be read, or is no JSON")
        }
        guard json["type"]?.string == "service_account", let email = json["client_email"]?.string, let pem = json["private_key"]?.string,
            let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem)
        else { throw refuse("is no key of a service account, as Google's console gives it") }
        (self.email, self.key) = (email, key)
        tokenURL = json["token_uri"]?.string ?? "https://oauth2.googleapis.com/token"
    }

    /// A signed statement that lets us act for a mailbox for an hour (RFC 7523).
    func assertion(for mailbox: String, at url: String, now: Instant) throws -> String {
        let header: JSON = ["alg": "RS256", "typ": "JWT"]
        let claims: JSON = [
            "iss": .string(email), "sub": .string(mailbox), "scope": .string(Self.scope), "aud": .string(url), "iat": .int(now.seconds),
            "exp": .int(now.seconds + 3_600),
        ]
        let signed = [header.bytes, claims.bytes].map { base64URL($0) }.joined(separator: ".")
        let signature = try key.signature(for: Data(signed.utf8), padding: .insecurePKCS1v1_5)
        return signed + "." + base64URL(Array(signature.rawRepresentation))
    }
}
