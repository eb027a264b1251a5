import ProviderTesting
import UsherCore

/// A module under test, with the service that it talks to, real or stood in for.
public struct ConformanceSubject: Sendable {
    /// The module.
    public var module: any Provider.Type
    /// A call with good settings and credentials.
    public var call: @Sendable () -> ProviderContext
    /// An account that may host; empty where the module has no hosts.
    public var host: String
    /// An address that the service does not know; `nil` where there are no hosts.
    public var unknownHost: String?
    /// The service carries the next request out, and its answer is lost; `nil` where no request is sent.
    public var loseNextAnswer: (@Sendable () -> Void)?
    /// The next request finds no connection; `nil` where no request is sent.
    public var refuseNextConnection: (@Sendable () -> Void)?
    /// A call with credentials that the service does not take; `nil` where there are none.
    public var badCall: (@Sendable () -> ProviderContext)?

    /// Takes each property as it is.
    public init(
        module: any Provider.Type, host: String = "", unknownHost: String? = nil, call: @escaping @Sendable () -> ProviderContext,
        badCall: (@Sendable () -> ProviderContext)? = nil, loseNextAnswer: (@Sendable () -> Void)? = nil,
        refuseNextConnection: (@Sendable () -> Void)? = nil
    ) {
        self.module = module
        self.host = host
        self.unknownHost = unknownHost
        self.call = call
        self.badCall = badCall
        self.loseNextAnswer = loseNextAnswer
        self.refuseNextConnection = refuseNextConnection
    }

    /// A module and a stand-in for its service, which goes wrong where a case asks for it.
    /// - Parameters:
    ///   - credentials: that the service takes, by the names in the descriptor.
    ///   - badCredentials: that it does not take; `nil` where there are none.
    public init<State>(
        module: any Provider.Type, service: StandInService<State>, settings: JSON = .object([]), credentials: [String: String] = [:],
        badCredentials: [String: String]? = nil, endpoints: [String: String] = [:], connection: (any Connection)? = nil,
        host: String = "", unknownHost: String? = nil
    ) {
        func call(_ credentials: [String: String]) -> @Sendable () -> ProviderContext {
            { .test(settings: settings, credentials: credentials, endpoints: endpoints, transport: service, connection: connection) }
        }
        self.init(
            module: module, host: host, unknownHost: unknownHost, call: call(credentials), badCall: badCredentials.map(call),
            loseNextAnswer: { service.inject(.loseAnswer) }, refuseNextConnection: { service.inject(.refuseConnection) })
    }

    var descriptor: ProviderDescriptor { module.descriptor }
    var isLookup: Bool { if case .lookup = descriptor.creation { true } else { false } }

    /// A request for a room in ten days.
    func request(_ call: ProviderContext, title: String = "Conformance", options: MeetingOptions = MeetingOptions()) -> RoomRequest {
        let start = Instant(seconds: (call.environment.now().seconds / 86_400 + 10) * 86_400)
        return RoomRequest(
            key: call.environment.code(bits: 128), title: title, description: "A test.", start: start, end: start + .minutes(30),
            timeZone: "Europe/Berlin", host: host, options: options)
    }
}

/// A promise that was not kept.
public struct ConformanceFailure: Error, CustomStringConvertible {
    /// What was promised, and what happened.
    public var description: String
    /// Takes the property as it is.
    public init(_ description: String) { self.description = description }
}

func require(_ condition: Bool, _ description: @autoclosure () -> String) throws {
    guard condition else { throw ConformanceFailure(description()) }
}
