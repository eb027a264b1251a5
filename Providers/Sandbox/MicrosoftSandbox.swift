import Foundation
import Synchronization
import UsherCore

/// A stand-in for Microsoft's consent page, token endpoint and online meetings. A renewal gives a new refresh token and leaves the old
/// one alive for a while, as Microsoft does.
///
/// Its rules follow https://learn.microsoft.com/graph/api/onlinemeeting-createorget
public final class MicrosoftSandbox: Sendable {
    /// How the stand-in is set up.
    public struct Account: Sendable {
        /// The app's id.
        public var clientID = "sandbox-microsoft-client"
        /// The app's secret.
        public var clientSecret = "sandbox-microsoft-secret"
        /// The tenant in the addresses.
        public var tenant = "organizations"
        /// Registered with the app; any other is refused.
        public var redirectURLs: Set<String> = []
        /// Who can agree, by address.
        public var users: [String] = ["ana@northwind.example"]
        /// What a grant holds.
        public var scopes = "openid email profile offline_access OnlineMeetings.ReadWrite"
        /// The organiser has an Audio Conferencing licence.
        public var hasAudio = true
        /// A policy of the tenant records every meeting.
        public var recordsAlways = false
        /// The defaults.
        public init() {}
    }

    /// What is to go wrong with a request.
    public enum Fault: Hashable, Sendable {
        case refused(status: Int, retryAfter: Int?)
        case errorAfter(status: Int)
        case cutBefore
        case cutAfter
        /// Nothing goes wrong with this one.
        case passed
    }

    struct Meeting {
        var id: String
        var owner: String
        var externalID: String
        var body: JSON
    }

    struct State {
        var account: Account
        var meetings: [String: Meeting] = [:]
        /// What stands in the calendar.
        var foreign: [SandboxEvent] = []
        /// Who is told of changes.
        var subscribed: [SandboxSubscription] = []
        var notifications: [HTTPRequest] = []
        var created = 0
        var codes: [String: (user: String, redirect: String, challenge: String)] = [:]
        var refreshTokens: [String: String] = [:]
        var accessTokens: [String: (user: String, expires: Instant)] = [:]
        var number = 0
        var faults: [Fault] = []
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
    /// How many meetings were ever made.
    public var created: Int { state.withLock { $0.created } }
    /// The meetings that there are, with their starts as they were written.
    public var meetings: [(id: String, start: String)] {
        state.withLock { $0.meetings.values.map { ($0.id, $0.body["startDateTime"]?.string ?? "") }.sorted { $0.0 < $1.0 } }
    }
    /// Puts an event into the calendar, or another one in its place.
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
    /// Deletes a meeting as its organiser would.
    public func deleteByHand(_ id: String) { state.withLock { _ = $0.meetings.removeValue(forKey: id) } }
    /// Ends every grant.
    public func revokeByHand() {
        state.withLock { state in
            state.refreshTokens.removeAll()
            state.accessTokens.removeAll()
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
            guard let user else { return back + "&error=access_denied&error_description=AADSTS65004" }
            state.number += 1
            let code = "0.sandbox-\(state.number)"
            state.codes[code] = (user, fields["redirect_uri"] ?? "", fields["code_challenge"] ?? "")
            return back + "&code=" + code
        }
    }

    /// `path` begins with the tenant, or with `/v1.0`.
    public func handle(_ method: String, _ target: String, headers: [(name: String, value: String)], body: [UInt8]) -> ZoomSandbox.Reply {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let request = SandboxRequest(
            method: method, path: parts[0].split(separator: "/").map { String($0).removingPercentEncoding ?? String($0) },
            query: SandboxRequest.form(parts.count > 1 ? parts[1] : ""), rawQuery: parts.count > 1 ? parts[1] : "", headers: headers,
            body: body)
        if request.path.last == "authorize", method == "POST" {
            let user = request.fields["user"] ?? ""
            return .answer(HTTPResponse(status: 302, headers: [("Location", decide(request.rawQuery, user: user.isEmpty ? nil : user))]))
        }
        let fault = state.withLock { $0.faults.isEmpty ? nil : $0.faults.removeFirst() }
        switch fault {
        case .cutBefore: return .refused
        case .refused(let status, let seconds):
            var answer = Self.error(status, "TooManyRequests", "Refused")
            if let seconds { answer.headers.append(("Retry-After", "\(seconds)")) }
            return .answer(answer)
        default: break
        }
        let answer = state.withLock { $0.answer(request, now()) }
        switch fault {
        case .errorAfter(let status): return .answer(Self.error(status, "generalException", "General exception"))
        case .cutAfter: return .cut
        default: return .answer(answer)
        }
    }

