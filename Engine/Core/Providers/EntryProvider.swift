/// A module whose rooms are entered with something made for one visitor at the moment of the click: a token that must not lie in a
/// database or a mail.
public protocol EntryProvider: Provider {
    /// The address that lets this visitor in.
    static func entry(_ room: Room, _ visitor: Visitor, _ call: ProviderCall) -> String
}

/// Who presses Join.
public struct Visitor: Hashable, Sendable {
    public var name: String
    public var email: String
    public var isHost: Bool
    /// When the meeting ends.
    public var end: Instant

    public init(name: String, email: String, isHost: Bool, end: Instant) {
        self.name = name
        self.email = email
        self.isHost = isHost
        self.end = end
    }
}
