import ProviderSupport
import UsherCore

/// `jitsi`: rooms at any Jitsi Meet. A room is its address, and nothing is made beforehand. Where the server asks for tokens, one is
/// made when somebody presses Join, and never stored or mailed.
/// Source: https://github.com/jitsi/lib-jitsi-meet/blob/master/doc/tokens.md
public enum JitsiProvider: AddressProvider, EntryProvider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "jitsi", name: "Jitsi Meet", connection: .none, capabilities: [], creation: .repeatable,
        settings: [.init("url", .urlTemplate(marks: []), "The server's address; JITSI_URL where it is not given")],
        credentialPrefix: "JITSI", optionalCredentials: ["APP_ID", "APP_SECRET"], endpoints: ["JITSI_URL"])

    /// A token ends so long after the meeting, as the join page does, and lives no longer than ``longestToken``.
    private static let tokenSlack = Duration.hours(2)
    private static let longestToken = Duration.hours(3)

    /// Looks whether an address and the whole of the app's credentials are there.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        var problems: [Problem] = []
        do throws(ProviderError) { _ = try base(call) } catch { problems.append(error.problem) }
        if (call.credentials["APP_ID"] == nil) != (call.credentials["APP_SECRET"] == nil) {
            problems.append(
                Problem(
                    .notConnected, "The provider '\(call.provider)' has one of APP_ID and APP_SECRET only.",
                    remedy: "Set both, or neither where the server lets everybody in."))
        }
        return Preflight(problems: problems)
    }

    /// The room's address, with a token of the visitor's own where the server asks for one.
    public static func entry(_ room: Room, _ visitor: Visitor, _ call: ProviderContext) -> String {
        guard let id = call.credentials["APP_ID"], let secret = call.credentials["APP_SECRET"] else { return room.joinURL }
        let now = call.environment.now()
        let host = room.joinURL.split(separator: "/").dropFirst().first.map(String.init) ?? ""
        let claims: JSON = [
            "aud": "jitsi", "iss": .string(id.reveal()), "sub": .string(host.lowercased()),
            "room": .string(room.joinURL.split(separator: "/").last.map(String.init) ?? ""), "nbf": .int((now - .minutes(1)).seconds),
            "exp": .int(min(now + longestToken, max(now + .minutes(1), visitor.end + tokenSlack)).seconds),
            "context": [
                "user": ["name": .string(visitor.name), "email": .string(visitor.email), "moderator": .string("\(visitor.isHost)")]
            ],
        ]
        return room.joinURL + "?jwt=" + jsonWebToken(claims, key: secret)
    }

    /// The whole key is the room's name: 128 bits in small letters and digits, which Jitsi compares without case.
    public static func room(_ key: String, _ options: MeetingOptions, _ call: ProviderContext) throws(ProviderError) -> ProvidedRoom {
        let room = Room(joinURL: "\(try base(call))/\(key)", meetingID: "", needsEntry: call.credentials["APP_SECRET"] != nil)
        return ProvidedRoom(id: key, room: room)
    }

    private static func base(_ call: ProviderContext) throws(ProviderError) -> String {
        try call.address("url", or: "JITSI_URL", example: "https://meet.northwind.example")
    }
}
