import Foundation
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
    private let service: BookingService
    private let settings: WebSettings
    private let serverLogger: Logger
    /// Asked at `/health/ready`.
    package let readiness = Readiness()

    /// Longer than a caller may wait for a room.
    private static let idleTimeout = TimeAmount.seconds(75)
    private static let onTheWayOut = 200
    /// So long an agent waits for a room.
    private static let agentPatience = Duration.seconds(20)

    /// - Parameter serverLogger: where the HTTP library writes.
    package init(_ context: EngineContext, service: BookingService, settings: WebSettings, serverLogger: Logger) {
        self.context = context
        self.service = service
        self.settings = settings
        self.serverLogger = serverLogger
    }

    /// The application, ready to run as a service.
    /// - Parameter onReady: called with the port once connections are taken.
    package func application(onReady: @escaping @Sendable (Int) -> Void) -> some ApplicationProtocol {
        let connections = StandingConnections(
            limit: settings.connectionLimit, ofOneAddress: settings.connectionsOfOneAddress, proxies: settings.proxies)
        return Application(
            router: router(),
            // Whoever says nothing for so long has gone, or holds a place from others.
            server: .http1(
                configuration: .init(additionalChannelHandlers: [ConnectionWatch(connections)], idleTimeout: Self.idleTimeout)),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port), serverName: nil,
                // A few more than may stand, so that a new one finds the door open while another is shown out.
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionLimit + Self.onTheWayOut)),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? settings.port) }, logger: serverLogger)
    }

    private func router() -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        let routes = RouteMap()
        router.add(middleware: Metering(meters: context.meters, now: context.environment.now))
        router.add(middleware: SecurityHeaders(isSecure: context.settings.publicURL.hasPrefix("https://")))
        router.add(middleware: Tracing())
        router.add(middleware: SiteFraming(catalog: context.catalog, looks: settings.looks))
        router.add(middleware: ProblemMiddleware(logger: context.logger, routes: routes))
        router.add(middleware: Provenance(proxies: settings.proxies))
        router.add(middleware: ForeignFormGuard(origin: context.settings.publicURL))
        router.add(middleware: AdmissionGate(admission: Admission(limit: settings.requestLimit, context.pressure)))
        let authenticator = Authenticator(settings.adminKey, context)
        APIRoutes(operations: operations, authenticator: authenticator).add(to: router)
        let session = AdminSession(context, adminKey: settings.adminKey, authenticator)
        AdminPage(context, service, WebhookService(context), session, findings: settings.catalogFindings).add(to: router)
        SignInRoutes(context, session)?.add(to: router)
        ConsentRoutes(context).add(to: router)
        EventRoutes(context).add(to: router)
        SecurityText(context: context).add(to: router)
        HomePage(context, service).add(to: router)
        OwnerPage(context, service).add(to: router)
        JoinPage(context, service).add(to: router)
        AssetRoutes().add(to: router)
        ManagePage(context, service).add(to: router)
        BookPage(context, service).add(to: router)
        routes.learn(router)
        return router
    }

    private var agents: AgentServer {
        AgentServer(context, service) { id in try await Admission.waiting { try await service.settled(id, within: Self.agentPatience) } }
    }

    fileprivate static func isLoopback(host: String) -> Bool {
        host == "localhost" || host == "::1" || host == "[::1]" || host.hasPrefix("127.")
    }

    private func isLoopback(_ url: String) -> Bool { (URL(string: url)?.host()).map(Self.isLoopback) ?? false }

    /// All that the API can do.
    private var operations: [Operation] {
        BookingRoutes(service: service).operations
            + SlotRoutes(service: SlotService(context), holds: HoldService(context), now: { context.now }).operations
            + OwnerRoutes(context, returnOrigins: settings.returnOrigins).operations + CalendarRoutes(context).operations
            + TimeOffRoutes(context).operations
            + CatalogRoutes(context: context, service: service).operations
            + WebhookRoutes(service: WebhookService(context)).operations
            + MetaRoutes(context: context, isLocal: settings.isLocal && isLoopback(context.settings.publicURL), readiness: readiness)
            .operations
            + AuditRoutes(context: context).operations
            + PersonRoutes(context: context).operations
            + AgentRoutes(server: agents, origins: [context.settings.publicURL] + settings.returnOrigins).operations
            + DescriptionRoutes(publicURL: context.settings.publicURL) { self.operations }.operations
    }
}

package struct WebSettings: Sendable {
    package var host: String
    package var port: Int
    /// Whether only this machine can reach it.
    var isLocal: Bool { WebServer.isLoopback(host: host) }
    /// `USHER_API_KEY`; without it no call is let in.
    package var adminKey: Secret?
    /// Where a consent may lead back to, beside our own address: `https://crm.example`, without a slash at the end.
    package var returnOrigins: [String]
    /// Whose word about the caller's address counts.
    package var proxies = TrustedProxies.none
    /// What is wrong with the catalogue's file as it stands now.
    package var catalogFindings: @Sendable () -> [CatalogFinding] = { [] }
    /// How the pages look.
    package var looks = PageLooks()
    /// Requests that are worked on at the same time.
    package var requestLimit = 32
    /// Connections that stand at the same time.
    package var connectionLimit = 1_000
    /// The same of one network address, unless it is a trusted proxy's.
    package var connectionsOfOneAddress = 250

    package init(host: String, port: Int, adminKey: Secret?, returnOrigins: [String] = []) {
        self.returnOrigins = returnOrigins
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
