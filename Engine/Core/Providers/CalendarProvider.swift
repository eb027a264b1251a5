/// A module whose connection leads to the owner's calendar. **A further part of the contract, for services that keep one.**
///
/// An entry's id is ours, so that asking twice makes one entry.
public protocol CalendarProvider: ConnectableProvider {
    /// Makes the entry, or brings the one of that id up to date. Nobody is invited, and no room is made.
    /// - Parameter isNew: it has not been made before, as far as we know.
    /// - Throws: ``ErrorCode/meetingGone`` when its owner has taken it out of the calendar.
    static func put(_ entry: CalendarEntry, isNew: Bool, _ call: ProviderContext) async throws(ProviderError)

    /// Takes the entry out. One that is not there any more is success.
    static func removeEntry(_ id: String, _ call: ProviderContext) async throws(ProviderError)
}

/// What stands on the owner's calendar.
public struct CalendarEntry: Hashable, Sendable {
    /// 128 random bits in base32.
    public var id: String
    /// The event's title.
    public var title: String
    /// Plain text: how to join.
    public var description: String
    /// The link that leads into the room.
    public var location: String
    /// When the meeting begins.
    public var start: Instant
    /// When it ends.
    public var end: Instant
    /// IANA name.
    public var timeZone: String

    /// Takes each property as it is.
    public init(id: String, title: String, description: String, location: String, start: Instant, end: Instant, timeZone: String) {
        self.id = id
        self.title = title
        self.description = description
        self.location = location
        self.start = start
        self.end = end
        self.timeZone = timeZone
    }
}
