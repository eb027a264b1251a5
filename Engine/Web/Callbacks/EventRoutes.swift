import HTTPTypes
import Hummingbird
import NIOCore
import UsherCore
import UsherPipeline

/// Where providers send what happened there. The answer comes at once; the work follows from rows.
struct EventRoutes: Sendable {
    private let context: EngineContext
    private let events: ProviderEvents
    private let calendars: CalendarNotifications

    init(_ context: EngineContext) {
        self.context = context
        events = ProviderEvents(context)
        calendars = CalendarNotifications(context)
    }

    /// No service sends more.
    private static let longestEvent = 64 << 10

    func add(to router: Router<WebContext>) {
        for (path, module) in events.paths {
            router.post(RouterPath(path.path)) { request, _ in try await receive(request, path, module) }
        }
        router.post(RouterPath(CalendarNotifications.path + "/{id}")) { request, call in
            try await receive(request, calendar: try call.parameters.require("id"))
        }
    }

    private func receive(_ request: Request, calendar id: String) async throws -> Response {
        switch try await calendars.receive(id, try await delivery(request)) {
        case .refused: return Response(status: .notFound)
        case .challenge(let text):
            var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"]
            headers[.xContentTypeOptions] = "nosniff"
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
        case .done: return Response(status: .ok)
        }
    }

    private func delivery(_ request: Request) async throws -> EventDelivery {
        let body = try await request.bodyBytes()
        guard body.count <= Self.longestEvent else { throw Request.tooLarge }
        let headers = request.headers.map { (name: $0.name.rawName, value: $0.value) }
        return EventDelivery(headers: headers, query: request.uri.query ?? "", body: body, now: context.now)
    }

    private func receive(_ request: Request, _ path: EventPath, _ module: any EventfulProvider.Type) async throws -> Response {
        switch try await events.receive(try await delivery(request), path, module) {
        case .notConfigured: return Response(status: .serviceUnavailable)
        case .refused: return Response(status: .unauthorized)
        case .challenge(let answer): return Response.json(.ok, answer)
        case .done:
            return Response(status: .ok)
        }
    }
}
