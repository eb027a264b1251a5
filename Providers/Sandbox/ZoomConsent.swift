import Crypto
import Foundation
import Synchronization
import UsherCore

// A user-managed app at the stand-in for Zoom: consent page, codes, rotating grants, revocation.

extension ZoomSandbox {
    /// The Marketplace app that users agree to.
    public struct UserApp: Sendable {
        /// The app's id.
        public var clientID = "sandbox-zoom-client"
        /// The app's secret.
        public var clientSecret = "sandbox-zoom-secret"
        /// Signs what is sent to the app.
        public var secretToken = "sandbox-zoom-deauth"
        /// Registered with the app; any other is refused.
        public var redirectURLs: Set<String> = []
        /// What its grants hold.
        public var scopes: Set<String> = [
            "meeting:write:meeting", "meeting:read:meeting", "meeting:update:meeting", "meeting:delete:meeting",
            "meeting:read:list_meetings", "user:read:user", "user:read:settings",
        ]
        /// The administrator has to allow it first.
        public var needsApproval = false
        /// The defaults.
        public init() {}
    }

    /// A code that was given to a browser.
    struct Code {
        /// The client id of the app that it was given for.
        var app: String
        var user: String
        var redirectURL: String
        var challenge: String
        var expires: Instant
    }

    /// A user's grant: one live pair at a time.
    struct UserGrant {
        var app: String
        var user: String
        var access: String
        var refresh: String
    }

    /// What a press on the consent page leads to: the address that the browser goes to.
    /// - Parameter user: who agrees; `nil` declines.
    public func decide(_ query: String, user: String?) -> String {
        state.withLock { state in
            let fields = SandboxRequest.form(query)
            let redirect = fields["redirect_uri"] ?? ""
            let back = { (parameters: String) in redirect + "?" + parameters + "&state=" + (fields["state"] ?? "") }
            guard let user, let app = state.account.app(fields["client_id"] ?? ""), !app.needsApproval else { return back("") }
            state.nextNumber += 1
            let code = "sandbox-code-\(state.nextNumber)"
            state.codes[code] = Code(
                app: app.clientID, user: user, redirectURL: redirect, challenge: fields["code_challenge"] ?? "",
                expires: now() + .minutes(5))
            return back("code=\(code)")
        }
    }

    /// The app is removed in the user's Zoom account: the grant is dead at once.
    public func removeApp(of email: String) { state.withLock { $0.grants.removeAll { $0.user == email } } }

    /// What Zoom sends to an app when a user removes it: the headers and the body.
    /// Source of the form: https://devforum.zoom.us/t/133778
    /// - Parameters:
    ///   - app: who sends; the first app where it is not given.
    ///   - claiming: the client id that the event carries, if it is another.
    public func deauthorization(
        of email: String, app: UserApp? = nil, claiming: String? = nil, keepsData: Bool? = nil
    ) -> (headers: [(name: String, value: String)], body: [UInt8]) {
        let app = app ?? state.withLock { $0.account.userApp }
        let time = "\(now().seconds)"
        let payload: JSON = [
            "account_id": "sandbox-account", "client_id": .string(claiming ?? app.clientID), "deauthorization_time": .string(now().rfc3339),
            "signature": "opaque", "user_data_retention": keepsData.map { .bool($0) } ?? .null, "user_id": .string(User(email).id),
        ]
        let event: JSON = ["event": "app_deauthorized", "event_ts": .int(now().microseconds / 1_000), "payload": payload]
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("v0:\(time):".utf8) + event.bytes, using: SymmetricKey(data: Data(app.secretToken.utf8)))
        let hex = code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return (
            [("Content-Type", "application/json"), ("x-zm-request-timestamp", time), ("x-zm-signature", "v0=" + hex)], event.bytes
        )
    }

    /// Whether a refresh token is good for one more renewal.
    public func isLive(refresh token: String) -> Bool { state.withLock { state in state.grants.contains { $0.refresh == token } } }

    /// Whom a request for tokens is about, by the code or the refresh token in its form.
    public func user(asking form: String) -> String? {
        let fields = SandboxRequest.form(form)
        return state.withLock { state in
            state.codes[fields["code"] ?? ""]?.user ?? state.grants.first { $0.refresh == fields["refresh_token"] }?.user
        }
    }

    /// Who has agreed to the app.
    public var connectedUsers: [String] { state.withLock { Array(Set($0.grants.map(\.user))).sorted() } }

    /// How often grants were renewed, and how often a refresh token that was not the live one was tried.
    public var refreshes: Int { state.withLock { $0.refreshes } }
    /// How often a refresh token was tried that was not the live one.
    public var staleRefreshes: Int { state.withLock { $0.staleRefreshes } }

    /// Ends every access token, as time would.
    /// - Parameter age: younger ones live on.
    public func expireTokens(olderThan age: Duration = .zero) {
        state.withLock { state in
            let newest = now() + state.account.tokenLifetime - age
            for (token, end) in state.tokens where end <= newest { state.tokens[token] = now() - .seconds(1) }
        }
    }
}

