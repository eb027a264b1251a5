import Foundation
import Synchronization
import UsherCore

/// A stand-in for Zoom's token, user and meeting endpoints: it remembers what it is told, refuses what Zoom would refuse, and
/// keeps a ledger of every room that was made and removed.
///
/// Its rules follow the public reference at https://developers.zoom.us/docs/api/meetings/ .
public final class ZoomSandbox: Sendable {
    /// A user of the account.
    public struct User: Sendable {
        /// The user's address, which names them to the API.
        public var email: String
        /// 1 Basic, 2 Licensed.
        public var type: Int64
        /// `active`, `inactive` or `pending`.
        public var status: String
        /// Takes each property as it is.
        public init(_ email: String, type: Int64 = 2, status: String = "active") {
            self.email = email
            self.type = type
            self.status = status
        }
        var id: String { "u" + email.filter { $0.isLetter || $0.isNumber } }
    }

    /// How the account is set up.
    public struct Account: Sendable {
        /// The account's id.
        public var accountID = "sandbox-account"
        /// The Server-to-Server app's id.
        public var clientID = "sandbox-client"
        /// Its secret.
        public var clientSecret = "sandbox-secret"
        /// What its tokens hold.
        public var scopes: Set<String> = [
            "meeting:write:meeting:admin", "meeting:read:meeting:admin", "meeting:update:meeting:admin", "meeting:delete:meeting:admin",
            "meeting:read:list_meetings:admin", "user:read:user:admin", "user:read:settings:admin",
        ]
        /// The users of the account.
        public var users: [User] = []
        /// The app that users connect.
        public var userApp = UserApp()
        /// Apps that organisations have made for themselves.
        public var otherApps: [UserApp] = []
        var apps: [UserApp] { [userApp] + otherApps }
        func app(_ clientID: String) -> UserApp? { apps.first { $0.clientID == clientID } }
        /// Every address at all is a licensed user.
        public var takesAnyHost = false
        /// Creates and changes for each host and UTC day.
        public var dailyLimit = 100
        /// Zones that Zoom's own list lacks.
        public var unknownZones: Set<String> = []
        /// How long a new meeting is missing from lists.
        public var listDelay = Duration.zero
        /// The most that a page of a list holds.
        public var pageSize = 300
        /// Issuing a token ends the one before.
        public var hasOneToken = true
        /// How long an access token is good for.
        public var tokenLifetime = Duration.hours(1)
        /// Settings of meetings as the account has them where a meeting does not say, or whatever it says.
        public var defaults: JSON = [
            "auto_recording": "none", "auto_start_meeting_summary": true, "auto_start_ai_companion_questions": true,
        ]
        /// The names of those that no meeting may have otherwise.
        public var locked: Set<String> = []
        /// What the account asks of passcodes, as `GET /users/{id}/settings` says it.
        public var passcodeRule: JSON = ["length": 6, "have_number": true]
        /// The defaults.
        public init() {}
    }

    /// What is to go wrong with a request.
    public enum Fault: Hashable, Sendable {
        case unauthorized
        case perSecondLimit
        case dailyLimit
        case hostLimit
        case tooManyConcurrent
        case errorBefore(status: Int)
        /// Carried out, and then an error.
        case errorAfter(status: Int)
        /// The connection is cut before the request is read.
        case cutBefore
        /// Carried out, and then the connection is cut.
        case cutAfter
        /// Carried out, and answered only after so long.
        case late(Duration)
        /// An error in XML.
        case xml
    }

    /// Something that happened to a room.
    public struct Entry: Hashable, Sendable {
        /// What happened.
        public enum Event: String, Sendable { case created, updated, deleted }
        /// When.
        public var at: Instant
        /// What happened.
        public var event: Event
        /// To which room.
        public var meetingID: Int64
        /// Whose room it is.
        public var host: String
    }

    /// A meeting as the account holds it.
    public struct Meeting: Hashable, Sendable {
        /// The meeting number.
        public var id: Int64
        /// Whose room it is.
        public var host: String
        /// The title.
        public var topic: String
        /// The description; ours begins with the key.
        public var agenda: String
        /// When it begins.
        public var start: Instant
        /// How long it lasts.
        public var minutes: Int64
        /// IANA name.
        public var timeZone: String
        /// Empty where there is none.
        public var passcode: String
        /// When it was made.
        public var createdAt: Instant
        /// As the meeting has them.
        public var settings: JSON
    }

    struct State {
        var account: Account
        var meetings: [Int64: Meeting] = [:]
        /// Deleted, and still listed until then: Zoom's lists are late.
        var lingering: [(meeting: Meeting, until: Instant)] = []
        var ledger: [Entry] = []
        var tokens: [String: Instant] = [:]
        var tokensIssued = 0
        /// Whose token it is, where it is a user's.
        var tokenUsers: [String: String] = [:]
        /// The app that a user's token was given to.
        var tokenApps: [String: String] = [:]
        var codes: [String: Code] = [:]
        var grants: [UserGrant] = []
        var refreshes = 0
        var staleRefreshes = 0
        var changes: [String: Int] = [:]
        var nextNumber: Int64 = 0
        var faults: [Fault] = []
        /// Of the request at hand.
        var granted: Set<String> = []
        var requests = 0
        var violations: [String] = []
    }

    let state: Mutex<State>
    let now: @Sendable () -> Instant
    /// Decides for each request whether something goes wrong; asked beside the faults that are queued.
    private let chance: @Sendable (_ method: String, _ path: String) -> Fault?

