import Foundation
import UsherCore

// What Zoom's endpoints do with a request, against the state of the account.

extension ZoomSandbox.State {
    mutating func answer(_ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        switch request.path {
        case ["oauth", "token"]: return token(request, now)
        case ["oauth", "revoke"]:
            guard let app = client(of: request).flatMap({ account.app($0) }) else { return ZoomAnswer.badClient }
            return revoke(request.fields, app, now)
        case ["apps"]: return appsPage()
        case ["oauth", "authorize"]: return consentPage(request.rawQuery)
        default: break
        }
        guard request.path.first == "v2" else { return ZoomAnswer.error(404, code: 404, "This API endpoint is not recognized.") }
        if let refusal = refusal(request, now) { return refusal }
        var request = request
        if let user = user(of: request) {
            // A user's token may name no user but `me`.
            if request.path.count > 2, request.path[1] == "users" {
                guard request.path[2] == "me" else {
                    return ZoomAnswer.error(400, code: 4711, "Invalid access token, does not contain scopes:[user:read:user:admin].")
                }
                request.path[2] = user
            }
        }
        granted = user(of: request) == nil ? account.scopes : app(of: request)?.scopes ?? []
        switch (request.method, Array(request.path.dropFirst())) {
        case ("POST", let path) where path.count == 3 && path[0] == "users" && path[2] == "meetings":
            return scoped("meeting:write:meeting") { $0.create(path[1], request, now) }
        case ("GET", let path) where path.count == 3 && path[0] == "users" && path[2] == "meetings":
            return scoped("meeting:read:list_meetings") { $0.list(path[1], request, now) }
        case ("GET", let path) where path.count == 3 && path[0] == "users" && path[2] == "settings":
            return scoped("user:read:settings") { $0.settings(path[1]) }
        case ("GET", let path) where path.count == 2 && path[0] == "users":
            return scoped("user:read:user") { $0.user(path[1]) }
        case (let method, let path) where path.count == 2 && path[0] == "meetings":
            return meeting(method, path[1], request, now)
        default: return ZoomAnswer.error(404, code: 404, "This API endpoint is not recognized.")
        }
    }

    mutating func newID() -> Int64 {
        nextNumber += 1
        return 85_000_000_000 + nextNumber * 7_919 % 9_000_000_000
    }

    // MARK: Tokens

    private mutating func token(_ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        func refuse(_ reason: String, _ error: String) -> HTTPResponse {
            ZoomAnswer.json(400, ["reason": .string(reason), "error": .string(error)])
        }
        let form = request.fields
        guard request.method == "POST", request.header("content-type")?.hasPrefix("application/x-www-form-urlencoded") == true else {
            violations.append("the token endpoint takes a form by POST")
            return refuse("Bad Request", "invalid_request")
        }
        let client = client(of: request)
        if let app = client.flatMap({ account.app($0) }) { return userToken(form, app, now) }
        guard client == account.clientID else { return ZoomAnswer.badClient }
        guard form["grant_type"] == "account_credentials" else { return refuse("unsupported grant type", "unsupported_grant_type") }
        guard form["account_id"] == account.accountID else { return refuse("Bad Request", "invalid_request") }
        tokensIssued += 1
        if account.hasOneToken { tokens = tokens.filter { tokenUsers[$0.key] != nil } }
        let access = "sandbox-token-\(tokensIssued)-\(now.microseconds)"
        tokens[access] = now + account.tokenLifetime
        return ZoomAnswer.json(
            200,
            [
                "access_token": .string(access), "token_type": "bearer", "expires_in": .int(account.tokenLifetime.wholeSeconds),
                "scope": .string(account.scopes.sorted().joined(separator: " ")), "api_url": "https://api.zoom.us",
            ])
    }

    /// The client whose id and secret the request carries.
    private func client(of request: SandboxRequest) -> String? {
        ([(account.clientID, account.clientSecret)] + account.apps.map { ($0.clientID, $0.clientSecret) }).first { id, secret in
            request.header("authorization") == "Basic \(Data("\(id):\(secret)".utf8).base64EncodedString())"
        }?.0
    }

    private func app(of request: SandboxRequest) -> ZoomSandbox.UserApp? {
        tokenApps[String((request.header("authorization") ?? "").dropFirst(7))].flatMap { account.app($0) }
    }

    private func user(of request: SandboxRequest) -> String? {
        tokenUsers[String((request.header("authorization") ?? "").dropFirst(7))]
    }

    private mutating func refusal(_ request: SandboxRequest, _ now: Instant) -> HTTPResponse? {
        guard let header = request.header("authorization"), header.hasPrefix("Bearer "),
            let expires = tokens[String(header.dropFirst(7))], expires > now
        else { return ZoomAnswer.error(401, code: 124, "Invalid access token.") }
        if request.header("accept") != "application/json" {
            violations.append("without Accept, Zoom may answer in XML: \(request.method) \(request.path)")
        }
        if ["POST", "PATCH"].contains(request.method), request.header("content-type")?.hasPrefix("application/json") != true {
            violations.append("a body must be JSON: \(request.method) \(request.path)")
        }
        return nil
    }

