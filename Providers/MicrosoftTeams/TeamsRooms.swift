import ProviderSupport
import UsherCore

/// Making, moving and removing online meetings.
/// Source: https://learn.microsoft.com/graph/api/resources/onlinemeeting
struct TeamsRooms {
    private let client: TeamsClient

    init(_ client: TeamsClient) { self.client = client }

    private static func path(_ id: String) -> String { "/me/onlineMeetings/\(percentEncoded(id))" }

    func create(_ request: RoomRequest) async throws(ProviderError) -> ProvidedRoom {
        let body: JSON = [
            "externalId": .string(request.key), "startDateTime": .string(request.start.rfc3339),
            "endDateTime": .string(request.end.rfc3339), "subject": .string(request.title),
        ]
        let made = try await client.send("POST", "/me/onlineMeetings/createOrGet", body: body, changes: true)
        return try await recorded(try Self.room(made), made["recordAutomatically"]?.bool, request.options)
    }

    /// createOrGet takes no setting: whether the meeting is recorded by itself is said afterwards, and read back.
    private func recorded(_ made: ProvidedRoom, _ present: Bool?, _ options: MeetingOptions) async throws(ProviderError) -> ProvidedRoom {
        guard let recording = options.recording, recording != .inherit, present != (recording != .off) else { return made }
        let answer: JSONAnswer
        do throws(ProviderError) { answer = try await record(recording, made.id) } catch {
            // Deleted in between: asked again, createOrGet gives another.
            guard error.code != .meetingGone else {
                throw ProviderError(
                    .unavailable, retry: .backoff, isUnclear: true, error.message, remedy: error.remedy, operation: error.operation,
                    cause: error.cause)
            }
            // The meeting stands, whatever became of its setting.
            var room = made
            room.notes.append("Microsoft did not take whether the meeting is recorded: \(error.message)")
            return room
        }
        var room = try Self.room(answer)
        if let kept = answer["recordAutomatically"]?.bool, kept != (recording != .off) {
            room.notes.append(
                "Microsoft \(kept ? "records the meeting" : "does not record the meeting") by itself, whatever was asked: a policy says so."
            )
        }
        return room
    }

    private func record(_ recording: MeetingOptions.Recording, _ id: String) async throws(ProviderError) -> JSONAnswer {
        let body: JSON = ["recordAutomatically": .bool(recording != .off)]
        do throws(ProviderError) { return try await client.send("PATCH", Self.path(id), body: body, changes: true) } catch {
            // Once more, after a moment's trouble.
            guard error.retry != .never else { throw error }
            return try await client.send("PATCH", Self.path(id), body: body, changes: true)
        }
    }

    /// Start and end go together: Graph moves neither alone.
    func update(_ roomID: String, to request: RoomRequest) async throws(ProviderError) -> ProvidedRoom {
        let before = try await fetch(roomID)
        if before.start == request.start, before.end == request.end { return before }
        let change: JSON = ["startDateTime": .string(request.start.rfc3339), "endDateTime": .string(request.end.rfc3339)]
        return try Self.room(try await client.send("PATCH", Self.path(roomID), body: change, changes: true))
    }

    func cancel(_ roomID: String) async throws(ProviderError) {
        do throws(ProviderError) { _ = try await client.send("DELETE", Self.path(roomID), changes: true) } catch {
            if error.code != .meetingGone { throw error }
        }
    }

    func fetch(_ roomID: String) async throws(ProviderError) -> ProvidedRoom {
        try Self.room(try await client.send("GET", Self.path(roomID), changes: false))
    }

    /// Numbers are there only where the organiser has an Audio Conferencing licence.
    private static func room(_ answer: JSONAnswer) throws(ProviderError) -> ProvidedRoom {
        guard let id = answer["id"]?.string, let url = answer["joinWebUrl"]?.string else {
            throw ProviderError(
                .unavailable, retry: .backoff, isUnclear: true, "Microsoft described the meeting without its id and link.",
                remedy: "Nothing to do: it is asked again by itself.", operation: "onlineMeetings")
        }
        let access = answer["joinMeetingIdSettings"]
        let audio = answer["audioConferencing"]
        let pin = audio?["conferenceId"]?.text?.filter(\.isNumber)
        func numbers(_ one: String, _ many: String, tollFree: Bool) -> [DialIn] {
            let all = [audio?[one]?.string].compactMap(\.self) + (audio?[many]?.array ?? []).compactMap(\.string)
            var seen: Set<String> = []
            return all.filter { seen.insert($0).inserted }.compactMap { number in
                callingCountry(number).map { DialIn(country: $0, number: number, pin: pin, tollFree: tollFree) }
            }
        }
        return ProvidedRoom(
            id: id,
            room: Room(
                joinURL: url, meetingID: access?["joinMeetingId"]?.text ?? "", passcode: access?["passcode"]?.text,
                dialIn: numbers("tollNumber", "tollNumbers", tollFree: false) + numbers("tollFreeNumber", "tollFreeNumbers", tollFree: true)
            ),
            start: instant(answer["startDateTime"]), end: instant(answer["endDateTime"]))
    }

    private static func instant(_ time: JSON?) -> Instant? {
        if let instant = time?.string.flatMap(Instant.init(rfc3339:)) { return instant }
        return nil
    }
}
