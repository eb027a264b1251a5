import HTTPTypes
import Hummingbird
import Logging
import UsherCore
import UsherPipeline
import UsherStore

/// The HTTP server: API, pages, health.
package struct WebServer: Sendable {
    private let context: EngineContext
    private let desk: BookingDesk
    private let settings: WebSettings
    private let serverLogger: Logger

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
            configuration: .init(address: .hostname(settings.host, port: settings.port), serverName: nil),
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? settings.port) }, logger: serverLogger)
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware(logger: context.logger))
        HealthRoutes(context).add(to: router)
        let authenticator = Authenticator(settings.adminKey, context)
        BookingRoutes(desk, authenticator).add(to: router)
        CatalogRoutes(context, authenticator).add(to: router)
        OwnerRoutes(context, desk, authenticator, returnOrigins: settings.returnOrigins).add(to: router)
        ConsentRoutes(context).add(to: router)
        EventRoutes(context, bell: settings.bell).add(to: router)
        OwnerPage(context, desk).add(to: router)
        JoinPage(context, desk).add(to: router)
        ManagePage(context, desk).add(to: router)
        return router
    }
}

package struct WebSettings: Sendable {
    package var host: String
    package var port: Int
    /// `USHER_API_KEY`; without it no call is let in.
    package var adminKey: Secret?
    /// Where a consent may lead back to, beside our own address: `https://crm.example`, without a slash at the end.
    package var returnOrigins: [String]
    /// Rung when there is new work.
    package var bell: Bell?

    package init(host: String, port: Int, adminKey: Secret?, returnOrigins: [String] = [], bell: Bell? = nil) {
        self.returnOrigins = returnOrigins
        self.bell = bell
        self.host = host
        self.port = port
        self.adminKey = adminKey
    }
}

/// `/health/live`: the process answers. `/health/ready`: the database does too.
struct HealthRoutes: Sendable {
    private let context: EngineContext
    init(_ context: EngineContext) { self.context = context }

    func add(to router: Router<BasicRequestContext>) {
        router.get("/health/live") { _, _ in Response.json(.ok, ["status": "live"]) }
        router.get("/health/ready") { [context] _, _ in
            do {
                let waiting = try await context.store.read { try $0.stepCount(due: context.now + EngineSettings.claimLength) }
                return Response.json(.ok, ["status": "ready", "waitingSteps": .int(waiting)])
            } catch {
                context.logger.error("the database does not answer", metadata: ["error": "\(error)"])
                return Response.json(.serviceUnavailable, ["status": "unready", "reason": "the database does not answer"])
            }
        }
    }
}

extension Response {
    static func json(_ status: HTTPTypes.HTTPResponse.Status, _ value: JSON, type: String = "application/json") -> Response {
        Response(status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: value.bytes)))
    }
}
