/// A source whose service tells at once that a calendar has changed. **The second part of the contract, for services that can.**
///
/// What comes says that something has changed, never what: the calendar is read again. Services lose notifications, so calendars are
/// also read without any.
public protocol NotifyingBusySource: BusySource {
    /// Asks the service to tell of changes. What it is asked for twice, it tells twice.
    /// - Throws: with ``ProviderError/Retry/never`` where the owner's grant does not allow it.
    static func subscribe(_ wish: NotificationWish, _ context: BusyContext) async throws(ProviderError) -> NotificationGrant

    /// Asks the service to tell no longer. What has ended by itself is success.
    static func unsubscribe(_ grant: NotificationGrant, _ context: BusyContext) async throws(ProviderError)

    /// Reads what came to the address of a wish; nothing in it is to be trusted but a token that fits.
    static func read(_ delivery: EventDelivery) -> NotificationReading
}

/// What a service is asked for.
public struct NotificationWish: Hashable, Sendable {
    /// Of its own; letters, digits and underscores, at most 64.
    public var id: String
    /// ``FoundCalendar/id``
    public var calendar: String
    /// Where the service tells of changes; https.
    public var address: String
    /// What the service brings along each time; at most 128 letters and digits.
    public var token: Secret

    /// Takes each property as it is.
    public init(id: String, calendar: String, address: String, token: Secret) {
        self.id = id
        self.calendar = calendar
        self.address = address
        self.token = token
    }
}

/// What a service has agreed to.
public struct NotificationGrant: Hashable, Sendable, Codable {
    /// As the service names it.
    public var id: String
    /// What else it wants to hear when it is to end; may be empty.
    public var resource: String
    /// It ends by itself then.
    public var end: Instant

    /// Takes each property as it is.
    public init(id: String, resource: String = "", end: Instant) {
        self.id = id
        self.resource = resource
        self.end = end
    }
}

/// What came to the address of a wish.
public enum NotificationReading: Hashable, Sendable {
    /// Something has changed, say those who bring these tokens along.
    case changed([Secret])
    /// The service wants this text back, to see that somebody is there.
    case challenge(String)
    /// It bears no token.
    case refused
}
