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
        router.get("/v1/bookings") { request, _ in try await list(request) }
        router.get("/v1/bookings/{id}") { request, context in
            try await authenticator.check(request, .bookingsRead)
            return Response.json(.ok, try await desk.view(try context.parameters.require("id")).json)
        }
        router.post("/v1/bookings/{id}/cancel") { request, context in
            try await authenticator.check(request, .bookingsWrite)
            return Response.json(.ok, try await desk.cancel(try context.parameters.require("id")).json)
        }
        router.post("/v1/bookings/{id}/retry") { request, context in
            try await authenticator.check(request, .bookingsWrite)
            return Response.json(.ok, try await desk.retry(try context.parameters.require("id")).json)
        }
        router.post("/v1/bookings/{id}/reschedule") { request, context in
            try await reschedule(request, try context.parameters.require("id"))
        }
        router.get("/v1/bookings/{id}/timeline") { request, context in
            try await authenticator.check(request, .bookingsRead)
            let entries = try await desk.timeline(try context.parameters.require("id"))
            let items = entries.map { entry -> JSON in
                ["at": .string(entry.at.rfc3339), "event": .string(entry.event), "detail": .string(entry.detail)]
            }
            return Response.json(.ok, ["items": .array(items), "nextCursor": nil])
        }
    }

    private func list(_ request: Request) async throws -> Response {
        try await authenticator.check(request, .bookingsRead)
        var query = QueryFields(request)
        query.refuseUnknown(["owner", "status", "from", "to", "limit", "cursor"])
        var filter = BookingDesk.Filter()
        filter.owner = query.text("owner")
        filter.status = query.choice("status", Booking.Status.allCases)
        filter.from = query.instant("from") ?? filter.from
        filter.to = query.instant("to") ?? filter.to
        let (limit, after) = (query.limit(), query.cursor())
        try query.check()
        let page = try await desk.page(filter, after: after, limit: limit)
        return Response.json(
            .ok,
            [
                "items": .array(page.views.map(\.json)),
                "nextCursor": page.next.map { .string(QueryFields.cursor($0.start, $0.id)) } ?? .null,
            ])
    }

    private func reschedule(_ request: Request, _ id: String) async throws -> Response {
        try await authenticator.check(request, .bookingsWrite)
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
        let key = try await authenticator.check(request, .bookingsWrite)
        let body = try await request.jsonBody()
        let json = try request.jsonObject(body)
        var reader = BookingJSON(json)
        let booking = reader.request()
        let accepted = try await desk.book(booking, known: reader.findings, idempotency: try idempotency(request, key, body))
        let wait = Self.wait(request)
        var view = accepted.view
        if let wait { view = try await desk.settled(view.booking.id, within: wait) }
        var response = Response.json(.created, view.json)
        if let wait, let name = HTTPField.Name("Preference-Applied") { response.headers[name] = "wait=\(wait.wholeSeconds)" }
        response.headers[.location] = "/v1/bookings/\(accepted.view.booking.id)"
        if accepted.isReplay, let name = HTTPField.Name("Idempotency-Replayed") { response.headers[name] = "true" }
        return response
    }

    /// `Prefer: wait=20` (RFC 7240 §4.3), at most a minute.
    private static func wait(_ request: Request) -> Duration? {
        guard let name = HTTPField.Name("Prefer") else { return nil }
        let preferences = request.headers[values: name].flatMap { $0.split(separator: ",") }.map { $0.trimmingBlanks.lowercased() }
        let seconds = preferences.lazy.compactMap { $0.hasPrefix("wait=") ? Int64($0.dropFirst(5)) : nil }.first
        return seconds.map { .seconds(min(max($0, 0), longestWait)) }
    }
    private static let longestWait: Int64 = 60

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
