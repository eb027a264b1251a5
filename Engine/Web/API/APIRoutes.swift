import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline

/// Every call of the API behind its checks: key, rate, scope, address, body; and what goes wrong as a problem.
struct APIRoutes: Sendable {
    let operations: [Operation]
    let authenticator: Authenticator

    func add(to router: Router<WebContext>) {
        for operation in operations {
            router.on(RouterPath(operation.path), method: operation.method) { request, context in
                try await answer(operation, request, context)
            }
        }
    }

    private func answer(_ operation: Operation, _ request: Request, _ context: WebContext) async throws -> Response {
        var caller = Caller.nobody
        var response: Response
        do {
            if !operation.access.isOpen(to: request) { caller = try await authenticator.caller(request) }
            if let standing = caller.standing, !standing.isAllowed {
                throw UsherError(
                    .rateLimited, "This key makes more than \(Int(RateLimiter.perMinute)) calls a minute. Try again in a second.")
            }
            if let scope = operation.access.scope, !operation.access.isOpen(to: request) {
                do throws(UsherError) { try caller.require(scope) } catch {
                    try await authenticator.audit(error, of: "\(operation.method.rawValue) \(operation.path)", to: caller)
                    throw error
                }
            }
            var query = QueryFields(request)
            query.check(operation.query)
            if operation.query.isEmpty { try query.check() }
            let call = APICall(
                request: request, parameters: context.parameters, query: query, caller: caller, body: try await body(operation, request),
                route: "\(operation.method.rawValue) \(operation.path)")
            let name = caller.id.isEmpty ? "nobody" : "key:\(caller.id)"
            response = try await Actor.acting(name) { try await operation.run(call) }
        } catch let error as UsherError {
            response = .problem(error)
        }
        if let standing = caller.standing { response.show(standing) }
        return response
    }

    private func body(_ operation: Operation, _ request: Request) async throws -> [UInt8] {
        switch operation.takes {
        case .none where operation.method != .post: return []
        case .none:
            let body = try await request.bodyBytes()
            if body.isEmpty { return body }
            // Whoever sends something means something by it.
            var reader = JSONReader(try request.jsonObject(body))
            reader.refuseUnknown()
            try reader.check("This call takes no body.")
            return body
        case .json, .maybe: return try await request.bodyBytes()
        }
    }
}

extension Response {
    /// Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    fileprivate mutating func show(_ standing: RateLimiter.Standing) {
        guard let policy = HTTPField.Name("RateLimit-Policy"), let limit = HTTPField.Name("RateLimit") else { return }
        headers[policy] = "\"default\";q=\(Int(RateLimiter.burst));w=\(Int(RateLimiter.burst * 60 / RateLimiter.perMinute))"
        headers[limit] = "\"default\";r=\(standing.left);t=\(standing.secondsToFull)"
    }
}
