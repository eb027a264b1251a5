/// A module that can make rooms at one kind of service. **The contract for provider authors.**
///
/// A module is stateless: it turns one question into the service's own calls and the answer into a value.
/// It does not retry, sleep, log, store or render; the engine does. The engine's promises to a module:
/// requests are checked against ``descriptor``, `call` holds what the admin configured, and one booking's
/// questions come one at a time.
///
/// Every function ends before `call.deadline` and throws only ``ProviderError``, which says whether the request may have
/// been carried out all the same. Run `ProviderConformance` over a module to see that it keeps the contract.
public protocol Provider: Sendable {
    /// What this module is and can do.
    static var descriptor: ProviderDescriptor { get }

    /// Makes a room under `request.key`, which it carries at the service.
    /// - Throws: an error with `isUnclear` when a room may exist now.
    static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom

    /// The rooms that carry `key`, or any key at all when it is `nil`, oldest first: of several rooms of one key the first is kept.
    /// Rooms with keys that the engine has not given out may be among them; it leaves those alone. All pages, or an error; never a
    /// part, and never an empty list for an answer that cannot be read, because that means that no room was made.
    /// - Parameter host: as in ``RoomRequest/host``.
    static func find(_ key: String?, host: String, _ call: ProviderContext) async throws(ProviderError) -> [FoundRoom]

    /// Moves the room to the time of `request`, in place, and reads it back; the answer to the change will do, where it describes
    /// the room. Everything else about it stays as its host may have changed it.
    /// - Throws: ``ErrorCode/meetingGone`` only on the provider's own word for it: a 404 of a proxy is none.
    static func update(_ roomID: String, to request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom

    /// Takes the room away. A room that is not there any more is success.
    static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError)

    /// The room as it now is.
    static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom

    /// What keeps rooms from being made: credentials, scopes, plan, hosts. Empty when nothing does.
    static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight
}

extension Provider {
    /// Nothing, for modules whose create gives the same room for the same key: a room is made again rather than looked for.
    /// - Throws: ``ErrorCode/internalError`` for any other module, which must say what it finds.
    public static func find(_ key: String?, host: String, _ call: ProviderContext) async throws(ProviderError) -> [FoundRoom] {
        if case .repeatable = descriptor.creation { return [] }
        throw ProviderError(
            .internalError, retry: .never, "The module '\(descriptor.id)' does not say how rooms are found.",
            remedy: "Its author implements `find`.")
    }
}

/// A room that is wanted.
public struct RoomRequest: Hashable, Sendable {
    /// The same for every try: 26 characters of base32, 128 bits that nobody can guess, and after them which installation asks.
    public var key: String
    /// The meeting's title, of any length and script: cut it to what the service takes.
    public var title: String
    /// Plain text, for the provider's own invitation.
    public var description: String
    /// When the meeting begins.
    public var start: Instant
    /// When it ends.
    public var end: Instant
    /// IANA name: what the host sees at the provider.
    public var timeZone: String
    /// The account that hosts; empty where the module has none.
    public var host: String
    /// How the room is to behave.
    public var options: MeetingOptions

    /// Takes each property as it is.
    public init(
        key: String, title: String, description: String, start: Instant, end: Instant, timeZone: String, host: String,
        options: MeetingOptions
    ) {
        self.key = key
        self.title = title
        self.description = description
        self.start = start
        self.end = end
        self.timeZone = timeZone
        self.host = host
        self.options = options
    }
}

/// A room as the provider described it.
public struct ProvidedRoom: Hashable, Sendable {
    /// The provider's own id.
    public var id: String
    /// How to get in.
    public var room: Room
    /// The time of the room there, as the provider says it; `nil` where it says none, and then nobody compares it.
    public var start: Instant?
    /// See ``start``.
    public var end: Instant?
    /// What the provider did not do as asked, in words for the owner: `Zoom refused x@y as alternative host`.
    public var notes: [String]

    /// Takes each property as it is.
    public init(id: String, room: Room, start: Instant? = nil, end: Instant? = nil, notes: [String] = []) {
        self.id = id
        self.room = room
        self.start = start
        self.end = end
        self.notes = notes
    }
}

/// A room that was found by its key.
public struct FoundRoom: Hashable, Sendable {
    /// The provider's own id.
    public var id: String
    /// The key that it was made under.
    public var key: String

    /// A room's id, and its key.
    public init(id: String, key: String) {
        self.id = id
        self.key = key
    }
}

/// What a module is given with each question.
public struct ProviderContext: Sendable {
    /// The provider's name in `meeting-types.yaml`.
    public var provider: String
    /// The module's settings from there.
    public var settings: JSON
    /// By the names in ``ProviderDescriptor/credentials``: `ACCOUNT_ID`, `CLIENT_SECRET`.
    public var credentials: [String: Secret]
    /// By the whole names in ``ProviderDescriptor/endpoints``; only those that were configured.
    public var endpoints: [String: String]
    /// The way to the service.
    public var transport: any Transport
    /// Access tokens that processes share, for modules with one account for the whole site.
    public var tokens: any TokenCache
    /// The account that the owner has connected; `nil` where there is none, or the module needs none.
    public var connection: (any Connection)?
    /// No request may still be under way after this; at most a minute ahead.
    public var deadline: Instant
    /// Clock, ids and randomness.
    public var environment: Environment

    /// Takes each property as it is.
    public init(
        provider: String, settings: JSON, credentials: [String: Secret], endpoints: [String: String],
        transport: any Transport, tokens: any TokenCache, connection: (any Connection)? = nil, deadline: Instant,
        environment: Environment
    ) {
        self.provider = provider
        self.settings = settings
        self.credentials = credentials
        self.endpoints = endpoints
        self.transport = transport
        self.tokens = tokens
        self.connection = connection
        self.deadline = deadline
        self.environment = environment
    }
}

/// What a look at a provider's set-up brought to light.
public struct Preflight: Sendable {
    /// What keeps rooms from being made; empty where nothing does.
    public var problems: [Problem]
    /// The provider's clock when it answered, from its `Date` header.
    public var providerTime: Instant?

    /// Takes each property as it is.
    public init(problems: [Problem], providerTime: Instant? = nil) {
        self.problems = problems
        self.providerTime = providerTime
    }
}
