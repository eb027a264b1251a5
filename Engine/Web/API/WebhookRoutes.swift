import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/webhooks`: who is told of events, and what became of each delivery.
struct WebhookRoutes: Sendable {
    let service: WebhookService

    private static let path = "/v1/webhooks"

    var operations: [Operation] {
        let one = Self.path + "/{id}"
        return [
            Operation(
                method: .get, path: Self.path, id: "listWebhooks", access: .key(.admin), summary: "All webhooks.",
                query: [.limit, .cursor], answers: .page(StoredWebhook.self)
            ) { call in try Response.list(try await service.list().map(\.json), by: { $0["id"]?.string ?? "" }, call) },
            Operation(
                method: .post, path: Self.path, id: "createWebhook", access: .key(.admin),
                summary: "Have a program told of events. The secret is shown in this answer alone.", takes: .json(WebhookRequest.self),
                answers: .json(.created, WebhookService.Shown.self), run: create),
            Operation(
                method: .get, path: one, id: "getWebhook", access: .key(.admin), summary: "One webhook.",
                answers: .json(.ok, StoredWebhook.self)
            ) { call in Response.json(.ok, try await service.webhook(try call.part("id"))) },
            Operation(
                method: .delete, path: one, id: "deleteWebhook", access: .key(.admin),
                summary: "Tell it no more, and forget what it was told.",
                answers: .nothing
            ) { call in
                try await service.remove(try call.part("id"))
                return Response(status: .noContent)
            },
            Operation(
                method: .post, path: one + "/rotate", id: "rotateWebhookSecret", access: .key(.admin),
                summary: "Make a new secret. The one before signs beside it for a day.", answers: .json(.ok, WebhookService.Shown.self)
            ) { call in
                Response.json(.ok, try await service.rotate(try call.part("id"), repeating: call.repeating))
            },
            Operation(
                method: .post, path: one + "/enable", id: "enableWebhook", access: .key(.admin),
                summary: "Turn it on again. What was given up meanwhile can be replayed.", answers: .json(.ok, StoredWebhook.self)
            ) { call in
                Response.json(.ok, try await service.enable(try call.part("id"), repeating: call.repeating))
            },
            Operation(
                method: .get, path: one + "/deliveries", id: "listDeliveries", access: .key(.admin),
                summary: "What was sent and what waits, the newest first; kept for 30 days.", query: [.limit, .cursor],
                answers: .page(StoredDelivery.self), run: deliveries),
            Operation(
                method: .post, path: one + "/deliveries/{delivery}/replay", id: "replayDelivery", access: .key(.admin),
                summary: "Send an event once more, under the same webhook-id.", answers: .json(.ok, StoredDelivery.self),
                codes: [.validationFailed]
            ) { call in
                Response.json(.ok, try await service.replay(try call.part("delivery"), of: try call.part("id"), repeating: call.repeating))
            },
        ]
    }

    private func create(_ call: APICall) async throws -> Response {
        let (wanted, findings) = try call.read(WebhookRequest.self)
        return Response.json(
            .created,
            try await service.create(
                url: wanted.url, events: wanted.events, showsManagePage: wanted.showsManagePage, known: findings,
                repeating: call.repeating))
    }

    private func deliveries(_ call: APICall) async throws -> Response {
        var query = call.query
        let (limit, before) = (query.limit(), query.cursor())
        try query.check()
        let page = try await service.deliveries(of: try call.part("id"), before: before, limit: limit)
        return Response.page(page.items.map(\.json), next: page.next)
    }
}

/// The body of `POST /v1/webhooks`.
private struct WebhookRequest: JSONRequest {
    var url: String
    var events: [String]?
    var showsManagePage: Bool

    static let schemaName = "WebhookRequest"
    static let examples: [JSON] = [["url": "https://crm.example.com/usher", "events": ["booking.confirmed", "meeting.ready"]]]

    init(_ reader: inout JSONReader) {
        url = reader.required("url", "https://…; private addresses need USHER_WEBHOOK_ALLOW_PRIVATE=true.")
        events = reader.texts("events", "All where it is not given.", [.init("minItems", 1)], items: EventType.self)
        showsManagePage =
            reader.bool(
                "managePage",
                "Whether its events include the attendee's managePage, which moves and cancels; false where it is not given.") ?? false
    }
}
