import HTTPTypes
import Hummingbird
import UsherCore

/// Counts and times requests, by route.
struct Metering: RouterMiddleware {
    typealias Context = WebContext

    /// A caller may write any other, too.
    private static let methods: [HTTPTypes.HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]

    let meters: Meters
    let now: @Sendable () -> Instant

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let began = now()
        let response = try await next(request, context)
        // Not the path: it may hold a token, and there is no end of them.
        let route = context.endpointPath ?? "none"
        let method = Self.methods.contains(request.method) ? request.method.rawValue : "other"
        meters.count(.requests, ["method": method, "route": route, "status": "\(response.status.code)"])
        meters.time(.requests, now() - began, ["route": route])
        return response
    }
}