    /// - Parameters:
    ///   - account: how it is set up.
    ///   - now: the clock that tokens and events go by.
    public init(
        _ account: Account, now: @escaping @Sendable () -> Instant,
        chance: @escaping @Sendable (_ method: String, _ path: String) -> Fault? = { _, _ in nil }
    ) {
        state = Mutex(State(account: account))
        self.now = now
        self.chance = chance
    }

    /// The rooms that exist now.
    public var meetings: [Meeting] { state.withLock { $0.meetings.values.sorted { $0.id < $1.id } } }
    /// Everything that happened to rooms, in its order.
    public var ledger: [Entry] { state.withLock { $0.ledger } }
    /// How many tokens were ever given.
    public var tokensIssued: Int { state.withLock { $0.tokensIssued } }
    /// How many requests came.
    public var requests: Int { state.withLock { $0.requests } }
    /// What a caller did that Zoom's rules forbid.
    public var violations: [String] { state.withLock { $0.violations } }

    /// How long a new meeting is missing from lists.
    public var listDelay: Duration { state.withLock { $0.account.listDelay } }

    /// Makes the next requests go wrong, one fault each.
    public func inject(_ faults: Fault...) { state.withLock { $0.faults += faults } }
    /// Sets the account up otherwise.
    public func change(_ body: (inout Account) -> Void) { state.withLock { body(&$0.account) } }

    /// A meeting that somebody else made, in the web portal say.
    @discardableResult
    public func makeForeign(host: String, agenda: String, start: Instant) -> Int64 {
        state.withLock { state in
            let id = state.newID()
            state.meetings[id] = Meeting(
                id: id, host: host, topic: "Foreign", agenda: agenda, start: start, minutes: 30, timeZone: "UTC", passcode: "1",
                createdAt: now(), settings: .object([]))
            return id
        }
    }

    /// Deletes a meeting as its host would in the web portal.
    /// - Parameter lag: so long it is listed all the same.
    public func deleteAtPortal(_ id: Int64, listedFor lag: Duration = .zero) {
        state.withLock { state in
            guard let meeting = state.meetings.removeValue(forKey: id), lag > .zero else { return }
            state.lingering.append((meeting, now() + lag))
        }
    }

    /// Changes a meeting as its host would in the web portal.
    public func editAtPortal(_ id: Int64, _ change: (inout Meeting) -> Void) {
        state.withLock { state in if var meeting = state.meetings[id] { change(&meeting); state.meetings[id] = meeting } }
    }

    /// What became of a request.
    public enum Reply: Sendable {
        case answer(HTTPResponse)
        /// An answer that takes its time.
        case late(HTTPResponse, after: Duration)
        /// No answer; the server may have done it.
        case cut
        /// No connection.
        case refused
    }

    /// Answers one request; `path` begins with `/oauth` or `/v2`.
    public func handle(_ method: String, _ target: String, headers: [(name: String, value: String)], body: [UInt8]) -> Reply {
        let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
        let path = parts.first ?? "/"
        let request = SandboxRequest(
            method: method, path: path.split(separator: "/").map { String($0).removingPercentEncoding ?? String($0) },
            query: SandboxRequest.form(parts.count > 1 ? parts[1] : ""), rawQuery: parts.count > 1 ? parts[1] : "", headers: headers,
            body: body)
        if request.path == ["oauth", "authorize"], method == "POST" {
            let user = request.fields["user"] ?? ""
            return .answer(HTTPResponse(status: 302, headers: [("Location", decide(request.rawQuery, user: user.isEmpty ? nil : user))]))
        }
        let fault =
            state.withLock { state -> Fault? in
                state.requests += 1
                return state.faults.isEmpty ? nil : state.faults.removeFirst()
            } ?? chance(method, path)
        if let fault, let reply = before(fault, request) { return reply }
        let answer = state.withLock { $0.answer(request, now()) }
        switch fault {
        case .errorAfter(let status): return .answer(ZoomAnswer.error(status, code: 0, "Internal error."))
        case .cutAfter: return .cut
        case .late(let wait): return .late(answer.dated(now()), after: wait)
        default: return .answer(answer.dated(now()))
        }
    }

    private func before(_ fault: Fault, _ request: SandboxRequest) -> Reply? {
        let day = now().nextDayUTC
        switch fault {
        case .unauthorized: return .answer(ZoomAnswer.error(401, code: 124, "Invalid access token."))
        case .perSecondLimit:
            return .answer(
                ZoomAnswer.error(
                    429, code: 429, "You have reached the maximum per-second rate limit for this API. Try again later.",
                    headers: [("X-RateLimit-Category", "Medium"), ("X-RateLimit-Type", "QPS")]))
        case .dailyLimit:
            return .answer(
                ZoomAnswer.error(
                    429, code: 429, "You have reached the maximum daily rate limit for this API.",
                    headers: [("x-ratelimit-type", "Daily-limit"), ("Retry-After", day.rfc3339)]))
        case .hostLimit: return .answer(ZoomAnswer.hostLimit)
        case .tooManyConcurrent: return .answer(ZoomAnswer.error(429, code: 429, "Too many concurrent requests. Please try again later."))
        case .errorBefore(let status): return .answer(ZoomAnswer.error(status, code: 0, "Internal error."))
        case .cutBefore: return .refused
        case .xml:
            return .answer(
                HTTPResponse(
                    status: 500, headers: [("Content-Type", "application/xml")],
                    body: Array("<?xml version=\"1.0\"?><result><code>500</code><message>Internal error</message></result>".utf8)))
        case .errorAfter, .cutAfter, .late: return nil
        }
    }
}
