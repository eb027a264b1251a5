import Foundation
import Synchronization
import UsherCore

/// A stand-in for Google's consent page, token endpoint and calendar events: it remembers what it is told and refuses what Google
/// would refuse. A cancelled event keeps its id taken.
///
/// Its rules follow https://developers.google.com/workspace/calendar/api/v3/reference/events and
/// https://developers.google.com/workspace/calendar/api/guides/errors
public final class GoogleSandbox: Sendable {
    /// How the stand-in is set up.
    public struct Account: Sendable {
        /// The app's id.
        public var clientID = "sandbox-google-client"
        /// The app's secret.
        public var clientSecret = "sandbox-google-secret"
        /// Registered with the app; any other is refused.
        public var redirectURLs: Set<String> = []
        /// Who can agree, by address.
        public var users: [String] = ["ana@northwind.example"]
        /// What the owner leaves ticked.
        public var scopes = "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/calendar.events"
        /// Looks at an event before its link is there.
        public var pendingLooks = 0
        /// No event gets a conference.
        public var conferenceFails = false
        /// Conferences have telephone numbers.
        public var hasPhones = true
        /// Calendars of others that a user has subscribed to; they are listed before their own.
        public var subscribed = 0
        /// The defaults.
        public init() {}
    }

    /// What is to go wrong with a request.
    public enum Fault: Hashable, Sendable {
        case unauthorized
        /// By reason: `rateLimitExceeded`, `quotaExceeded`, …
        case refused(status: Int, reason: String)
        case errorAfter(status: Int)
        case cutBefore
        case cutAfter
        /// This one goes well; the next is for the request after it.
        case none
    }

    struct Event {
        var id: String
        var owner: String
        var body: JSON
        var isCancelled = false
        var looksLeft: Int
        var created: Instant
    }

    struct State {
        var account: Account
        var events: [String: Event] = [:]
        /// What others put into the calendar.
        var foreign: [SandboxEvent] = []
        /// Who is told of changes.
        var channels: [SandboxSubscription] = []
        var notifications: [HTTPRequest] = []
        var created = 0
        var deleted = 0
        var codes: [String: (user: String, redirect: String, challenge: String)] = [:]
        var refreshTokens: [String: String] = [:]
        var accessTokens: [String: (user: String, expires: Instant)] = [:]
        var number = 0
        var refreshes = 0
        var faults: [Fault] = []
        var violations: [String] = []
    }

    let state: Mutex<State>
    private let now: @Sendable () -> Instant

    /// - Parameters:
    ///   - account: how it is set up.
    ///   - now: the clock that tokens and events go by.
    public init(_ account: Account = Account(), now: @escaping @Sendable () -> Instant) {
        state = Mutex(State(account: account))
        self.now = now
    }