    private mutating func scoped(_ scope: String, _ body: (inout Self) -> HTTPResponse) -> HTTPResponse {
        let classic = scope.split(separator: ":").prefix(2).joined(separator: ":").replacing("update", with: "write").replacing(
            "delete", with: "write")
        guard !granted.isDisjoint(with: [scope, scope + ":admin", classic, classic + ":admin"]) else {
            return ZoomAnswer.error(400, code: 4711, "Invalid access token, does not contain scopes:[\(scope), \(scope):admin].")
        }
        return body(&self)
    }

    // MARK: Users

    private func find(_ id: String) -> ZoomSandbox.User? {
        if let user = account.users.first(where: { $0.email == id || $0.id == id }) { return user }
        return account.takesAnyHost && id.contains("@") ? ZoomSandbox.User(id) : nil
    }

    private func user(_ id: String) -> HTTPResponse {
        guard let user = find(id) else { return ZoomAnswer.error(404, code: 1001, "User does not exist: \(id).") }
        return ZoomAnswer.json(
            200,
            [
                "id": .string(user.id), "email": .string(user.email), "type": .int(user.type), "status": .string(user.status),
                "account_id": .string(account.accountID), "timezone": "Europe/Berlin",
            ])
    }

    private func settings(_ id: String) -> HTTPResponse {
        guard find(id) != nil else { return ZoomAnswer.error(404, code: 1001, "User does not exist: \(id).") }
        return ZoomAnswer.json(
            200,
            [
                "schedule_meeting": [
                    "require_password_for_scheduling_new_meetings": true, "meeting_password_requirement": account.passcodeRule,
                ],
                "in_meeting": ["waiting_room": false],
            ])
    }

    // MARK: Meetings

    private mutating func create(_ host: String, _ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        guard let user = find(host) else { return ZoomAnswer.error(404, code: 1001, "User does not exist: \(host).") }
        guard user.status == "active" else { return ZoomAnswer.error(404, code: 1120, "The invite has not been accepted.") }
        guard user.type != 99 else {
            return ZoomAnswer.error(400, code: 3161, "Meeting hosting and scheduling capabilities are not allowed for your user account.")
        }
        guard let body = try? JSON(parsing: request.body) else {
            return ZoomAnswer.error(400, code: 300, "Request Body should be a valid JSON object.")
        }
        if let field = ZoomFields.invalid(body, patch: false) { return ZoomAnswer.invalid(field) }
        if let zone = body["timezone"]?.string, account.unknownZones.contains(zone) { return ZoomAnswer.invalid("timezone") }
        guard count(user.email, now) else { return ZoomAnswer.hostLimit }
        let hosts = (body["settings"]?["alternative_hosts"]?.string ?? "").split(separator: ";").map(String.init)
        if let host = hosts.first(where: { find($0)?.type != 2 }) {
            return ZoomAnswer.error(400, code: 3000, "Invalid alternative_hosts: \(host).")
        }
        if let password = body["password"]?.string, !fits(password) { return ZoomAnswer.invalid("password") }
        guard let start = body["start_time"]?.string.flatMap(Instant.init(rfc3339:)) else {
            return ZoomAnswer.invalid("start_time")
        }
        let id = newID()
        let generated = body["default_password"]?.bool == false ? "" : String(100_000 + id % 900_000)
        meetings[id] = ZoomSandbox.Meeting(
            id: id, host: user.email, topic: body["topic"]?.string ?? "", agenda: body["agenda"]?.string ?? "", start: start,
            minutes: body["duration"]?.int ?? 60, timeZone: body["timezone"]?.string ?? "UTC",
            passcode: body["password"]?.string ?? generated, createdAt: now, settings: body["settings"] ?? .object([]))
        ledger.append(.init(at: now, event: .created, meetingID: id, host: user.email))
        return ZoomAnswer.json(201, describe(id))
    }

    /// Whether the host may still create or change something today.
    private mutating func count(_ host: String, _ now: Instant) -> Bool {
        let key = "\(host) \(now.nextDayUTC.seconds)"
        guard changes[key, default: 0] < account.dailyLimit else { return false }
        changes[key, default: 0] += 1
        return true
    }

    private func fits(_ password: String) -> Bool {
        let rule = account.passcodeRule
        let special = password.contains { "@*_-!#".contains($0) }
        return password.count <= 10 && password.count >= Int(rule["length"]?.int ?? 0)
            && (rule["have_number"]?.bool != true || password.contains(where: \.isNumber))
            && (rule["have_letter"]?.bool != true || password.contains(where: \.isLetter))
            && (rule["have_special_character"]?.bool != true || special)
            && (rule["have_upper_and_lower_characters"]?.bool != true
                || (password.contains(where: \.isUppercase) && password.contains(where: \.isLowercase)))
            && (rule["only_allow_numeric"]?.bool != true || password.allSatisfy(\.isNumber))
    }

