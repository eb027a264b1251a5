import ProviderSupport
import UsherCore

/// Rooms at a service with an API of its own, which lists them by a reference of the caller's: a module that looks for the room of a
/// create whose answer was lost.
///
///     POST   /rooms {"reference", "title", "start", "end"}  → 201 {"id", "link", "reference", "start", "end", "created"}
///     GET    /rooms?reference=…                             → 200 [{…}], oldest first; all of them without the reference
///     GET    /rooms/{id}, PATCH /rooms/{id} {"start", "end"} → 200 {…}, 404
///     DELETE /rooms/{id}                                    → 204, 404
public enum ReceptionProvider: Provider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "reception", name: "Reception", connection: .site, capabilities: [.schedule],
        creation: .lookup(settles: .seconds(5)), settings: [.init("url", .urlTemplate(marks: []), required: true, "Where the service is")],
        credentialPrefix: "RECEPTION", credentials: ["API_KEY"])

    /// Makes a room whose reference is the key.
    public static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        let body: JSON = [
            "reference": .string(request.key), "title": .string(request.title), "start": .string(request.start.rfc3339),
            "end": .string(request.end.rfc3339),
        ]
        return try room(try await ask("POST", "/rooms", body, call))
    }

    /// The rooms of a reference, or all.
    public static func find(_ key: String?, host: String, _ call: ProviderContext) async throws(ProviderError) -> [FoundRoom] {
        let answer = try await ask("GET", "/rooms" + (key.map { "?reference=\(percentEncoded($0))" } ?? ""), nil, call)
        return (answer.json?.array ?? []).compactMap { item in
            guard let id = item["id"]?.string, let key = item["reference"]?.string, let made = item["created"]?.string,
                case .instant(let instant)? = WrittenTime(made)
            else { return nil }
            return FoundRoom(id: id, key: key, createdAt: instant)
        }
    }

    /// Moves the room.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom {
        let times: JSON = ["start": .string(request.start.rfc3339), "end": .string(request.end.rfc3339)]
        return try room(try await ask("PATCH", "/rooms/\(percentEncoded(roomID))", times, call))
    }

    /// Takes the room away, if it is there.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {
        do throws(ProviderError) { _ = try await ask("DELETE", "/rooms/\(percentEncoded(roomID))", nil, call) } catch {
            guard error.code == .meetingGone else { throw error }
        }
    }

    /// The room as it is now.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try room(try await ask("GET", "/rooms/\(percentEncoded(roomID))", nil, call))
    }

    /// Looks whether the service takes the key.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        do throws(ProviderError) { _ = try await ask("GET", "/rooms?reference=preflight", nil, call) } catch {
            return Preflight(problems: [error.problem])
        }
        return Preflight(problems: [])
    }

    private static func ask(
        _ method: String, _ path: String, _ body: JSON?, _ call: ProviderContext
    ) async throws(ProviderError) -> JSONAnswer {
        let changes = method != "GET"
        let key = call.credentials["API_KEY"]?.reveal() ?? ""
        let answer: JSONAnswer
        do throws(TransportError) {
            answer = try await call.exchange(
                method, (call.settings["url"]?.string ?? "") + path, headers: [("Authorization", "Bearer \(key)")], body: body)
        } catch { throw .unreachable("Reception", error, operation: "\(method) \(path)", changes: changes) }
        switch answer.status {
        case 200..<300: return answer
        case 401, 403:
            throw ProviderError(
                .notConnected, retry: .never, "Reception does not take the key.",
                remedy: "The admin sets RECEPTION_API_KEY to the key that Reception shows under Settings.")
        case 404:
            throw ProviderError(
                .meetingGone, retry: .never, "The room does not exist at Reception any more.",
                remedy: "Retry the booking to make a new one.")
        case 500...:
            throw ProviderError(
                .unavailable, retry: .backoff, isUnclear: changes, "Reception is in trouble (HTTP \(answer.status)).",
                remedy: "Nothing to do: it is tried again by itself.")
        default:
            throw ProviderError(
                .rejected, retry: .never, "Reception refuses this (HTTP \(answer.status)).", remedy: "Check the meeting type's title.")
        }
    }

    private static func room(_ answer: JSONAnswer) throws(ProviderError) -> ProvidedRoom {
        guard let id = answer["id"]?.string, let link = answer["link"]?.string else {
            throw ProviderError(
                .unavailable, retry: .backoff, isUnclear: true, "Reception answered without a link.",
                remedy: "Nothing to do: it is looked up again by itself.")
        }
        func instant(_ name: String) -> Instant? {
            guard case .instant(let instant)? = answer[name]?.string.flatMap(WrittenTime.init) else { return nil }
            return instant
        }
        return ProvidedRoom(id: id, room: Room(joinURL: link, meetingID: id), start: instant("start"), end: instant("end"))
    }
}