    /// Makes the next requests go wrong, one fault each.
    public func inject(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// Forgets the faults that are left.
    public func clearFaults() { state.withLock { $0.faults = [] } }
    /// Sets the stand-in up otherwise.
    public func change(_ body: (inout Account) -> Void) { state.withLock { body(&$0.account) } }
    /// Ids of events that are there.
    public var live: [String] { state.withLock { $0.events.values.filter { !$0.isCancelled }.map(\.id).sorted() } }
    /// How many events were ever made.
    public var created: Int { state.withLock { $0.created } }
    /// How often grants were renewed.
    public var refreshes: Int { state.withLock { $0.refreshes } }
    /// What a caller did that Google's rules forbid.
    public var violations: [String] { state.withLock { $0.violations } }
    /// When an event begins, as it was written; `nil` where there is none.
    public func start(of id: String) -> String? { state.withLock { $0.events[id]?.body["start"]?["dateTime"]?.string } }
    /// A text of an event; `nil` where there is none.
    public func field(_ name: String, of id: String) -> String? { state.withLock { $0.events[id]?.body[name]?.string } }
    /// Puts an event of somebody else's into the calendar, or another one in its place.
    public func put(_ event: SandboxEvent) {
        state.withLock { state in
            state.foreign.removeAll { $0.uid == event.uid }
            state.foreign.append(event)
            state.touch(now())
        }
    }
    /// Takes such an event out.
    public func takeOut(_ uid: String) {
        state.withLock { state in
            state.foreign.removeAll { $0.uid == uid }
            state.touch(now())
        }
    }
    /// Deletes an event as its owner would.
    public func deleteByHand(_ id: String) { state.withLock { $0.events[id]?.isCancelled = true } }
    /// Ends a user's grants as the user would.
    public func revokeByHand(_ user: String) {
        state.withLock { state in
            state.refreshTokens = state.refreshTokens.filter { $0.value != user }
            state.accessTokens = state.accessTokens.filter { $0.value.user != user }
        }
    }

    /// Ends every access token, as time would.
    /// - Parameter age: younger ones live on.
    public func expireTokens(olderThan age: Duration = .zero) {
        state.withLock { state in
            let newest = now() + .hours(1) - age
            state.accessTokens = state.accessTokens.filter { $0.value.expires > newest }
        }
    }

    /// A press on the consent page.
    /// - Parameter user: who agrees; `nil` declines.
    public func decide(_ query: String, user: String?) -> String {
        state.withLock { state in
            let fields = SandboxRequest.form(query)
            let back = (fields["redirect_uri"] ?? "") + "?state=" + (fields["state"] ?? "")
            guard let user else { return back + "&error=access_denied" }
            state.number += 1
            let code = "4/sandbox-\(state.number)"
            state.codes[code] = (user, fields["redirect_uri"] ?? "", fields["code_challenge"] ?? "")
            return back + "&code=" + code
        }
    }

    /// `path` begins with `/o`, `/token`, `/revoke`, `/oauth2` or `/calendar`.
    public func handle(_ method: String, _ target: String, headers: [(name: String, value: String)], body: [UInt8]) -> ZoomSandbox.Reply {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let request = SandboxRequest(
            method: method, path: parts[0].split(separator: "/").map { String($0).removingPercentEncoding ?? String($0) },
            query: SandboxRequest.form(parts.count > 1 ? parts[1] : ""), rawQuery: parts.count > 1 ? parts[1] : "", headers: headers,
            body: body)
        if request.path == ["o"], method == "POST" {
            let user = request.fields["user"] ?? ""
            return .answer(HTTPResponse(status: 302, headers: [("Location", decide(request.rawQuery, user: user.isEmpty ? nil : user))]))
        }
        let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
        switch fault {
        case .cutBefore: return .refused
        case .unauthorized: return .answer(GoogleAnswer.error(401, "authError", "Invalid Credentials"))
        case .refused(let status, let reason): return .answer(GoogleAnswer.error(status, reason, reason))
        default: break
        }
        let answer = state.withLock { $0.answer(request, now()) }
        switch fault {
        case .errorAfter(let status): return .answer(GoogleAnswer.error(status, "backendError", "Backend Error"))
        case .cutAfter: return .cut
        default: return .answer(answer)
        }
    }
}

enum GoogleAnswer {
    static func error(_ status: Int, _ reason: String, _ message: String) -> HTTPResponse {
        ZoomAnswer.json(
            status,
            [
                "error": [
                    "code": .int(Int64(status)), "message": .string(message),
                    "errors": [["domain": "global", "reason": .string(reason), "message": .string(message)]],
                ]
            ])
    }
    static func oauth(_ error: String) -> HTTPResponse { ZoomAnswer.json(400, ["error": .string(error)]) }
}

extension GoogleSandbox.State {
    fileprivate mutating func answer(_ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        switch request.path.first {
        case "o": return consent(request.rawQuery)
        case "token": return token(request.fields, now)
        case "revoke": return revoke(request.fields)
        default: break
        }
        guard let header = request.header("authorization"), let token = accessTokens[String(header.dropFirst(7))], token.expires > now
        else {
            return GoogleAnswer.error(401, "authError", "Invalid Credentials")
        }
        if request.path == ["oauth2", "v3", "userinfo"] {
            return ZoomAnswer.json(200, ["sub": .string(Self.id(token.user)), "email": .string(token.user), "email_verified": true])
        }
        if request.path == ["calendar", "v3", "users", "me", "calendarList"] { return calendarList(token.user) }
        if request.path == ["calendar", "v3", "channels", "stop"] { return stop(request) }
        if request.path == ["calendar", "v3", "calendars", "primary", "events", "watch"] { return watch(request, now) }
        guard request.path.prefix(5) == ["calendar", "v3", "calendars", "primary", "events"] else {
            return GoogleAnswer.error(404, "notFound", "Not Found")
        }
        return events(request, Array(request.path.dropFirst(5)), token.user, now)
    }

