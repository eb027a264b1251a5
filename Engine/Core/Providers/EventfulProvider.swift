/// A module whose service tells what happened there. **The third part of the contract, for services that sign what they send.**
public protocol EventfulProvider: Provider {
    /// Where the service sends to: registered there, so the paths never change.
    static var eventPaths: [EventPath] { get }
    /// The modules whose apps send there: itself, and others of the same service.
    static var eventModules: [String] { get }

    /// Whether a delivery has what a signed one does, at an age that counts: looked at before any secret is.
    static func mayBeSigned(_ delivery: EventDelivery) -> Bool

    /// Reads one delivery. `body` is as it came, byte for byte, because signatures are made over bytes.
    static func read(_ delivery: EventDelivery, secret: Secret) -> EventReading
}

extension EventfulProvider {
    /// The module itself alone.
    public static var eventModules: [String] { [descriptor.id] }
}

/// An address that a service sends events to, and the variables that may hold its secret, after the app's prefix: the first that is
/// set counts.
public struct EventPath: Hashable, Sendable {
    /// Below the public URL, with a slash in front.
    public var path: String
    /// Names of variables after the app's prefix.
    public var secrets: [String]

    /// Takes each property as it is.
    public init(_ path: String, secrets: [String]) {
        self.path = path
        self.secrets = secrets
    }
}

/// One request that a service sent.
public struct EventDelivery: Sendable {
    /// As they came, in their order.
    public var headers: [(name: String, value: String)]
    /// After the question mark of the address, as it came.
    public var query: String
    /// As it came, byte for byte.
    public var body: [UInt8]
    /// When it came, by our clock.
    public var now: Instant

    /// Takes each property as it is.
    public init(headers: [(name: String, value: String)], query: String = "", body: [UInt8], now: Instant) {
        self.headers = headers
        self.query = query
        self.body = body
        self.now = now
    }

    /// The first header of that name, whatever its case.
    public func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }
}

/// What a delivery turned out to be.
public enum EventReading: Hashable, Sendable {
    /// The signature is missing, wrong or too old.
    case refused
    /// The service wants to know whether we have the secret; this is the answer.
    case challenge(JSON)
    case event(ProviderEvent)
    /// Signed, and of no interest.
    case ignored
}

/// What happened at a service.
public enum ProviderEvent: Hashable, Sendable {
    /// A user has removed the app, at this instant; `keepsData`: they allow that what came from the service is kept.
    case deauthorized(clientID: String, accountID: String, at: Instant, keepsData: Bool)
    /// A room was changed or deleted there: it is to be looked at.
    case roomTouched(id: String)
}
