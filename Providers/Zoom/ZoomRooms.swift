import ProviderSupport
import UsherCore

/// Making, finding, moving and removing meetings: the same for both kinds of app.
/// Source: https://developers.zoom.us/docs/api/meetings/
struct ZoomRooms {
    private let client: ZoomClient
    private var call: ProviderContext { client.call }
    /// A user's own token may ask after nobody else.
    private let seesOtherUsers: Bool

    init(_ client: ZoomClient, seesOtherUsers: Bool = true) {
        self.client = client
        self.seesOtherUsers = seesOtherUsers
    }

    func create(_ request: RoomRequest) async throws(ProviderError) -> ProvidedRoom {
        var notes: [String] = []
        var draft = MeetingDraft(request)
        draft.alternativeHosts = try await usableHosts(request.options.alternativeHosts, &notes)
        if request.options.passcode == .generate {
            draft.passcode = ZoomPasscodePolicy(try await settings(request.host)).passcode(call.environment)
        }
        let path = "/users/\(percentEncoded(request.host))/meetings"
        let answer = try await insist(path, &draft, &notes)
        guard answer.status == 201, let meeting = ZoomMeeting(answer.json) else {
            throw ProviderError(
                .unavailable, retry: .backoff, isUnclear: true, "Zoom answered a new meeting without its id and link.",
                remedy: "Nothing to do: it is looked up by itself.", operation: "POST \(path)", cause: "HTTP \(answer.status)")
        }
        var room = meeting.provided
        room.notes = notes + ZoomPolicy(request.options).differences(answer["settings"])
        return room
    }

    /// Creates without what Zoom refuses, where the meeting itself does not depend on it: each is dropped once, and named.
    private func insist(_ path: String, _ draft: inout MeetingDraft, _ notes: inout [String]) async throws(ProviderError) -> JSONAnswer {
        while true {
            do throws(ProviderError) { return try await client.send("POST", path, body: draft.json, changes: true) } catch {
                guard error.code == .rejected else { throw error }
                if !draft.alternativeHosts.isEmpty, error.cause.contains("alternative_host") {
                    notes.append(
                        "Zoom refused \(draft.alternativeHosts.joined(separator: ", ")) as alternative hosts; the meeting was made without them."
                    )
                    draft.alternativeHosts = []
                } else if draft.timeZone != "UTC", error.cause.contains("timezone") {
                    // The start is an instant all the same; the zone is only what the host is shown.
                    notes.append("Zoom does not know the time zone \(draft.timeZone); it shows the host UTC.")
                    draft.timeZone = "UTC"
                } else {
                    throw error
                }
            }
        }
    }

    func find(_ key: String?, host: String) async throws(ProviderError) -> [FoundRoom] {
        let meetings = try await client.list(
            "/users/\(percentEncoded(host))/meetings?type=scheduled&page_size=300", items: "meetings", next: "next_page_token",
            parameter: "next_page_token")
        var found: [(room: FoundRoom, made: Instant)] = []
        for meeting in meetings {
            guard let mark = ZoomMarker.key(in: meeting["agenda"]?.string), key == nil || mark == key, let id = meeting["id"]?.text
            else { continue }
            let made = meeting["created_at"]?.string.flatMap(Instant.init(rfc3339:)) ?? Instant(seconds: 0)
            found.append((FoundRoom(id: id, key: mark), made))
        }
        return found.sorted { ($0.made, $0.room.id) < ($1.made, $1.room.id) }.map(\.room)
    }

    /// Changes the time alone, and only where it differs: each change counts against the host's 100 a day, and what hosts have
    /// changed at Zoom stays theirs.
    func update(_ id: String, to request: RoomRequest) async throws(ProviderError) -> ProvidedRoom {
        let before = try await fetch(id)
        if before.start == request.start, before.end == request.end { return before }
        let change: JSON = [
            "start_time": .string(request.start.rfc3339), "timezone": .string(request.timeZone), "duration": .int(request.minutes),
        ]
        _ = try await client.send("PATCH", "/meetings/\(percentEncoded(id))", body: change, changes: true)
        do throws(ProviderError) { return try await fetch(id) } catch {
            // The change has taken hold, whatever this says.
            var unclear = error
            unclear.isUnclear = true
            throw unclear
        }
    }

