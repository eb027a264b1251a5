import Hummingbird
import NIOCore
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/owners` and what belongs to an owner: default provider, connections, portal links; and `/v1/resolve`.
struct OwnerRoutes: Sendable {
    private let context: EngineContext
    private let desk: BookingDesk
    private let owners: OwnerDesk
    private let authenticator: Authenticator
    private let returnOrigins: [String]

    init(_ context: EngineContext, _ desk: BookingDesk, _ authenticator: Authenticator, returnOrigins: [String]) {
        self.context = context
        self.desk = desk
        self.authenticator = authenticator
        self.returnOrigins = returnOrigins
        owners = OwnerDesk(context)
    }

    func add(to router: Router<BasicRequestContext>) {
        router.get("/v1/owners") { request, _ in
            try await authenticator.check(request, .ownersRead)
            return Response.json(.ok, ["items": .array(try await owners.list().map(\.json)), "nextCursor": nil])
        }
        router.get("/v1/owners/{id}") { request, parameters in
            try await authenticator.check(request, .ownersRead)
            return Response.json(.ok, try await owners.owner(try parameters.parameters.require("id")).json)
        }
        router.put("/v1/owners/{id}") { request, parameters in try await put(request, try parameters.parameters.require("id")) }
        router.delete("/v1/owners/{id}") { request, parameters in
            try await authenticator.check(request, .ownersWrite)
            try await owners.remove(try parameters.parameters.require("id"))
            return Response(status: .noContent)
        }
        router.put("/v1/owners/{id}/default-provider") { request, parameters in
            try await setDefault(request, try parameters.parameters.require("id"))
        }
        router.get("/v1/owners/{id}/connections") { request, parameters in
            try await authenticator.check(request, .ownersRead)
            let id = try await owners.owner(try parameters.parameters.require("id")).owner.id
            return Response.json(.ok, ["items": .array(try await Connections(context).list(owner: id).map(\.json)), "nextCursor": nil])
        }
        router.post("/v1/owners/{id}/connections/{provider}/authorize") { request, parameters in
            try await authorize(request, try parameters.parameters.require("id"), try parameters.parameters.require("provider"))
        }
        router.delete("/v1/owners/{id}/connections/{provider}") { request, parameters in
            try await authenticator.check(request, .ownersWrite)
            let provider = try parameters.parameters.require("provider")
            let id = try await owners.owner(try parameters.parameters.require("id")).owner.id
            guard try await Connections(context).disconnect(owner: id, provider: provider) else {
                throw UsherError(.notFound, "\(id) has not connected '\(provider.prefix(80))'.")
            }
            return Response(status: .noContent)
        }
        router.get("/v1/owners/{id}/apps") { request, parameters in
            try await authenticator.check(request, .ownersRead)
            let id = try await owners.owner(try parameters.parameters.require("id")).owner.id
            return Response.json(.ok, ["items": .array(try await OwnerApps(context).list(owner: id).map(\.json)), "nextCursor": nil])
        }
        router.put("/v1/owners/{id}/apps/{provider}") { request, parameters in
            try await putApp(request, try parameters.parameters.require("id"), try parameters.parameters.require("provider"))
        }
        router.delete("/v1/owners/{id}/apps/{provider}") { request, parameters in
            try await authenticator.check(request, .ownersWrite)
            let provider = try parameters.parameters.require("provider")
            let id = try await owners.owner(try parameters.parameters.require("id")).owner.id
            guard try await OwnerApps(context).remove(owner: id, provider: provider) else {
                throw UsherError(.notFound, "\(id) has no own app at '\(provider.prefix(80))'.")
            }
            return Response(status: .noContent)
        }
        router.post("/v1/owners/{id}/portal-links") { request, parameters in
            try await authenticator.check(request, .ownersWrite)
            let (url, expiresAt) = try await owners.portalLink(try parameters.parameters.require("id"))
            return Response.json(.created, ["url": .string(url), "expiresAt": .string(expiresAt.rfc3339)])
        }
        router.get("/v1/resolve") { request, _ in try await resolve(request) }
    }

    private func put(_ request: Request, _ id: String) async throws -> Response {
        try await authenticator.check(request, .ownersWrite)
        var fields = JSONFields(try await request.jsonObject())
        fields.refuseUnknown(["name", "email", "timeZone", "language"])
        let site = context.catalog.current.site
        let owner = Owner(
            id: id, name: fields.required("name"), email: fields.required("email"), timeZone: fields.text("timeZone") ?? site.timeZone,
            language: fields.text("language") ?? site.language)
        return Response.json(.ok, try await owners.put(owner, known: fields.findings).json)
    }

    /// The app of the owner's own organisation: its secrets are kept sealed, and never shown again.
    private func putApp(_ request: Request, _ id: String, _ provider: String) async throws -> Response {
        try await authenticator.check(request, .ownersWrite)
        var fields = JSONFields(try await request.jsonObject())
        fields.refuseUnknown(["clientId", "clientSecret", "webhookSecret"])
        let app = OwnerApps.App(
            clientID: fields.required("clientId"), clientSecret: Secret(fields.required("clientSecret")),
            webhookSecret: fields.text("webhookSecret").flatMap { $0.isEmpty ? nil : Secret($0) })
        return Response.json(.ok, try await OwnerApps(context).put(app, owner: id, provider: provider, known: fields.findings).json)
    }

    private func setDefault(_ request: Request, _ id: String) async throws -> Response {
        try await authenticator.check(request, .ownersWrite)
        var fields = JSONFields(try await request.jsonObject())
        fields.refuseUnknown(["provider"])
        let provider = fields.nullable("provider")
        try fields.check("Write {\"provider\": \"…\"}, or null to clear it.")
        return Response.json(.ok, try await owners.setDefault(provider, of: id).json)
    }

    /// Where the owner is to be sent after the consent; empty when the caller does not say.
    private func returnTo(_ fields: JSONFields) throws -> String {
        var fields = fields
        fields.refuseUnknown(["returnTo"])
        let returnTo = fields.text("returnTo") ?? ""
        if !returnTo.isEmpty, !isOurs(returnTo) {
            fields.find(
                "/returnTo", "must begin with \(([context.settings.publicURL] + returnOrigins).map { $0 + "/" }.joined(separator: " or "))")
        }
        try fields.check("This cannot be authorised.")
        return returnTo
    }

    private func authorize(_ request: Request, _ id: String, _ provider: String) async throws -> Response {
        try await authenticator.check(request, .ownersWrite)
        let returnTo = try returnTo(JSONFields(try await request.jsonObject(mayBeEmpty: true)))
        let (consent, service, _, expiresAt) = try await Consents(context).begin(owner: id, provider: provider, returnTo: returnTo)
        return Response.json(
            .created,
            [
                "authorizationUrl": .string("\(context.settings.publicURL)/auth/\(service)/start?consent=\(consent)"),
                "expiresAt": .string(expiresAt.rfc3339),
            ])
    }

    /// No page elsewhere may have our owners sent to it.
    private func isOurs(_ url: String) -> Bool {
        url.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }
            && ([context.settings.publicURL] + returnOrigins).contains { url == $0 || url.hasPrefix($0 + "/") }
    }

    private func resolve(_ request: Request) async throws -> Response {
        try await authenticator.check(request, .bookingsRead)
        let query = request.uri.queryParameters
        let missing = ["meetingType", "owner"].filter { query.get($0) == nil }
        guard missing.isEmpty, let type = query.get("meetingType"), let owner = query.get("owner") else {
            throw UsherError(
                .validationFailed, "Name both meetingType and owner.", findings: missing.map { .init("/\($0)", "is required") })
        }
        return Response.json(.ok, try await desk.resolve(type, owner: owner, requested: query.get("provider")).json)
    }
}
