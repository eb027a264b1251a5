import UsherCore

/// Rooms of a house telephone, each with a name and a door code: a module that makes nothing anywhere, so that the same key gives the
/// same room.
public enum CorridorProvider: Provider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "corridor", name: "Corridor", connection: .none, capabilities: [.passcode, .dialIn], creation: .repeatable,
        settings: [.init("house", .text, required: true, "The house's host name")],
        credentialPrefix: "CORRIDOR", optionalCredentials: ["DOOR_CODE"])

    /// Makes nothing: the key is the room's name.
    public static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try room(request.key, call)
    }

    /// The room as it was: it has no time.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom { try room(request.key, call) }

    /// Does nothing: an empty room is gone.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {}

    /// The address of the room.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try room(roomID, call)
    }

    /// Looks whether the house is named.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        do throws(ProviderError) { _ = try room("preflight", call) } catch { return Preflight(problems: [error.problem]) }
        return Preflight(problems: [])
    }

    private static func room(_ key: String, _ call: ProviderContext) throws(ProviderError) -> ProvidedRoom {
        guard let house = call.settings["house"]?.string, !house.isEmpty else {
            throw ProviderError(
                .rejected, retry: .never, "The provider '\(call.provider)' has no house.",
                remedy: "Write `house: rooms.example` under providers.\(call.provider) in meeting-types.yaml.")
        }
        let code = String(key.utf8.reduce(7) { ($0 * 31 + Int($1)) % 900_000 } + 100_000)
        return ProvidedRoom(
            id: key,
            room: Room(
                joinURL: "https://\(house)/\(key)", meetingID: "", passcode: code,
                dialIn: [DialIn(country: "DE", number: "+49 30 901820", pin: code)]))
    }
}