    static func error(_ status: Int, _ code: String, _ message: String) -> HTTPResponse {
        ZoomAnswer.json(
            status,
            ["error": ["code": .string(code), "message": .string(message), "innerError": ["request-id": "sandbox-request"]]])
    }
}

extension MicrosoftSandbox.State {
    fileprivate mutating func answer(_ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        if request.path == [account.tenant, "oauth2", "v2.0", "authorize"] { return consent(request.rawQuery) }
        if request.path == [account.tenant, "oauth2", "v2.0", "token"] { return token(request.fields, now) }
        guard let header = request.header("authorization"), let token = accessTokens[String(header.dropFirst(7))], token.expires > now
        else {
            return MicrosoftSandbox.error(401, "InvalidAuthenticationToken", "Access token is empty or expired.")
        }
        if request.path.prefix(2) == ["v1.0", "subscriptions"] { return subscriptions(request, now) }
        if request.path.prefix(3) == ["v1.0", "me", "calendars"] { return calendars(request) }
        guard request.path.prefix(3) == ["v1.0", "me", "onlineMeetings"] else {
            return MicrosoftSandbox.error(404, "UnknownError", "Resource not found.")
        }
        switch (request.method, request.path.dropFirst(3).first) {
        case ("POST", "createOrGet"): return createOrGet(request, token.user)
        case (let method, let id?): return one(method, id, request, token.user)
        default: return MicrosoftSandbox.error(405, "MethodNotAllowed", "Not allowed.")
        }
    }

