import UsherCore

/// Rooms of a house telephone, each with a name and a door code: a module that makes nothing anywhere, so that the same key gives the
/// same room.
public enum CorridorProvider: AddressProvider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "corridor", name: "Corridor", connection: .none, capabilities: [.passcode, .dialIn], creation: .repeatable,
        settings: [.init("house", .text, required: true, "The house's host name")],
        credentialPrefix: "CORRIDOR", optionalCredentials: ["DOOR_CODE"])

    /// The house's address with the key as the room's name.
    public static func room(_ key: String, _ options: MeetingOptions, _ call: ProviderContext) throws(ProviderError) -> ProvidedRoom {
        guard let house = call.settings["house"]?.string, !house.isEmpty else {
            throw ProviderError(
                .rejected, retry: .never, "The provider '\(call.provider)' has no house.",
                remedy: "Write `house: rooms.example` under providers.\(call.provider) in meeting-types.yaml.")
        }
        // The link shows a part of the key, and the code follows from the rest: neither tells the other.
        let (name, rest) = (key.prefix(20), key.dropFirst(20))
        let code = String(rest.utf8.reduce(7) { ($0 * 31 + Int($1)) % 900_000 } + 100_000)
        return ProvidedRoom(
            id: key,
            room: Room(
                joinURL: "https://\(house)/\(name)", meetingID: "", passcode: code,
                dialIn: [DialIn(country: "DE", number: "+49 30 901820", pin: code)]))
    }
}
