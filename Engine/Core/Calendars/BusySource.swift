/// A plug-in that reads when a person is busy from the calendars that they keep elsewhere. **The second kind of plug-in.**
///
/// A source is stateless: it turns one question into the service's calls, and the answer into times. It does not retry, wait, log or
/// store; the engine does, in the background, and no visitor waits for it. Titles and places of events never leave a source.
///
/// Every function ends before `context.call.deadline`. What cannot be read is an error, never an empty answer: unknown is not free. Run
/// `BusySourceConformance` over a source to see that it keeps the contract.
public protocol BusySource: Sendable {
    /// What this source is, and what it needs to be connected.
    static var descriptor: BusySourceDescriptor { get }

    /// The calendars behind an address or an account, at least one.
    /// - Throws: ``ErrorCode/reauthorize`` where the service refuses the credentials.
    static func calendars(_ context: BusyContext) async throws(ProviderError) -> [FoundCalendar]

    /// When a calendar is busy.
    static func busy(_ question: BusyQuestion, _ context: BusyContext) async throws(ProviderError) -> BusyAnswer
}

/// What a source of busy times is.
public struct BusySourceDescriptor: Sendable {
    /// As the API names it: `caldav`.
    public var kind: String
    /// As people call it: `CalDAV`.
    public var name: String
    /// What it is connected by.
    public var connection: Connection
    /// How often a calendar is looked at, where the service does not wish otherwise.
    public var interval: Duration
    /// Services are known to answer that events are gone which are not: a time becomes free only when a second look, a while later, has
    /// not found it either.
    public var confirmsRemovals: Bool

    /// What a source is connected by.
    public enum Connection: Sendable {
        /// A secret address.
        case address
        /// An address, a user and a password.
        case password
        /// An account that the owner has connected at a provider of this module.
        /// - `scopes`: any one of them lets calendars be read.
        /// - `asks`: what an owner is asked for, beside what the module itself needs.
        case account(module: String, scopes: [String], asks: [String])
    }

    /// Takes each property as it is.
    public init(
        kind: String, name: String, connection: Connection, interval: Duration, confirmsRemovals: Bool = false
    ) {
        self.kind = kind
        self.name = name
        self.connection = connection
        self.interval = interval
        self.confirmsRemovals = confirmsRemovals
    }
}

/// What a source is given with each question.
public struct BusyContext: Sendable {
    /// Where the calendar, or the account, is; empty for a source that is connected by an account.
    public var address: Secret
    /// The user's name; empty where there is none.
    public var user: String
    /// The user's password; empty where there is none.
    public var password: Secret
    /// The way to the service, the deadline, and the account that the owner has connected, as modules of providers are given them.
    public var call: ProviderContext

    /// Takes each property as it is.
    public init(address: Secret = Secret(""), user: String = "", password: Secret = Secret(""), call: ProviderContext) {
        self.address = address
        self.user = user
        self.password = password
        self.call = call
    }
}

/// A calendar as its service describes it.
public struct FoundCalendar: Hashable, Sendable {
    /// The service's own id; unique behind one address or account.
    public var id: String
    /// As its owner named it; may be empty.
    public var name: String
    /// Whether it counts from the beginning.
    public var counts: Bool

    /// Takes each property as it is.
    public init(id: String, name: String, counts: Bool) {
        self.id = id
        self.name = name
        self.counts = counts
    }
}

/// When a calendar is busy is asked.
public struct BusyQuestion: Hashable, Sendable {
    /// ``FoundCalendar/id``
    public var calendar: String
    /// Events that end after this are asked for.
    public var from: Instant
    /// Events that begin before this are asked for; half a year to three years after ``from``.
    public var to: Instant
    /// The owner's zone, an IANA name: where times without a zone are meant.
    public var timeZone: String
    /// The owner's mail addresses, in lower case: invitations that they have declined do not count.
    public var addresses: [String]
    /// ``BusyAnswer/events(_:mark:next:)``'s mark of the answer before, to the same question: where nothing has changed since,
    /// ``BusyAnswer/unchanged(mark:)`` may be answered. `nil` asks for all of it.
    public var mark: String?

    /// Takes each property as it is.
    public init(calendar: String, from: Instant, to: Instant, timeZone: String, addresses: [String] = [], mark: String? = nil) {
        self.calendar = calendar
        self.from = from
        self.to = to
        self.timeZone = timeZone
        self.addresses = addresses
        self.mark = mark
    }
}

/// What a calendar holds.
public enum BusyAnswer: Hashable, Sendable {
    /// The same as at the mark of the question. The mark for the next one may be another.
    case unchanged(mark: String)
    /// All events that take time, each occurrence by itself.
    /// - `mark`: for the next question; `nil` where the service has none.
    /// - `next`: how long the service wants to be left alone; `nil` where it does not say.
    case events([BusyEvent], mark: String?, next: Duration?)
}

/// A time at which a person is busy.
public struct BusyEvent: Hashable, Sendable {
    /// When it begins.
    public var start: Instant
    /// When it ends; after ``start``.
    public var end: Instant
    /// The event's own id, by which those are told that this system wrote; empty where the service gives none.
    public var uid: String

    /// Takes each property as it is.
    public init(start: Instant, end: Instant, uid: String) {
        self.start = start
        self.end = end
        self.uid = uid
    }
}
