import ProviderSupport
import UsherCore

/// Events with a Meet link in the owner's first calendar.
/// Source: https://developers.google.com/workspace/calendar/api/guides/create-events#conferencing
struct GoogleMeetRooms {
    private let client: GoogleMeetClient
    private var call: ProviderContext { client.call }

    /// Google makes the link after the event; so long until the next look.
    private static let pendingWait = Duration.seconds(2)
    private static let mark = "usher"

    init(_ client: GoogleMeetClient) { self.client = client }

    private static func path(_ id: String) -> String { "/calendars/primary/events/\(percentEncoded(id))" }
    private static let asked = "conferenceDataVersion=1&sendUpdates=none"

    func create(_ request: RoomRequest) async throws(ProviderError) -> ProvidedRoom {
        let body: JSON = [
            "id": .string(request.key), "summary": .string(request.title), "description": .string(request.description),
            "start": Self.time(request.start, request.timeZone), "end": Self.time(request.end, request.timeZone),
            "conferenceData": [
                "createRequest": ["requestId": .string(request.key), "conferenceSolutionKey": ["type": "hangoutsMeet"]]
            ],
            "extendedProperties": ["private": [Self.mark: .string(request.key), "\(Self.mark)-app": "1"]],
        ]
        do throws(ProviderError) {
            let answer = try await client.send("POST", "/calendars/primary/events?\(Self.asked)", body: body, changes: true)
            return try room(answer, isUnclear: true)
        } catch {
            // The id is taken: by an attempt of ours whose answer was lost.
            guard error.cause.hasPrefix("HTTP 409") else { throw error }
            return try await fetch(request.key)
        }
    }

    func find(_ key: String?) async throws(ProviderError) -> [FoundRoom] {
        guard let key else { return try await list() }
        do throws(ProviderError) {
            let event = try await client.send("GET", Self.path(key), changes: false)
            return event["status"] == "cancelled" ? [] : [Self.found(event.json ?? .null)].compactMap(\.self)
        } catch {
            if error.code == .meetingGone { return [] }
            throw error
        }
    }

    /// All events of ours from now on.
    private func list() async throws(ProviderError) -> [FoundRoom] {
        let now = percentEncoded(call.environment.now().rfc3339)
        let events = try await client.list(
            "/calendars/primary/events?privateExtendedProperty=\(Self.mark)-app%3D1&maxResults=2500&timeMin=\(now)", items: "items",
            next: "nextPageToken", parameter: "pageToken")
        var found: [(room: FoundRoom, made: Instant)] = []
        for event in events where event["status"] != "cancelled" {
            guard let room = Self.found(event) else { continue }
            found.append((room, event["created"]?.string.flatMap(Instant.init(rfc3339:)) ?? Instant(seconds: 0)))
        }
        return found.sorted { ($0.made, $0.room.id) < ($1.made, $1.room.id) }.map(\.room)
    }

    private static func found(_ event: JSON) -> FoundRoom? {
        guard let id = event["id"]?.string, let key = event["extendedProperties"]?["private"]?[mark]?.string else { return nil }
        return FoundRoom(id: id, key: key)
    }

    /// Changes the time alone: what the owner has changed in their calendar stays theirs.
    func update(_ id: String, to request: RoomRequest) async throws(ProviderError) -> ProvidedRoom {
        let before = try await fetch(id)
        if before.start == request.start, before.end == request.end { return before }
        let change: JSON = ["start": Self.time(request.start, request.timeZone), "end": Self.time(request.end, request.timeZone)]
        return try room(try await client.send("PATCH", "\(Self.path(id))?\(Self.asked)", body: change, changes: true), isUnclear: true)
    }

    func cancel(_ id: String) async throws(ProviderError) {
        do throws(ProviderError) { _ = try await client.send("DELETE", "\(Self.path(id))?sendUpdates=none", changes: true) } catch {
            if error.code != .meetingGone { throw error }
        }
    }

    func fetch(_ id: String) async throws(ProviderError) -> ProvidedRoom {
        try room(try await client.send("GET", Self.path(id), changes: false), isUnclear: false)
    }

    private static func time(_ instant: Instant, _ zone: String) -> JSON {
        ["dateTime": .string(instant.rfc3339), "timeZone": .string(zone)]
    }

    // MARK: Answers

    /// - Parameter isUnclear: the event was made or changed by this very call.
    private func room(_ answer: JSONAnswer, isUnclear: Bool) throws(ProviderError) -> ProvidedRoom {
        guard answer["status"] != "cancelled" else {
            throw ProviderError(
                .meetingGone, retry: .never, "The event was deleted in the Google calendar.", remedy: "Retry the booking to make a new one."
            )
        }
        let conference = answer["conferenceData"]
        let entries = conference?["entryPoints"]?.array ?? []
        let video = entries.first { $0["entryPointType"] == "video" }?["uri"]?.string ?? answer["hangoutLink"]?.string
        guard let id = answer["id"]?.string, let video else {
            switch conference?["createRequest"]?["status"]?["statusCode"]?.string {
            case "failure":
                throw ProviderError(
                    .plan, retry: .never, "Google made the event, but no Meet link.",
                    remedy: "Check that the account may use Google Meet; then retry the booking.", cause: "conference status failure")
            default:
                // The link follows the event; a look at the event will tell.
                throw ProviderError(
                    .unavailable, retry: .at(call.environment.now() + Self.pendingWait), isUnclear: isUnclear,
                    "Google is still making the Meet link.", remedy: "Nothing to do: it is looked at again by itself.")
            }
        }
        return ProvidedRoom(
            id: id, room: Room(joinURL: video, meetingID: conference?["conferenceId"]?.text ?? "", dialIn: entries.compactMap(Self.dialIn)),
            start: Self.instant(answer["start"]),
            end: Self.instant(answer["end"]))
    }

    /// `tel:+12345678900` with a pin beside it.
    private static func dialIn(_ entry: JSON) -> DialIn? {
        guard entry["entryPointType"] == "phone", let uri = entry["uri"]?.string, uri.hasPrefix("tel:+") else { return nil }
        // Hyphens may be in it, and a whole dial string may follow.
        let digits = uri.dropFirst(4).prefix { $0 != "," && $0 != ";" }.filter { $0 == "+" || $0.isNumber }
        guard digits.count > 6, let country = entry["regionCode"]?.string else { return nil }
        let pin = entry["pin"]?.string.map { $0.filter(\.isNumber) }
        return DialIn(country: country, number: entry["label"]?.string ?? String(digits), pin: pin?.isEmpty == true ? nil : pin)
    }

    private static func instant(_ time: JSON?) -> Instant? {
        if let instant = time?["dateTime"]?.string.flatMap(Instant.init(rfc3339:)) { return instant }
        return nil
    }
}