    private func consent(_ query: String) -> HTTPResponse {
        let fields = SandboxRequest.form(query)
        guard fields["client_id"] == account.clientID else {
            return ZoomAnswer.page(400, "<p>AADSTS700016: application not found</p>", service: "Microsoft")
        }
        guard account.redirectURLs.contains(fields["redirect_uri"] ?? "") else {
            return ZoomAnswer.page(400, "<p>AADSTS50011: redirect URI mismatch</p>", service: "Microsoft")
        }
        guard fields["scope"]?.contains("OnlineMeetings.ReadWrite") == true, fields["scope"]?.contains("offline_access") == true else {
            return ZoomAnswer.page(400, "<p>AADSTS70011: invalid scope</p>", service: "Microsoft")
        }
        let buttons = account.users.map { "<button name=user value=\"\($0)\">Accept as \($0)</button>" }.joined()
        return ZoomAnswer.page(
            200,
            "<p>Permissions requested: read and create online meetings.</p><form method=post action=\"?\(query.replacing("\"", with: "%22").replacing("<", with: "%3C"))\">\(buttons)<button name=user value=\"\">Cancel</button></form>",
            service: "Microsoft")
    }

    private mutating func token(_ form: [String: String], _ now: Instant) -> HTTPResponse {
        func refuse(_ error: String) -> HTTPResponse {
            ZoomAnswer.json(400, ["error": .string(error), "error_description": "AADSTS00000: sandbox", "error_codes": [70_000]])
        }
        guard form["client_id"] == account.clientID, form["client_secret"] == account.clientSecret else { return refuse("invalid_client") }
        switch form["grant_type"] {
        case "authorization_code":
            guard let code = codes.removeValue(forKey: form["code"] ?? "") else { return refuse("invalid_grant") }
            let digest = SandboxRequest.challenge(of: form["code_verifier"] ?? "")
            guard code.redirect == form["redirect_uri"], digest == code.challenge else { return refuse("invalid_grant") }
            return issue(code.user, now)
        case "refresh_token":
            guard let user = refreshTokens[form["refresh_token"] ?? ""] else { return refuse("invalid_grant") }
            return issue(user, now)
        default: return refuse("unsupported_grant_type")
        }
    }

    private mutating func issue(_ user: String, _ now: Instant) -> HTTPResponse {
        number += 1
        let (access, refresh) = ("eyJ0.sandbox-\(number)", "0.refresh-sandbox-\(number)")
        accessTokens[access] = (user, now + .hours(1))
        refreshTokens[refresh] = user
        let claims: JSON = [
            "oid": .string("oid-" + user.filter(\.isLetter)), "tid": "sandbox-tenant", "preferred_username": .string(user),
            "name": "Ana Ruiz",
        ]
        let identity = ["{}", claims.serialized, "x"].map { Data($0.utf8).base64EncodedString().replacing("=", with: "") }.joined(
            separator: ".")
        return ZoomAnswer.json(
            200,
            [
                "access_token": .string(access), "refresh_token": .string(refresh), "expires_in": 3_599, "token_type": "Bearer",
                "scope": .string(account.scopes), "id_token": .string(identity),
            ])
    }

    private mutating func createOrGet(_ request: SandboxRequest, _ user: String) -> HTTPResponse {
        guard let body = try? JSON(parsing: request.body), let key = body["externalId"]?.string, !key.isEmpty else {
            return MicrosoftSandbox.error(400, "BadRequest", "externalId is required.")
        }
        if let known = meetings.values.first(where: { $0.externalID == key && $0.owner == user }) {
            return ZoomAnswer.json(200, describe(known))
        }
        guard body["startDateTime"] != nil || body["endDateTime"] == nil else {
            return MicrosoftSandbox.error(400, "BadRequest", "endDateTime without startDateTime.")
        }
        number += 1
        created += 1
        let meeting = MicrosoftSandbox.Meeting(id: "MSo\(number)sandbox", owner: user, externalID: key, body: body)
        meetings[meeting.id] = meeting
        return ZoomAnswer.json(201, describe(meeting))
    }

    private mutating func one(_ method: String, _ id: String, _ request: SandboxRequest, _ user: String) -> HTTPResponse {
        guard var meeting = meetings[id], meeting.owner == user else {
            return MicrosoftSandbox.error(404, "NotFound", "Meeting not found.")
        }
        switch method {
        case "GET": return ZoomAnswer.json(200, describe(meeting))
        case "PATCH":
            guard let change = try? JSON(parsing: request.body), (change["startDateTime"] == nil) == (change["endDateTime"] == nil) else {
                return MicrosoftSandbox.error(400, "BadRequest", "startDateTime and endDateTime go together.")
            }
            meeting.body = .object((meeting.body.members ?? []).filter { change[$0.key] == nil } + (change.members ?? []))
            meetings[id] = meeting
            return ZoomAnswer.json(200, describe(meeting))
        case "DELETE":
            meetings[id] = nil
            return HTTPResponse(status: 204)
        default: return MicrosoftSandbox.error(405, "MethodNotAllowed", "Not allowed.")
        }
    }

    private func describe(_ meeting: MicrosoftSandbox.Meeting) -> JSON {
        let audio: JSON = [
            "conferenceId": "123456789", "tollNumber": "+49 69 365057640", "tollFreeNumber": nil, "tollNumbers": ["+49 69 365057640"],
            "tollFreeNumbers": [], "dialinUrl": "https://dialin.teams.sandbox.example/123456789",
        ]
        return [
            "id": .string(meeting.id), "joinWebUrl": .string("https://teams.microsoft.com/l/meetup-join/\(meeting.id)"),
            "subject": meeting.body["subject"] ?? .null, "startDateTime": meeting.body["startDateTime"] ?? .null,
            "endDateTime": meeting.body["endDateTime"] ?? .null, "externalId": .string(meeting.externalID),
            "joinMeetingIdSettings": ["joinMeetingId": "1234567890", "passcode": "Ab3xYz", "isPasscodeRequired": true],
            "audioConferencing": account.hasAudio ? audio : .null,
            "recordAutomatically": account.recordsAlways ? true : meeting.body["recordAutomatically"] ?? false,
        ]
    }
}
