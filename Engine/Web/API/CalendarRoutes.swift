import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/owners/{id}/calendars`: what says when an owner is busy.
struct CalendarRoutes: Sendable {
    private let context: EngineContext
    private let owners: OwnerService
    private let calendars: CalendarService

    private static let path = "/v1/owners/{id}/calendars"

    init(_ context: EngineContext) {
        self.context = context
        owners = OwnerService(context)
        calendars = CalendarService(context)
    }

    var operations: [Operation] {
        [
            Operation(
                method: .get, path: Self.path, id: "listCalendars", access: .key(.ownersRead),
                summary: "The calendars that say when an owner is busy.", query: [.limit, .cursor], answers: .page(ShownCalendar.self)
            ) { call in
                let all = try await calendars.list(of: try await owner(call))
                return try Response.list(all.map(\.json), by: { $0["id"]?.string ?? "" }, call)
            },
            Operation(
                method: .post, path: Self.path, id: "connectCalendars", access: .key(.ownersWrite),
                summary:
                    "Connect calendars: those behind an address, or, by an authorizationUrl for the owner's browser, those of an account. Addresses and passwords are kept sealed and never shown again.",
                takes: .json(CalendarRequest.self), answers: .json(.created, ConnectedCalendars.self), run: connect),
            Operation(
                method: .patch, path: Self.path + "/{calendar}", id: "chooseCalendar", access: .key(.ownersWrite),
                summary: "Say whether a calendar makes its owner busy.", takes: .json(CalendarChoice.self),
                answers: .json(.ok, ShownCalendar.self), run: choose),
            Operation(
                method: .delete, path: Self.path + "/{calendar}", id: "deleteCalendar", access: .key(.ownersWrite),
                summary: "Forget a calendar, with all that is known of it.", answers: .nothing
            ) { call in
                try await calendars.remove(try call.part("calendar"), owner: try await owner(call))
                return Response(status: .noContent)
            },
        ]
    }

    /// The id of the active owner of the path.
    private func owner(_ call: APICall) async throws -> String {
        let id = try call.part("id")
        guard try await owners.owner(id).isActive else { throw UsherError(.notFound, "No active owner is called '\(id.prefix(80))'.") }
        return id
    }

    private func connect(_ call: APICall) async throws -> Response {
        let (request, findings) = try call.read(CalendarRequest.self)
        guard findings.isEmpty else { throw UsherError(.validationFailed, "The calendar cannot be connected.", findings: findings) }
        let owner = try await owner(call)
        guard !calendars.needsConsent(request.kind) else {
            let begun = try await calendars.authorize(request.kind, owner: owner, repeating: call.repeating)
            return Response.json(
                .created,
                begun.map { ConnectedCalendars(authorization: Authorization(consent: $0, publicURL: context.settings.publicURL)) })
        }
        let found = try await calendars.connect(
            .init(kind: request.kind, url: request.url, user: request.user, password: request.password), owner: owner,
            repeating: call.repeating)
        return Response.json(.created, found.map { ConnectedCalendars(items: $0) })
    }

    private func choose(_ call: APICall) async throws -> Response {
        let (choice, findings) = try call.read(CalendarChoice.self)
        guard findings.isEmpty, let counts = choice.counts else {
            throw UsherError(
                .validationFailed, "Write {\"counts\": true} or {\"counts\": false}.",
                findings: findings.isEmpty ? [.init("/counts", "is required")] : findings)
        }
        return Response.json(
            .ok, try await calendars.setCounts(counts, calendar: try call.part("calendar"), owner: try await owner(call)))
    }
}

/// The body of `POST /v1/owners/{id}/calendars`.
struct CalendarRequest: JSONRequest {
    var kind: String
    var url: String
    var user: String
    var password: Secret

    static let schemaName = "CalendarRequest"
    static let examples: [JSON] = [["kind": "ics", "url": "https://calendar.northwind.example/feed/ana-secret.ics"]]

    init(_ reader: inout JSONReader) {
        kind = reader.required("kind", "ics or caldav, with their address; google or microsoft.")
        url = reader.text("url", "https:// or webcal://", .length(0...CalendarService.longestURL)) ?? ""
        user = reader.text("user", "Of a CalDAV server.", .length(0...CalendarService.longestName)) ?? ""
        password = Secret(
            reader.text("password", "Of a CalDAV server: one for apps, where it has those.", .length(0...CalendarService.longestName)) ?? ""
        )
    }
}

/// The body of `PATCH /v1/owners/{id}/calendars/{calendar}`.
struct CalendarChoice: JSONRequest {
    var counts: Bool?

    static let schemaName = "CalendarChoice"
    static let examples: [JSON] = [["counts": true]]

    init(_ reader: inout JSONReader) { counts = reader.bool("counts", "Whether it makes its owner busy.") }
}

/// What a caller who connects calendars is answered.
struct ConnectedCalendars: JSONObject {
    var items: [ShownCalendar]?
    var authorization: Authorization?

    static let schemaName = "ConnectedCalendars"
    static let fields: [JSONField<ConnectedCalendars>] = [
        .ifPresent("items", "The calendars behind the address.") { $0.items },
        .ifPresent("authorizationUrl", "Where the owner's browser is to be sent.") { $0.authorization?.url },
        .ifPresent("expiresAt", "The address is dead then.") { $0.authorization?.consent.expiresAt },
    ]
}
