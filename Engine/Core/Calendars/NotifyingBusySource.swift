/// A source whose service notifies us at once when a calendar has changed. **The second part of the contract, for services that can.**
///
/// A notification says that something has changed, never what: the calendar is read again. Services lose notifications, so calendars are
/// also read without any.
public protocol NotifyingBusySource: BusySource {
    /// Asks the service to notify us of changes. Who asks twice has two subscriptions.
    /// - Throws: with ``ProviderError/Retry/never`` where the owner's grant does not allow it.
    static func subscribe(_ request: SubscriptionRequest, _ context: BusyContext) async throws(ProviderError) -> ServiceSubscription

    /// Ends a subscription. One that has ended by itself is success.
    static func unsubscribe(_ subscription: ServiceSubscription, _ context: BusyContext) async throws(ProviderError)

    /// Reads what came to a subscription's address; nothing in it is to be trusted but a token that fits.
    static func read(_ delivery: EventDelivery) -> NotificationReading
}

/// What a service is asked for.
public struct SubscriptionRequest: Hashable, Sendable {
    /// Of its own; letters, digits and underscores, at most 64.
    public var id: String
    /// ``FoundCalendar/id``
    public var calendar: String
    /// Where notifications are sent to; https.
    public var address: String
    /// What the service sends along each time; at most 128 letters and digits.
    public var token: Secret

    /// Takes each property as it is.
    public init(id: String, calendar: String, address: String, token: Secret) {
        self.id = id
        self.calendar = calendar
        self.address = address
        self.token = token
    }
}

/// A subscription to a calendar's changes, as its service keeps it.
public struct ServiceSubscription: Hashable, Sendable, Codable {
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

/// What came to a subscription's address.
public enum NotificationReading: Hashable, Sendable {
    /// Something has changed; the tokens that came along.
    case changed([Secret])
    /// The service wants this text back, to see that somebody is there.
    case challenge(String)
    /// No token came along.
    case refused
}
