import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import UsherCore
import UsherPipeline
import UsherStore

/// The HTTP server: API, pages, health.
package struct WebServer: Sendable {
    private let context: EngineContext
    private let desk: BookingDesk
    private let settings: WebSettings
    private let serverLogger: Logger

    /// Longer than a caller may wait for a room.
    private static let idleTimeout = TimeAmount.seconds(75)
    /// So long an agent waits for a room.
    private static let agentPatience = Duration.seconds(20)

    /// - Parameter serverLogger: where the HTTP library writes.
    package init(_ context: EngineContext, desk: BookingDesk, settings: WebSettings, serverLogger: Logger) {
        self.context = context
        self.desk = desk
        self.settings = settings
        self.serverLogger = serverLogger
    }

    /// The application, ready to run as a service.
    /// - Parameter onReady: called with the port once connections are taken.
    package func application(onReady: @escaping @Sendable (Int) -> Void) -> some ApplicationProtocol {
        Application(
            router: router(),
            // Whoever says nothing for so long has gone, or holds a place from others.
            server: .http1(configuration: .init(idleTimeout: Self.idleTimeout)),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionLimit)),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? settings.port) }, logger: serverLogger)
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        let routes = RouteMap()
        router.add(middleware: Metering(meters: context.meters, now: context.surroundings.now))
        router.add(middleware: ProblemMiddleware(logger: context.logger, routes: routes))
        router.add(middleware: AdmissionGate(admission: Admission(limit: settings.requestLimit, context.pressure)))
        let authenticator = Authenticator(settings.adminKey, context)
        APIRoutes(operations: operations, authenticator: authenticator).add(to: router)
        AdminPage(
            context, desk, WebhookDesk(context, bell: settings.bell), AdminSession(context, adminKey: settings.adminKey, authenticator),
            findings: settings.catalogFindings
        ).add(to: router)
        ConsentRoutes(context).add(to: router)
        EventRoutes(context, bell: settings.bell).add(to: router)
        OwnerPage(context, desk).add(to: router)
        JoinPage(context, desk).add(to: router)
        PageScript().add(to: router)
        ManagePage(context, desk).add(to: router)
        routes.learn(router)
        return router
    }

    private var agents: AgentServer {
        AgentServer(context, desk) { id in try await Admission.waiting { try await desk.settled(id, within: Self.agentPatience) } }
    }

    /// All that the API can do.
    private var operations: [Operation] {
        BookingRoutes(desk: desk).operations + OwnerRoutes(context, returnOrigins: settings.returnOrigins).operations
            + CatalogRoutes(context: context, desk: desk).operations
            + WebhookRoutes(desk: WebhookDesk(context, bell: settings.bell)).operations
            + MetaRoutes(context: context, isLocal: settings.isLocal).operations
            + AgentRoutes(server: agents, origins: [context.settings.publicURL] + settings.returnOrigins).operations
            + DescriptionRoutes(publicURL: context.settings.publicURL) { self.operations }.operations
    }
}

package struct WebSettings: Sendable {
    package var host: String
    package var port: Int
    /// Whether only this machine can reach it.
    var isLocal: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
    /// `USHER_API_KEY`; without it no call is let in.
    package var adminKey: Secret?
    /// Where a consent may lead back to, beside our own address: `https://crm.example`, without a slash at the end.
    package var returnOrigins: [String]
    /// What is wrong with the catalogue's file as it stands now, a line each.
    package var catalogFindings: @Sendable () -> [String] = { [] }
    /// Rung when there is new work.
    package var bell: Bell?
    /// Requests that are worked on at the same time.
    package var requestLimit = 32
    /// Connections that stand at the same time; those beyond wait to be taken.
    package var connectionLimit = 1_000

    package init(host: String, port: Int, adminKey: Secret?, returnOrigins: [String] = [], bell: Bell? = nil) {
        self.returnOrigins = returnOrigins
        self.bell = bell
        self.host = host
        self.port = port
        self.adminKey = adminKey
    }
}

extension Response {
    static func json(_ status: HTTPTypes.HTTPResponse.Status, _ value: JSON, type: String = "application/json") -> Response {
        Response(status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: value.bytes)))
    }
}
