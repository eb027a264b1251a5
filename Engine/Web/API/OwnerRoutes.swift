import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/owners` and what belongs to an owner: default provider, connections, own apps, portal links.
struct OwnerRoutes: Sendable {
    private let context: EngineContext
    private let owners: OwnerService
    private let returnOrigins: [String]

    private static let path = "/v1/owners"

    init(_ context: EngineContext, returnOrigins: [String]) {
        self.context = context
        self.returnOrigins = returnOrigins
        owners = OwnerService(context)
    }

    var operations: [Operation] { people + connections + apps }

    private var people: [Operation] {
        [
            Operation(
                method: .get, path: Self.path, id: "listOwners", access: .key(.ownersRead), summary: "All owners, by id.",
                query: [.limit, .cursor], answers: .page(StoredOwner.self)
            ) { call in
                let active = try await owners.list().filter(\.isActive).sorted { $0.owner.id < $1.owner.id }
                return try Response.list(active.map(\.json), by: { $0["id"]?.string ?? "" }, call)
            },
            Operation(
                method: .get, path: Self.path + "/{id}", id: "getOwner", access: .key(.ownersRead), summary: "One owner.",
                answers: .json(.ok, StoredOwner.self)
            ) { call in Response.json(.ok, try await owner(call)) },
            Operation(
                method: .put, path: Self.path + "/{id}", id: "putOwner", access: .key(.ownersWrite),
                summary: "Make or change an owner who does not stand in the catalogue's file.", takes: .json(OwnerRequest.self),
                answers: .json(.ok, StoredOwner.self), codes: [.ownerInFile], run: put),
            Operation(
                method: .delete, path: Self.path + "/{id}", id: "deleteOwner", access: .key(.ownersWrite),
                summary: "Take an owner out. Bookings that are made stay.", answers: .nothing, codes: [.ownerInFile]
            ) { call in
                try await owners.remove(try call.part("id"))
                return Response(status: .noContent)
            },
            Operation(
                method: .put, path: Self.path + "/{id}/default-provider", id: "setDefaultProvider", access: .key(.ownersWrite),
                summary: "Choose where an owner's meetings are held; null clears it.", takes: .json(DefaultProviderRequest.self),
                answers: .json(.ok, StoredOwner.self), run: setDefault),
            Operation(
                method: .post, path: Self.path + "/{id}/portal-links", id: "createPortalLink", access: .key(.ownersImpersonate),
                summary: "A one-time sign-in to the owner's page.", answers: .json(.created, OwnerService.PortalLink.self)
            ) { call in
                Response.json(.created, try await owners.portalLink(try call.part("id"), repeating: call.repeating))
            },
        ]
    }

    private var connections: [Operation] {
        let path = Self.path + "/{id}/connections"
        return [
            Operation(
                method: .get, path: path, id: "listConnections", access: .key(.ownersRead), summary: "An owner's connected accounts.",
                query: [.limit, .cursor], answers: .page(StoredConnection.self)
            ) { call in
                let all = try await Connections(context).list(owner: try await owner(call).owner.id)
                return try Response.list(all.map(\.json), by: { $0["provider"]?.string ?? "" }, call)
            },
            Operation(
                method: .post, path: path + "/{provider}/authorize", id: "authorizeConnection", access: .key(.ownersWrite),
                summary: "Where to send an owner who is to connect an account.", takes: .maybe(AuthorizeRequest.self),
                answers: .json(.created, Authorization.self), codes: [.notConnected], run: authorize),
            Operation(
                method: .delete, path: path + "/{provider}", id: "deleteConnection", access: .key(.ownersWrite),
                summary: "End a connection, at the provider too. Existing bookings keep their links.", answers: .nothing
            ) { call in
                let (id, provider) = (try await owner(call).owner.id, try call.part("provider"))
                guard try await Connections(context).disconnect(owner: id, provider: provider) else {
                    throw UsherError(.notFound, "\(id) has not connected '\(provider.prefix(80))'.")
                }
                return Response(status: .noContent)
            },
        ]
    }

    private var apps: [Operation] {
        let path = Self.path + "/{id}/apps"
        return [
            Operation(
                method: .get, path: path, id: "listApps", access: .key(.ownersRead), summary: "The own apps of an owner's organisation.",
                query: [.limit, .cursor], answers: .page(StoredApp.self)
            ) { call in
                let all = try await OwnerApps(context).list(owner: try await owner(call).owner.id)
                return try Response.list(all.map(\.json), by: { $0["provider"]?.string ?? "" }, call)
            },
            Operation(
                method: .put, path: path + "/{provider}", id: "putApp", access: .key(.ownersWrite),
                summary: "Use an app of the owner's organisation. Its secrets are kept sealed and never shown again.",
                takes: .json(AppRequest.self), answers: .json(.ok, StoredApp.self), run: putApp),
            Operation(
                method: .delete, path: path + "/{provider}", id: "deleteApp", access: .key(.ownersWrite),
                summary: "Use the site's app again.", answers: .nothing
            ) { call in
                let (id, provider) = (try await owner(call).owner.id, try call.part("provider"))
                guard try await OwnerApps(context).remove(owner: id, provider: provider) else {
                    throw UsherError(.notFound, "\(id) has no own app at '\(provider.prefix(80))'.")
                }
                return Response(status: .noContent)
            },
        ]
    }

    /// The active owner of the path.
    private func owner(_ call: APICall) async throws -> StoredOwner {
        let id = try call.part("id")
        let owner = try await owners.owner(id)
        guard owner.isActive else { throw UsherError(.notFound, "No active owner is called '\(id.prefix(80))'.") }
        return owner
    }

    private func put(_ call: APICall) async throws -> Response {
        let (wanted, findings) = try call.read(OwnerRequest.self)
        let site = context.catalog.current.site
        let owner = Owner(
            id: try call.part("id"), name: wanted.name, email: wanted.email, timeZone: wanted.timeZone ?? site.timeZone,
            language: wanted.language ?? site.language, schedule: wanted.schedule)
        return Response.json(.ok, try await owners.put(owner, known: findings))
    }

    private func putApp(_ call: APICall) async throws -> Response {
        let (app, findings) = try call.read(AppRequest.self)
        let (id, provider) = (try await owner(call).owner.id, try call.part("provider"))
        return Response.json(.ok, try await OwnerApps(context).put(app.app, owner: id, provider: provider, known: findings))
    }

    private func setDefault(_ call: APICall) async throws -> Response {
        let (choice, findings) = try call.read(DefaultProviderRequest.self)
        guard findings.isEmpty else {
            throw UsherError(.validationFailed, "Write {\"provider\": \"…\"}, or null to clear it.", findings: findings)
        }
        return Response.json(.ok, try await owners.setDefault(choice.provider, of: try await owner(call).owner.id))
    }

    private func authorize(_ call: APICall) async throws -> Response {
        let returnTo = try returnTo(call)
        let begun = try await Consents(context).begin(
            owner: try await owner(call).owner.id, provider: try call.part("provider"), returnTo: returnTo, repeating: call.repeating)
        return Response.json(.created, begun.map { Authorization(consent: $0, publicURL: context.settings.publicURL) })
    }

    /// Where the owner is to be sent after the consent; empty when the caller does not say.
    private func returnTo(_ call: APICall) throws -> String {
        // No body at all has no media type either.
        var (request, findings) = call.body.isEmpty ? AuthorizeRequest.read([:]) : try call.read(AuthorizeRequest.self)
        if !request.returnTo.isEmpty, !isOurs(request.returnTo) {
            let places = ([context.settings.publicURL] + returnOrigins).map { $0 + "/" }.joined(separator: " or ")
            findings.append(.init("/returnTo", "must begin with \(places)"))
        }
        guard findings.isEmpty else { throw UsherError(.validationFailed, "This cannot be authorised.", findings: findings) }
        return request.returnTo
    }

    /// No page elsewhere may have our owners sent to it.
    private func isOurs(_ url: String) -> Bool {
        url.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\\") }
            && ([context.settings.publicURL] + returnOrigins).contains { url == $0 || url.hasPrefix($0 + "/") }
    }
}
