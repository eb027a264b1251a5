import ProviderTesting
import UsherCore

/// A module under test, with a stand-in for the service that it talks to.
public struct ConformanceSubject: Sendable {
    /// The module.
    public var module: any Provider.Type
    /// A call with good settings and credentials.
    public var call: @Sendable () -> ProviderContext
    /// An account that may host; empty where the module has no hosts.
    public var host: String
    /// An address that the service does not know; `nil` where there are no hosts.
    public var unknownHost: String?
    /// A call with credentials that the service does not take; `nil` where there are none.
    public var badCall: (@Sendable () -> ProviderContext)?

    /// Takes each property as it is.
    public init(
        module: any Provider.Type, host: String = "", unknownHost: String? = nil, call: @escaping @Sendable () -> ProviderContext,
        badCall: (@Sendable () -> ProviderContext)? = nil
    ) {
        self.module = module
        self.host = host
        self.unknownHost = unknownHost
        self.call = call
        self.badCall = badCall
    }

    /// A module and a stand-in for its service.
    /// - Parameters:
    ///   - credentials: that the service takes, by the names in the descriptor.
    ///   - badCredentials: that it does not take; `nil` where there are none.
    public init(
        module: any Provider.Type, service: some Transport, settings: JSON = .object([]), credentials: [String: String] = [:],
        badCredentials: [String: String]? = nil, endpoints: [String: String] = [:], connection: (any Connection)? = nil,
        host: String = "", unknownHost: String? = nil
    ) {
        func call(_ credentials: [String: String]) -> @Sendable () -> ProviderContext {
            { .test(settings: settings, credentials: credentials, endpoints: endpoints, transport: service, connection: connection) }
        }
        self.init(
            module: module, host: host, unknownHost: unknownHost, call: call(credentials), badCall: badCredentials.map(call))
    }

    var descriptor: ProviderDescriptor { module.descriptor }
    /// Whether it asks a service at all.
    var asksService: Bool { !(module is any AddressProvider.Type) }
    var isLookup: Bool { if case .lookup = descriptor.creation { true } else { false } }

    /// A good call on a way that a case can disturb. A first room is made already, so that access tokens are there.
    func disturbed() async throws -> (call: ProviderContext, transport: FaultyTransport) {
        var call = call()
        let transport = FaultyTransport(call.transport)
        call.transport = transport
        _ = try await module.create(request(call), call)
        return (call, transport)
    }

    /// A request for a room of the subject's host.
    func request(_ call: ProviderContext, title: String = "Conformance", options: MeetingOptions = MeetingOptions()) -> RoomRequest {
        .test(call, title: title, host: host, options: options)
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
