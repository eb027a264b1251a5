import HTTPTypes
import Hummingbird
import Logging
import UsherCore
import UsherPipeline

/// Turns every error into `application/problem+json` (RFC 9457) with a stable code.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    let logger: Logger
    let routes: RouteMap

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await answer(request, context, next)
        // What is said here is said outside of the routes, which would leave it out by themselves.
        if request.method == .head {
            // The length that a GET would have, and nothing of it (RFC 9110, 8.6).
            response.body = ResponseBody(contentLength: response.body.contentLength) { writer in try await writer.finish(nil) }
        }
        return response
    }

    private func answer(
        _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch let error as UsherError {
            return problem(error, request)
        } catch let error as HTTPError where error.status == .notFound {
            return nothing(request)
        } catch let error as HTTPError where (400..<500).contains(error.status.code) {
            return Response.problem(UsherError(.requestMalformed, error.body ?? "The request cannot be understood."))
        } catch let error as DatabaseError where error.kind == .busy {
            // Not the path: it may hold a token.
            logger.warning("the database was busy", metadata: ["route": "\(context.endpointPath ?? "none")", "error": "\(error)"])
            return problem(
                UsherError(.overloaded, "The database is busy, or does not answer. Nothing was changed: try again in a moment."), request)
        } catch let error as DatabaseError where error.kind == .unclear {
            logger.error(
                "it is not known whether a change was made", metadata: ["route": "\(context.endpointPath ?? "none")", "error": "\(error)"])
            return problem(
                UsherError(
                    .overloaded,
                    "It is not known whether this was done. Ask again with the same Idempotency-Key; without one, look first whether it was."
                ), request)
        } catch {
            logger.error("a request failed", metadata: ["route": "\(context.endpointPath ?? "none")", "error": "\(error)"])
            return Response.problem(
                UsherError(.internalError, "Something went wrong here. It is in the server's log; try again in a moment."))
        }
    }
}

extension ProblemMiddleware {
    /// A person whose page cannot be shown just now reads so.
    private func problem(_ error: UsherError, _ request: Request) -> Response {
        guard error.code == .overloaded, Self.isFromPerson(request) else { return Response.problem(error) }
        var response = Page.busy
        if let name = HTTPField.Name("Retry-After") { response.headers[name] = "2" }
        return response
    }

    private static func isFromPerson(_ request: Request) -> Bool {
        (request.method == .get || request.method == .post) && request.headers[.accept]?.contains("text/html") == true
    }

    private func nothing(_ request: Request) -> Response {
        guard let methods = routes.methods(of: request.uri.path), let allow = HTTPField.Name("Allow") else {
            // A person who mistyped an address reads a page.
            if request.method == .get, Self.isFromPerson(request) { return Page.deadLink }
            return Response.problem(UsherError(.notFound, "There is nothing at \(request.uri.path.prefix(200))."))
        }
        var response = Response.problem(
            UsherError(.requestMethod, "\(request.method) is not for \(request.uri.path.prefix(200)): use \(methods)."))
        response.headers[allow] = methods
        return response
    }
}

extension Response {
    static func problem(_ error: UsherError) -> Response {
        let status = error.code.httpStatus
        var response = Response.json(status, ProblemDetails(error: error).answer, type: "application/problem+json")
        if error.code == .rateLimited || error.code == .overloaded, let name = HTTPField.Name("Retry-After") {
            response.headers[name] = error.code == .rateLimited ? "1" : "2"
        }
        if error.code == .authMissing || error.code == .authInvalid { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}

extension ErrorCode {
    /// The one mapping of codes to HTTP.
    package var httpStatus: HTTPTypes.HTTPResponse.Status {
        switch self {
        case .validationFailed, .idempotencyMismatch, .bookingInPast: .unprocessableContent
        case .requestMalformed: .badRequest
        case .requestMediaType: .unsupportedMediaType
        case .requestMethod: .methodNotAllowed
        case .payloadTooLarge: .contentTooLarge
        case .bookingConflict, .bookingUnavailable, .holdExpired, .bookingCancelled, .ownerInFile: .conflict
        case .notFound: .notFound
        case .authMissing, .authInvalid: .unauthorized
        case .authForbidden: .forbidden
        case .rateLimited: .tooManyRequests
        case .overloaded: .serviceUnavailable
        case .notConnected, .reauthorize, .missingScope, .plan, .hostUnknown, .providerRateLimited, .dailyLimit, .rejected, .unavailable,
            .meetingGone, .providerRemoved:
            .badGateway
        case .configuration, .internalError: .internalServerError
        }
    }
}

/// An error as RFC 9457 has it.
struct ProblemDetails: JSONObject {
    var error: UsherError

    /// More than this helps nobody.
    private static let mostFindings = 100

    /// With what the error says beside.
    var answer: JSON { .object((json.members ?? []) + (error.details?.members ?? [])) }

    static let schemaName = "Problem"
    static let fields: [JSONField<ProblemDetails>] = [
        .init("type", "Where the code is explained, relative to the call's address.") { $0.error.code.address },
        .init("title", "The status in words.") { $0.error.code.httpStatus.reasonPhrase },
        .init("status", "The HTTP status.") { Int64($0.error.code.httpStatus.code) },
        .init("code", "Stable: what programs go by.") { $0.error.code },
        .init("detail", "What is wrong and how to mend it, to read.") { $0.error.message },
        .ifPresent("traceId", "Of the call's traceparent, where it had one.") { _ in TraceContext.current?.traceID },
        .ifPresent("hosts", "With booking.unavailable: who cannot be booked, and why.") { _ -> [HostRefusal]? in nil },
        .ifPresent("nearest", "With booking.unavailable: the nearest free starts.") { _ -> [Instant]? in nil },
        .ifPresent("errors", "What is wrong with the input, each part by itself.") {
            $0.error.findings.isEmpty ? nil : Array($0.error.findings.prefix(mostFindings))
        },
    ]
}

extension UsherError.Finding: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Finding"
    /// Where, and what.
    package static let fields: [JSONField<UsherError.Finding>] = [
        .init("pointer", "RFC 6901, into the body; or / and a parameter's name.") { $0.pointer },
        .init("detail", "What is wrong with it.") { $0.detail },
    ]
}
