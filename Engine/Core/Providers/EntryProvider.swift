/// A module whose rooms are entered with something made for one visitor at the moment of the click: a token that must not lie in a
/// database or a mail.
public protocol EntryProvider: Provider {
    /// The address that lets this visitor in.
    static func entry(_ room: Room, _ visitor: Visitor, _ call: ProviderContext) -> String
}

/// Who presses Join.
public struct Visitor: Hashable, Sendable {
    /// As the others in the room see them.
    public var name: String
    /// Their mail address.
    public var email: String
    /// Whether they host, and may do what hosts may.
    public var isHost: Bool
    /// When the meeting ends.
    public var end: Instant

    /// Takes each property as it is.
    public init(name: String, email: String, isHost: Bool, end: Instant) {
        self.name = name
        self.email = email
        self.isHost = isHost
        self.end = end
    }
}
