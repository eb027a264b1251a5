import HTTPTypes
import Hummingbird
import UsherCore

/// From where a request comes: whatever is done in its course is written down with that address.
struct Provenance: RouterMiddleware {
    let proxies: TrustedProxies

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let actor = Actor("nobody", address: proxies.caller(request, context))
        return try await Actor.$current.withValue(actor) { try await next(request, context) }
    }
}

/// The trace that a call with a key belongs to: what follows from it is done in the same. A page's visitors put nothing into the calls
/// that we make.
struct Tracing: RouterMiddleware {
    typealias Context = WebContext

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let fields = [HTTPField.Name("traceparent"), HTTPField.Name("tracestate")].compactMap(\.self).map { request.headers[values: $0] }
        let path = request.uri.path
        // Twice is nonsense; of the state, lines are parts.
        guard path.hasPrefix("/v1/") || path == "/mcp", fields[0].count == 1,
            let trace = TraceContext(parent: fields[0][0], state: fields[1].joined(separator: ","))
        else {
            return try await next(request, context)
        }
        return try await TraceContext.$current.withValue(trace) { try await next(request, context) }
    }
}

/// Refuses a form that another site's page posts with the visitor's cookies. The API and the agents' way know callers by a key in a
/// header, which no other site can send.
/// Source: https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
struct ForeignFormGuard: RouterMiddleware {
    /// `https://meet.example.com`
    let origin: String

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard request.method == .post, !path.hasPrefix("/v1/"), path != "/mcp", isForeign(request) else {
            return try await next(request, context)
        }
        return Page.response(
            .forbidden, "This came from another site",
            MessagePart(lines: ["Nothing was changed. Open the page here by its link, and press there."]).html)
    }

    /// A browser that says neither is an old one, or no browser: what it sends must carry the session's own key all the same.
    private func isForeign(_ request: Request) -> Bool {
        if let name = HTTPField.Name("Sec-Fetch-Site"), let site = request.headers[name] {
            return site != "same-origin" && site != "none"
        }
        guard let sender = request.headers[.origin] else { return false }
        let here = ["http://", "https://"].map { $0 + (request.head.authority ?? "") }
        return sender != origin && !here.contains(sender)
    }
}

/// The headers of every answer.
struct SecurityHeaders: RouterMiddleware {
    typealias Context = WebContext

    let isSecure: Bool
    /// A year.
    private static let transportSecurity = "max-age=31536000"

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let name = HTTPField.Name("X-Content-Type-Options") { response.headers[name] = "nosniff" }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if isSecure, let name = HTTPField.Name("Strict-Transport-Security") { response.headers[name] = Self.transportSecurity }
        return response
    }
}
