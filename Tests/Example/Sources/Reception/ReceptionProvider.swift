import ProviderSupport
import UsherCore

/// Rooms at a service with an API of its own, which lists them by a reference of the caller's: a module that looks for the room of a
/// create whose answer was lost.
///
///     POST   /rooms {"reference", "title", "start", "end"}  → 201 {"id", "link", "reference", "start", "end", "created"}
///     GET    /rooms?reference=…                             → 200 [{…}], oldest first; all of them without the reference
///     GET    /rooms/{id}, PATCH /rooms/{id} {"start", "end"} → 200 {…}, 404
///     DELETE /rooms/{id}                                    → 204, 404
///
/// What goes wrong is answered with `{"error": "…"}`; 429 bears `Retry-After`.
public enum ReceptionProvider: Provider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "reception", name: "Reception", connection: .site, capabilities: [.schedule],
        creation: .lookup(settles: .seconds(5)),
        settings: [.init("url", .urlTemplate(marks: []), "Where the service is; RECEPTION_URL where it is not given")],
        credentialPrefix: "RECEPTION", credentials: ["API_KEY"], endpoints: ["RECEPTION_URL"])

    /// Makes a room whose reference is the key.
    public static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        let body: JSON = [
            "reference": .string(request.key), "title": .string(String(request.title.prefix(longestTitle))),
            "start": .string(request.start.rfc3339), "end": .string(request.end.rfc3339),
        ]
        return try room(try await ask("POST", "/rooms", body, call), changes: true)
    }

    private static let longestTitle = 200

    /// The rooms of a reference, or all.
    public static func find(_ key: String?, host: String, _ call: ProviderContext) async throws(ProviderError) -> [FoundRoom] {
        let answer = try await ask("GET", "/rooms" + (key.map { "?reference=\(percentEncoded($0))" } ?? ""), nil, call)
        guard let items = answer.json?.array else { throw unreadable("GET /rooms", changes: false) }
        var found: [FoundRoom] = []
        for item in items {
            // A part of the list would pass for the whole.
            guard let id = item["id"]?.string, let key = item["reference"]?.string else { throw unreadable("GET /rooms", changes: false) }
            found.append(FoundRoom(id: id, key: key))
        }
        return found
    }

    /// Moves the room.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom {
        let times: JSON = ["start": .string(request.start.rfc3339), "end": .string(request.end.rfc3339)]
        return try room(try await ask("PATCH", path(roomID), times, call), changes: true)
    }

    /// Takes the room away, if it is there.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {
        do throws(ProviderError) { _ = try await ask("DELETE", path(roomID), nil, call) } catch {
            guard error.code == .meetingGone else { throw error }
        }
    }

    /// The room as it is now.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try room(try await ask("GET", path(roomID), nil, call), changes: false)
    }

    /// Looks whether the service takes the key.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        do throws(ProviderError) {
            let answer = try await ask("GET", "/rooms?reference=preflight", nil, call)
            return Preflight(problems: [], providerTime: answer.response.header("Date").flatMap(httpDate))
        } catch { return Preflight(problems: [error.problem]) }
    }

    private static func path(_ id: String) -> String { "/rooms/\(percentEncoded(id))" }

    // MARK: Requests and answers

    private static func ask(
        _ method: String, _ path: String, _ body: JSON?, _ call: ProviderContext
    ) async throws(ProviderError) -> JSONAnswer {
        let base = try call.address("url", or: "RECEPTION_URL", example: "https://reception.example")
        let key = call.credentials["API_KEY"]?.reveal() ?? ""
        let operation = "\(method) \(path.hasPrefix("/rooms/") ? "/rooms/{id}" : "/rooms")"
        let changes = method != "GET"
        let answer: JSONAnswer
        do throws(TransportError) {
            answer = try await call.exchange(method, base + path, headers: [("Authorization", "Bearer \(key)")], body: body)
        } catch { throw .unreachable("Reception", error, operation: operation, changes: changes) }
        if (200..<300).contains(answer.status) { return answer }
        throw meaning(answer, operation, changes: changes, now: call.environment.now())
    }

    private static func meaning(_ answer: JSONAnswer, _ operation: String, changes: Bool, now: Instant) -> ProviderError {
        let words = answer["error"]?.string ?? ""
        func error(
            _ code: ErrorCode, _ message: String, _ remedy: String, _ retry: ProviderError.Retry = .never, unclear: Bool = false
        ) -> ProviderError {
            ProviderError(
                code, retry: retry, isUnclear: unclear, message, remedy: remedy, operation: operation,
                cause: "HTTP \(answer.status) \(words)")
        }
        switch answer.status {
        case 401, 403:
            return error(
                .notConnected, "Reception does not take the key.",
                "The admin sets RECEPTION_API_KEY to the key that Reception shows under Settings.")
        case 404 where !words.isEmpty:
            return error(.meetingGone, "The room does not exist at Reception any more.", "Retry the booking to make a new one.")
        case 422: return error(.rejected, "Reception refuses the room: \(words)", "Check the meeting type's title and durations.")
        case 429:
            let until = retryAfter(answer.response.header("Retry-After"), now: now)
            return error(
                .providerRateLimited, "Reception takes no more calls at the moment.", ProviderError.triedAgain,
                until.map { .at($0) } ?? .backoff)
        default:
            // Its own trouble, or an answer of something on the way.
            return error(
                .unavailable, "Reception is in trouble (HTTP \(answer.status)).", ProviderError.triedAgain, .backoff, unclear: changes)
        }
    }

    private static func unreadable(_ operation: String, changes: Bool) -> ProviderError {
        ProviderError(
            .unavailable, retry: .backoff, isUnclear: changes, "Reception's answer cannot be read.", remedy: ProviderError.triedAgain,
            operation: operation)
    }

    private static func room(_ answer: JSONAnswer, changes: Bool) throws(ProviderError) -> ProvidedRoom {
        guard let id = answer["id"]?.string, let link = answer["link"]?.string else { throw unreadable("rooms", changes: changes) }
        return ProvidedRoom(
            id: id, room: Room(joinURL: link, meetingID: id), start: answer["start"]?.string.flatMap(Instant.init(rfc3339:)),
            end: answer["end"]?.string.flatMap(Instant.init(rfc3339:)))
    }
}