extension ZoomSandbox.State {
    /// The page on which a user agrees, or what is wrong with the address.
    func consentPage(_ query: String) -> HTTPResponse {
        let fields = SandboxRequest.form(query)
        let page = { (status: Int, body: String) in ZoomAnswer.page(status, body) }
        guard fields["response_type"] == "code", let app = account.app(fields["client_id"] ?? "") else {
            return page(400, "<p>Invalid client_id: 4,702</p>")
        }
        guard app.redirectURLs.contains(fields["redirect_uri"] ?? "") else {
            return page(400, "<p>Invalid redirect: 4,700</p>")
        }
        guard fields["scope"] == nil else { return page(400, "<p>Invalid scope: 4,700</p>") }
        guard fields["code_challenge_method"] == "S256", fields["state"]?.isEmpty == false else { return page(400, "<p>Bad request.</p>") }
        let buttons = account.users.map { "<button name=user value=\"\($0.email)\">Allow as \($0.email)</button>" }.joined()
        return page(
            200,
            "<p>The scheduling app asks to make, move and remove your meetings.</p><form method=post action=\"?\(query.replacing("\"", with: "%22").replacing("<", with: "%3C"))\">\(buttons)<button name=user value=\"\">Decline</button></form>"
        )
    }

    /// The page on which a user removes the app.
    func appsPage() -> HTTPResponse {
        let users = Set(grants.map(\.user)).sorted()
        let buttons = users.map { "<button name=user value=\"\($0)\">Remove the scheduling app from \($0)</button>" }.joined()
        return ZoomAnswer.page(
            200, users.isEmpty ? "<p>No app is connected.</p>" : "<p>Connected apps:</p><form method=post>\(buttons)</form>")
    }

    mutating func userToken(_ form: [String: String], _ app: ZoomSandbox.UserApp, _ now: Instant) -> HTTPResponse {
        func refuse(_ reason: String, _ error: String) -> HTTPResponse {
            ZoomAnswer.json(400, ["reason": .string(reason), "error": .string(error)])
        }
        switch form["grant_type"] {
        case "authorization_code":
            guard let code = codes.removeValue(forKey: form["code"] ?? ""), code.expires > now, code.app == app.clientID else {
                return refuse("Invalid authorization code", "invalid_request")
            }
            let digest = SandboxRequest.challenge(of: form["code_verifier"] ?? "")
            guard code.redirectURL == form["redirect_uri"] else { return refuse("Redirect URI mismatch.", "invalid_grant") }
            guard digest == code.challenge else { return refuse("Invalid code verifier", "invalid_request") }
            // One live grant for each user and app: a new one ends the old.
            grants.removeAll { $0.user == code.user && $0.app == app.clientID }
            return issue(code.user, app, now)
        case "refresh_token":
            guard let index = grants.firstIndex(where: { $0.refresh == form["refresh_token"] && $0.app == app.clientID }) else {
                staleRefreshes += 1
                return refuse("Invalid Token!", "invalid_grant")
            }
            refreshes += 1
            return issue(grants.remove(at: index).user, app, now)
        default: return refuse("unsupported grant type", "unsupported_grant_type")
        }
    }

    private mutating func issue(_ user: String, _ app: ZoomSandbox.UserApp, _ now: Instant) -> HTTPResponse {
        tokensIssued += 1
        let grant = ZoomSandbox.UserGrant(
            app: app.clientID, user: user, access: "sandbox-access-\(tokensIssued)-\(now.microseconds)",
            refresh: "sandbox-refresh-\(tokensIssued)-\(now.microseconds)")
        for (token, owner) in tokenUsers where owner == user && tokenApps[token] == app.clientID { tokens[token] = nil }
        grants.append(grant)
        tokens[grant.access] = now + account.tokenLifetime
        tokenUsers[grant.access] = user
        tokenApps[grant.access] = app.clientID
        return ZoomAnswer.json(
            200,
            [
                "access_token": .string(grant.access), "token_type": "bearer", "refresh_token": .string(grant.refresh),
                "expires_in": .int(account.tokenLifetime.wholeSeconds),
                "scope": .string(app.scopes.sorted().joined(separator: " ")), "api_url": "https://api.zoom.us",
            ])
    }

    mutating func revoke(_ form: [String: String], _ app: ZoomSandbox.UserApp, _ now: Instant) -> HTTPResponse {
        let token = form["token"] ?? ""
        let isAlive = tokens[token].map { $0 > now && tokenApps[token] == app.clientID } ?? false
        guard let user = (isAlive ? tokenUsers[token] : nil) ?? grants.first(where: { $0.refresh == token && $0.app == app.clientID })?.user
        else {
            return ZoomAnswer.json(400, ["reason": "Invalid Token!", "error": "invalid_request"])
        }
        grants.removeAll { $0.user == user && $0.app == app.clientID }
        for (access, owner) in tokenUsers where owner == user && tokenApps[access] == app.clientID { tokens[access] = nil }
        return ZoomAnswer.json(200, ["status": "success"])
    }
}

extension ZoomAnswer {
    static func page(_ status: Int, _ body: String, service: String = "Zoom") -> HTTPResponse {
        HTTPResponse(
            status: status, headers: [("Content-Type", "text/html; charset=utf-8")],
            body: Array(
                """
                <!DOCTYPE html><html lang=en><head><meta charset=utf-8><meta name=viewport content="width=device-width">
                <title>\(service) (sandbox)</title><style>:root{color-scheme:light dark}body{font:18px/1.5 sans-serif;max-width:28rem;
                margin:2rem auto;padding:0 1rem}button{font:inherit;padding:.6rem 1.2rem;margin:.3rem 0;display:block}</style></head>
                <body><h1>\(service) (sandbox)</h1>\(body)</body></html>
                """.utf8))
    }
}

extension SandboxRequest {
    /// What a PKCE verifier must have been announced as, method S256 (RFC 7636 §4.2).
    static func challenge(of verifier: String) -> String {
        Data(SHA256.hash(data: Data(verifier.utf8))).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
