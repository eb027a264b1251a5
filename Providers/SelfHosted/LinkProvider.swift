import ProviderSupport
import UsherCore

/// `link`: rooms that exist as soon as someone opens their address, at any service the admin runs. It calls nobody.
///
/// A room follows from its key alone: the first 100 bits are the `{code}` of the address, the other 28 make the passcode,
/// so that neither tells the other.
public enum LinkProvider: AddressProvider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "link", name: "Video room", connection: .none, capabilities: [.passcode, .dialIn], creation: .repeatable,
        settings: [
            .init(
                "url", .urlTemplate(marks: ["code"]), required: true,
                "The room's address; {code} is unguessable and unique for each booking"),
            .init("passcode", .choice(["generate", "none"]), "generate: six digits for each booking"),
            .init("dial-in", .dialIn, "Telephone numbers; a pin of \"{pin}\" is made for each booking"),
        ])

    /// The length of `{code}` in characters of base32: 100 bits.
    private static let codeLength = 20

    /// Fills the template with codes of the key.
    public static func room(_ key: String, _ options: MeetingOptions, _ call: ProviderContext) throws(ProviderError) -> ProvidedRoom {
        guard let template = call.settings["url"]?.string else { throw missingURL(call) }
        let digits = try digits(key.dropFirst(codeLength).prefix(6), call)
        let wantsPasscode =
            switch options.passcode {
            case .generate: true
            case .none: false
            case .inherit: call.settings["passcode"]?.string == "generate"
            }
        let dialIn = (call.settings["dial-in"]?.array ?? []).compactMap { entry -> DialIn? in
            guard let country = entry["country"]?.string, let number = entry["number"]?.string else { return nil }
            return DialIn(country: country, number: number, pin: entry["pin"]?.string.map { $0 == "{pin}" ? digits : $0 })
        }
        let url = template.replacing("{code}", with: percentEncoded(String(key.prefix(codeLength))))
        return ProvidedRoom(
            id: key, room: Room(joinURL: url, meetingID: "", passcode: wantsPasscode ? digits : nil, dialIn: dialIn))
    }

    /// Six digits out of the end of a key's code, which holds 28 bits.
    private static func digits(_ end: Substring, _ call: ProviderContext) throws(ProviderError) -> String {
        guard let number = Int64(end, radix: 32), end.count == 6 else {
            throw ProviderError(
                .rejected, retry: .never, "The room's key is not 128 bits in base32, so '\(call.provider)' can make no room from it.",
                remedy: "Tell the makers of Usher; the key is a matter of the program.")
        }
        return padded(number % 1_000_000, 6)
    }

    private static func missingURL(_ call: ProviderContext) -> ProviderError {
        ProviderError(
            .rejected, retry: .never, "The provider '\(call.provider)' has no url.",
            remedy: "Write `url: \"https://…/{code}\"` under providers.\(call.provider) in meeting-types.yaml.")
    }
}