    private static func id(_ user: String) -> String { "10" + String(user.utf8.reduce(7) { ($0 * 31 + Int($1)) % 1_000_000_007 }) }

    // MARK: Consent

    private func consent(_ query: String) -> HTTPResponse {
        let fields = SandboxRequest.form(query)
        guard fields["client_id"] == account.clientID else {
            return ZoomAnswer.page(400, "<p>Error 401: deleted_client</p>", service: "Google")
        }
        guard account.redirectURLs.contains(fields["redirect_uri"] ?? "") else {
            return ZoomAnswer.page(400, "<p>Error 400: redirect_uri_mismatch</p>", service: "Google")
        }
        guard fields["response_type"] == "code", fields["scope"]?.contains("calendar.events") == true, fields["access_type"] == "offline",
            fields["code_challenge_method"] == "S256"
        else { return ZoomAnswer.page(400, "<p>Error 400: invalid_request</p>", service: "Google") }
        let buttons = account.users.map { "<button name=user value=\"\($0)\">Continue as \($0)</button>" }.joined()
        return ZoomAnswer.page(
            200,
            "<p>The scheduling app wants to see and edit events on your calendars.</p><form method=post action=\"?\(query.replacing("\"", with: "%22").replacing("<", with: "%3C"))\">\(buttons)<button name=user value=\"\">Cancel</button></form>",
            service: "Google")
    }

    private mutating func token(_ form: [String: String], _ now: Instant) -> HTTPResponse {
        guard form["client_id"] == account.clientID, form["client_secret"] == account.clientSecret else {
            return ZoomAnswer.json(401, ["error": "invalid_client"])
        }
        switch form["grant_type"] {
        case "authorization_code":
            guard let code = codes.removeValue(forKey: form["code"] ?? "") else { return GoogleAnswer.oauth("invalid_grant") }
            let digest = SandboxRequest.challenge(of: form["code_verifier"] ?? "")
            guard code.redirect == form["redirect_uri"], digest == code.challenge else { return GoogleAnswer.oauth("invalid_grant") }
            number += 1
            refreshTokens["1//sandbox-refresh-\(number)"] = code.user
            return issue(code.user, now, refresh: "1//sandbox-refresh-\(number)")
        case "refresh_token":
            guard let user = refreshTokens[form["refresh_token"] ?? ""] else { return GoogleAnswer.oauth("invalid_grant") }
            refreshes += 1
            return issue(user, now, refresh: nil)
        default: return GoogleAnswer.oauth("unsupported_grant_type")
        }
    }

    /// Google gives no new refresh token with a renewal.
    private mutating func issue(_ user: String, _ now: Instant, refresh: String?) -> HTTPResponse {
        number += 1
        let access = "ya29.sandbox-\(number)"
        accessTokens[access] = (user, now + .hours(1))
        let claims: JSON = [
            "iss": "https://accounts.google.com", "sub": .string(Self.id(user)), "email": .string(user), "email_verified": true,
        ]
        let identity = ["{}", claims.serialized, "x"].map { Data($0.utf8).base64EncodedString().replacing("=", with: "") }.joined(
            separator: ".")
        var members = [
            JSON.Member("access_token", .string(access)), JSON.Member("expires_in", 3_599), JSON.Member("token_type", "Bearer"),
            JSON.Member("scope", .string(account.scopes)), JSON.Member("id_token", .string(identity)),
        ]
        if let refresh { members.append(JSON.Member("refresh_token", .string(refresh))) }
        return ZoomAnswer.json(200, .object(members))
    }

    private mutating func revoke(_ form: [String: String]) -> HTTPResponse {
        let token = form["token"] ?? ""
        guard let user = refreshTokens[token] ?? accessTokens[token]?.user else { return GoogleAnswer.oauth("invalid_token") }
        refreshTokens = refreshTokens.filter { $0.value != user }
        accessTokens = accessTokens.filter { $0.value.user != user }
        return ZoomAnswer.json(200, [:])
    }
}