    func cancel(_ id: String) async throws(ProviderError) {
        do throws(ProviderError) {
            _ = try await client.send("DELETE", "/meetings/\(percentEncoded(id))?cancel_meeting_reminder=false", changes: true)
        } catch { if error.code != .meetingGone { throw error } }
    }

    func fetch(_ id: String) async throws(ProviderError) -> ProvidedRoom {
        let answer = try await client.send("GET", "/meetings/\(percentEncoded(id))", changes: false)
        guard let meeting = ZoomMeeting(answer.json) else {
            throw ProviderError(
                .unavailable, retry: .backoff, "Zoom described the meeting without its id and link.",
                remedy: ProviderError.triedAgain, operation: "GET /meetings/{id}")
        }
        return meeting.provided
    }

    /// The host's settings; `nil` when the app may not read them.
    private func settings(_ host: String) async throws(ProviderError) -> JSON? {
        do throws(ProviderError) {
            return try await client.send("GET", "/users/\(percentEncoded(host))/settings", changes: false).json
        } catch {
            if error.code == .missingScope { return nil }
            throw error
        }
    }

    /// The alternative hosts that Zoom can take: active users with a licence. One that it cannot would spoil every later change.
    private func usableHosts(_ hosts: [String], _ notes: inout [String]) async throws(ProviderError) -> [String] {
        guard seesOtherUsers else { return hosts }
        var usable: [String] = []
        for host in hosts {
            do throws(ProviderError) {
                let user = try await client.send("GET", "/users/\(percentEncoded(host))", changes: false)
                let isActive = (user["status"]?.string ?? "active") == "active"
                if isActive, user["type"]?.int != 1 {
                    usable.append(host)
                } else {
                    notes.append(
                        "\(host) cannot be an alternative host: \(isActive ? "the account has no licence" : "the account is not active").")
                }
            } catch {
                switch error.code {
                case .hostUnknown: notes.append("\(host) cannot be an alternative host: Zoom does not know that address in this account.")
                case .missingScope: usable.append(host)
                default: throw error
                }
            }
        }
        return usable
    }
}

/// The body of `POST /users/{userId}/meetings`.
private struct MeetingDraft {
    private let request: RoomRequest
    var alternativeHosts: [String] = []
    var passcode: String?
    var timeZone: String

    init(_ request: RoomRequest) {
        self.request = request
        timeZone = request.timeZone
    }

    var json: JSON {
        // A personal room would be shared by all meetings, so it is refused by name and not left to a default.
        var settings = [JSON.Member("use_pmi", false)] + ZoomPolicy.silence + ZoomPolicy(request.options).members
        if let waitingRoom = request.options.waitingRoom { settings.append(JSON.Member("waiting_room", .bool(waitingRoom))) }
        if let early = request.options.joinBeforeHost { settings.append(JSON.Member("join_before_host", .bool(early))) }
        if !alternativeHosts.isEmpty {
            settings.append(JSON.Member("alternative_hosts", .string(alternativeHosts.joined(separator: ";"))))
        }
        var members = [
            JSON.Member("topic", .string(ZoomMarker.cut(request.title, to: 200))), JSON.Member("type", 2),
            JSON.Member("start_time", .string(request.start.rfc3339)), JSON.Member("timezone", .string(timeZone)),
            JSON.Member("duration", .int(request.minutes)),
            JSON.Member("agenda", .string(ZoomMarker.agenda(request.key, request.description))),
        ]
        switch request.options.passcode {
        case .inherit: members.append(JSON.Member("default_password", true))
        case .none: members.append(JSON.Member("default_password", false))
        case .generate: if let passcode { members.append(JSON.Member("password", .string(passcode))) }
        }
        members.append(JSON.Member("settings", .object(settings)))
        return .object(members)
    }
}

extension RoomRequest {
    fileprivate var minutes: Int64 { max(1, (end - start).wholeSeconds / 60) }
}
