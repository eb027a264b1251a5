import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

/// `/v1/bookings`
struct BookingRoutes: Sendable {
    private let desk: BookingDesk
    private let authenticator: Authenticator

    init(_ desk: BookingDesk, _ authenticator: Authenticator) {
        self.desk = desk
        self.authenticator = authenticator
    }

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1/bookings") { request, _ in try await create(request) }
        router.get("/v1/bookings/{id}") { request, context in
            _ = try authenticator.check(request)
            return Response.json(.ok, try await desk.view(try context.parameters.require("id")).json)
        }
        router.post("/v1/bookings/{id}/cancel") { request, context in
            _ = try authenticator.check(request)
            return Response.json(.ok, try await desk.cancel(try context.parameters.require("id")).json)
        }
        router.post("/v1/bookings/{id}/retry") { request, context in
            _ = try authenticator.check(request)
            return Response.json(.ok, try await desk.retry(try context.parameters.require("id")).json)
        }
        router.post("/v1/bookings/{id}/reschedule") { request, context in
            try await reschedule(request, try context.parameters.require("id"))
        }
        router.get("/v1/bookings/{id}/timeline") { request, context in
            _ = try authenticator.check(request)
            let entries = try await desk.timeline(try context.parameters.require("id"))
            let items = entries.map { entry -> JSON in
                ["at": .string(entry.at.rfc3339), "event": .string(entry.event), "detail": .string(entry.detail)]
            }
            return Response.json(.ok, ["items": .array(items), "nextCursor": nil])
        }
    }

    private func reschedule(_ request: Request, _ id: String) async throws -> Response {
        _ = try authenticator.check(request)
        var fields = JSONFields(try await request.jsonObject())
        fields.refuseUnknown(["start", "timeZone", "disambiguation"])
        let (start, timeZone) = (fields.required("start"), fields.text("timeZone"))
        let disambiguation = fields.text("disambiguation")
        if let disambiguation, BookingRequest.Disambiguation(rawValue: disambiguation) == nil {
            fields.find("/disambiguation", "must be \"earlier\" or \"later\"")
        }
        try fields.check("The booking cannot be moved as it is written.")
        let view = try await desk.reschedule(
            id, to: start, timeZone: timeZone, disambiguation: disambiguation.flatMap(BookingRequest.Disambiguation.init))
        return Response.json(.ok, view.json)
    }

    private func create(_ request: Request) async throws -> Response {
        let key = try authenticator.check(request)
        let body = try await request.jsonBody()
        let json = try request.jsonObject(body)
        var reader = BookingJSON(json)
        let booking = reader.request()
        let accepted = try await desk.book(booking, known: reader.findings, idempotency: try idempotency(request, key, body))
        var response = Response.json(.created, accepted.view.json)
        response.headers[.location] = "/v1/bookings/\(accepted.view.booking.id)"
        if accepted.isReplay, let name = HTTPField.Name("Idempotency-Replayed") { response.headers[name] = "true" }
        return response
    }

    /// The key as a structured string, `"8e03…"`, or bare.
    /// Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    private func idempotency(_ request: Request, _ key: String, _ body: [UInt8]) throws(UsherError) -> IdempotencyKey? {
        guard let name = HTTPField.Name("Idempotency-Key"), var value = request.headers[name] else { return nil }
        if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = String(value.dropFirst().dropLast()) }
        guard (1...255).contains(value.utf8.count) else {
            throw UsherError(.validationFailed, "The Idempotency-Key must have 1 to 255 characters.")
        }
        return IdempotencyKey(scope: "\(key) POST /v1/bookings", key: value, fingerprint: Vault.hash(body))
    }
}
