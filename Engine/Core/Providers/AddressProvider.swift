/// A module whose rooms are addresses: nothing is made anywhere, so that the same key gives the same room at any time, and there is
/// nothing to move or to remove. Its descriptor says `creation: .repeatable`.
public protocol AddressProvider: Provider {
    /// The room of a key.
    /// - Parameter options: as the booking's meeting type has them; the defaults where an existing room is read.
    /// - Throws: what is missing in the set-up.
    static func room(_ key: String, _ options: MeetingOptions, _ call: ProviderContext) throws(ProviderError) -> ProvidedRoom
}

extension AddressProvider {
    /// Makes nothing: the key is enough.
    public static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try room(request.key, request.options, call)
    }

    /// The room as it was: it has no time.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom { try room(request.key, request.options, call) }

    /// Does nothing: there is nothing to take away.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {}

    /// The room of the key that is its id.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try room(roomID, MeetingOptions(), call)
    }

    /// Looks whether the set-up is enough for a room.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        do throws(ProviderError) { _ = try room(String(repeating: "0", count: 26), MeetingOptions(), call) } catch {
            return Preflight(problems: [error.problem])
        }
        return Preflight(problems: [])
    }
}
