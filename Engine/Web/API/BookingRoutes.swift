import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
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
