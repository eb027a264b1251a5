import HTTPTypes
import Hummingbird
import NIOCore
import UsherCore
import UsherPipeline

/// Where providers send what happened there. The answer comes at once; the work follows from rows.
struct EventRoutes: Sendable {
    private let context: EngineContext
    private let events: ProviderEvents

    init(_ context: EngineContext) {
        self.context = context
        events = ProviderEvents(context)
    }

    /// No service sends more.
    private static let longestEvent = 64 << 10

    func add(to router: Router<WebContext>) {
        for (path, module) in events.paths {
            router.post(RouterPath(path.path)) { request, _ in try await receive(request, path, module) }
        }
    }

    private func receive(_ request: Request, _ path: EventPath, _ module: any EventfulProvider.Type) async throws -> Response {
        let body = try await request.bodyBytes()
        guard body.count <= Self.longestEvent else { throw Request.tooLarge }
        let headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
        switch try await events.receive(EventDelivery(headers: headers, body: body, now: context.now), path, module) {
        case .notConfigured: return Response(status: .serviceUnavailable)
        case .refused: return Response(status: .unauthorized)
        case .challenge(let answer): return Response.json(.ok, answer)
        case .done:
            return Response(status: .ok)
        }
    }
}
