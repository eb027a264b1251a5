import Synchronization
import UsherCore

extension ProviderContext {
    /// What the engine would give a module, for a test: a clock that stands at 2026-11-24T08:00:00Z, random keys, tokens in memory.
    /// - Parameters:
    ///   - settings: as under `providers:` in `meeting-types.yaml`.
    ///   - credentials: by the names in the descriptor, without the prefix.
    ///   - transport: the way to the service; ``StandInService`` is one.
    ///   - connection: the owner's account, for modules that need one.
    ///   - environment: with another clock, for services whose lists are late.
    public static func test(
        provider: String = "test", settings: JSON = .object([]), credentials: [String: String] = [:], endpoints: [String: String] = [:],
        transport: any Transport, connection: (any Connection)? = nil, environment: Environment = .standing
    ) -> ProviderContext {
        ProviderContext(
            provider: provider, settings: settings, credentials: credentials.mapValues(Secret.init), endpoints: endpoints,
            transport: transport, tokens: MemoryTokens(), connection: connection, deadline: environment.now() + .seconds(40),
            environment: environment)
    }
}

extension Environment {
    /// A clock that stands at 2026-11-24T08:00:00Z, and the system's generator.
    public static let standing = Environment(now: { Instant(seconds: 1_795_507_200) }, random: Environment.system.random)
}

/// Access tokens that are kept as long as the test.
public final class MemoryTokens: TokenCache {
    private let known = Mutex<[String: IssuedToken]>([:])

    /// Holds none.
    public init() {}

    /// The token under that name, obtained where there is none or it is `rejected`.
    public func token(
        _ name: String, rejected: IssuedToken?, obtain: @escaping @Sendable () async throws(ProviderError) -> IssuedToken
    ) async throws(ProviderError) -> IssuedToken {
        if let token = known.withLock({ $0[name] }), token != rejected { return token }
        let token = try await obtain()
        known.withLock { $0[name] = token }
        return token
    }
}

/// An owner's account with one token: a service that rejects it has ended the connection.
public struct TestConnection: Connection {
    /// The account behind it.
    public var account: ConnectedAccount
    /// The token that it gives.
    public var token: Secret

    /// An account and its token.
    public init(account: ConnectedAccount, token: Secret) {
        self.account = account
        self.token = token
    }

    /// The token, good for an hour.
    /// - Throws: ``ErrorCode/reauthorize`` where it is the one that was rejected.
    public func access(rejected: IssuedToken?) async throws(ProviderError) -> IssuedToken {
        guard rejected?.access != token else {
            throw ProviderError(
                .reauthorize, retry: .never, "The service rejects the token of the test.", remedy: "Connect the account again.")
        }
        return IssuedToken(access: token, expiresAt: Environment.standing.now() + .hours(1))
    }
}

extension RoomRequest {
    /// A request for half an hour tomorrow, under a key of its own.
    public static func test(
        _ call: ProviderContext, title: String = "A talk", host: String = "", options: MeetingOptions = MeetingOptions()
    ) -> RoomRequest {
        let start = Instant(seconds: (call.environment.now().seconds / 86_400 + 1) * 86_400)
        return RoomRequest(
            key: call.environment.code(bits: 128), title: title, description: "A test.", start: start, end: start + .minutes(30),
            timeZone: "Europe/Berlin", host: host, options: options)
    }
}