    private func list(_ host: String, _ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        guard let user = find(host) else { return ZoomAnswer.error(404, code: 1001, "User does not exist: \(host).") }
        let size = min(Int(request.query["page_size"] ?? "30") ?? 30, account.pageSize)
        let listed = meetings.values + lingering.filter { now < $0.until }.map(\.meeting)
        let visible = listed.filter { $0.host == user.email && $0.createdAt + account.listDelay <= now }.sorted { $0.id < $1.id }
        let from = Int(request.query["next_page_token"]?.split(separator: "-").last ?? "0") ?? 0
        let page = visible.dropFirst(from).prefix(size)
        let items = page.map { meeting -> JSON in
            [
                "id": .int(meeting.id), "host_id": .string(user.id), "topic": .string(meeting.topic), "type": 2,
                "start_time": .string(meeting.start.rfc3339), "duration": .int(meeting.minutes), "timezone": .string(meeting.timeZone),
                "created_at": .string(meeting.createdAt.rfc3339), "join_url": .string(joinURL(meeting)),
                "agenda": .string(String(meeting.agenda.prefix(250))),
            ]
        }
        let isLast = from + page.count >= visible.count
        return ZoomAnswer.json(
            200,
            [
                "page_size": .int(Int64(size)), "total_records": .int(Int64(visible.count)),
                "next_page_token": isLast ? "" : "page-\(String(from + page.count))", "meetings": .array(items),
            ])
    }

    private mutating func meeting(_ method: String, _ text: String, _ request: SandboxRequest, _ now: Instant) -> HTTPResponse {
        let gone = ZoomAnswer.error(404, code: 3001, "Meeting does not exist: \(text).")
        switch method {
        case "GET":
            return scoped("meeting:read:meeting") { state in
                guard let id = Int64(text), state.meetings[id] != nil else { return gone }
                return ZoomAnswer.json(200, state.describe(id))
            }
        case "PATCH":
            return scoped("meeting:update:meeting") { state in
                guard let id = Int64(text), let meeting = state.meetings[id] else { return gone }
                guard let body = try? JSON(parsing: request.body) else {
                    return ZoomAnswer.error(400, code: 300, "Request Body should be a valid JSON object.")
                }
                if let field = ZoomFields.invalid(body, patch: true) { return ZoomAnswer.invalid(field) }
                guard state.count(meeting.host, now) else { return ZoomAnswer.hostLimit }
                // A start in the past is ignored, and the answer is 204 all the same.
                if let start = body["start_time"]?.string.flatMap(Instant.init(rfc3339:)), start > now {
                    state.meetings[id]?.start = start
                }
                if let minutes = body["duration"]?.int { state.meetings[id]?.minutes = minutes }
                state.ledger.append(.init(at: now, event: .updated, meetingID: id, host: meeting.host))
                return HTTPResponse(status: 204)
            }
        case "DELETE":
            return scoped("meeting:delete:meeting") { state in
                guard let id = Int64(text), let meeting = state.meetings.removeValue(forKey: id) else { return gone }
                state.ledger.append(.init(at: now, event: .deleted, meetingID: id, host: meeting.host))
                return HTTPResponse(status: 204)
            }
        default: return ZoomAnswer.error(405, code: 405, "Method not allowed.")
        }
    }

    private func joinURL(_ meeting: ZoomSandbox.Meeting) -> String {
        "https://zoom.sandbox.example/j/\(meeting.id)" + (meeting.passcode.isEmpty ? "" : "?pwd=\(meeting.id * 31 % 999_999_937).1")
    }

    /// What holds of recordings and the assistant.
    private func policy(_ meeting: ZoomSandbox.Meeting) -> [JSON.Member] {
        (account.defaults.members ?? []).map { member in
            account.locked.contains(member.key) ? member : .init(member.key, meeting.settings[member.key] ?? member.value)
        }
    }

    private func describe(_ id: Int64) -> JSON {
        guard let meeting = meetings[id] else { return .null }
        let phone = meeting.passcode.allSatisfy(\.isNumber) ? meeting.passcode : String(100_000 + id % 899_999)
        let numbers: [(String, String, String)] = [
            ("DE", "+49 69 7104 9922", "toll"), ("US", "+1 646 558 8656", "toll"), ("GB", "+44 800 260 5801", "tollfree"),
        ]
        return [
            "id": .int(id), "uuid": "4444AAAiAAAAAiAiAiiAii==", "host_id": .string(find(meeting.host)?.id ?? ""),
            "host_email": .string(meeting.host),
            "topic": .string(meeting.topic), "type": 2, "status": "waiting", "start_time": .string(meeting.start.rfc3339),
            "duration": .int(meeting.minutes), "timezone": .string(meeting.timeZone), "agenda": .string(meeting.agenda),
            "created_at": .string(meeting.createdAt.rfc3339), "start_url": "https://zoom.sandbox.example/s/\(String(id))?zak=host-secret",
            "join_url": .string(joinURL(meeting)), "password": .string(meeting.passcode),
            "pstn_password": .string(meeting.passcode.isEmpty ? "" : phone),
            "settings": .object(
                policy(meeting) + [
                    .init("use_pmi", false),
                    .init(
                        "global_dial_in_numbers",
                        .array(numbers.map { ["country": .string($0.0), "number": .string($0.1), "type": .string($0.2)] })),
                ]),
        ]
    }
}
