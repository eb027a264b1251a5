import ProviderSupport
import UsherCore

/// `mirotalk`: rooms at any MiroTalk SFU or P2P. Its API reserves nothing and only puts addresses together, so the address is put
/// together here, with a name that nobody can guess; the API is asked whether server and key are right.
/// Source: https://github.com/miroslavpejic85/mirotalksfu/blob/main/app/api/README.md
public enum MiroTalkProvider: AddressProvider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "mirotalk", name: "MiroTalk", connection: .none, capabilities: [], creation: .repeatable,
        settings: [.init("url", .urlTemplate(marks: []), "The server's address; MIROTALK_URL where it is not given")],
        credentialPrefix: "MIROTALK", optionalCredentials: ["API_KEY"], endpoints: ["MIROTALK_URL"])

    /// Known to everybody.
    private static let defaultKeys = ["mirotalksfu_default_secret", "mirotalkp2p_default_secret"]

    /// Looks whether an address is there, and whether the server takes the API key, where one is set.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        let address: String
        do throws(ProviderError) { address = try base(call) } catch { return Preflight(problems: [error.problem]) }
        guard let key = call.credentials["API_KEY"] else { return Preflight(problems: []) }
        if defaultKeys.contains(key.reveal()) {
            return Preflight(problems: [
                Problem(
                    .notConnected, "The API key of '\(call.provider)' is MiroTalk's default, which everybody knows.",
                    remedy: "Set another API_KEY_SECRET at the server, and MIROTALK_API_KEY here.")
            ])
        }
        do throws(TransportError) {
            // The key stands bare, without "Bearer".
            let answer = try await call.exchange("POST", "\(address)/api/v1/meeting", headers: [("authorization", key.reveal())])
            let time = answer.response.header("date").flatMap(httpDate)
            switch answer.status {
            case 200..<300: return Preflight(problems: [], providerTime: time)
            case 401, 403:
                return Preflight(problems: [
                    Problem(
                        .notConnected, "MiroTalk at \(address) refuses the API key.",
                        remedy: "Copy the server's API_KEY_SECRET to MIROTALK_API_KEY, or switch its endpoint 'meeting' on.")
                ])
            default:
                return Preflight(problems: [
                    Problem(
                        .unavailable, "MiroTalk at \(address) answers HTTP \(answer.status).", remedy: "Check the address and the server.")
                ])
            }
        } catch {
            return Preflight(problems: [ProviderError.unreachable("MiroTalk", error, operation: "POST /api/v1/meeting").problem])
        }
    }

    /// The address with the key as the room's name.
    public static func room(_ key: String, _ options: MeetingOptions, _ call: ProviderContext) throws(ProviderError) -> ProvidedRoom {
        ProvidedRoom(id: key, room: Room(joinURL: "\(try base(call))/join/\(key)", meetingID: ""))
    }

    private static func base(_ call: ProviderContext) throws(ProviderError) -> String {
        try call.address("url", or: "MIROTALK_URL", example: "https://sfu.northwind.example")
    }
}
