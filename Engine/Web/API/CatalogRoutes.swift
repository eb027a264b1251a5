import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/meeting-types`, `/v1/providers`, `/v1/resolve`: what can be booked here, where it can be held, and which it would be.
struct CatalogRoutes: Sendable {
    let context: EngineContext
    let service: BookingService

    var operations: [Operation] {
        [
            Operation(
                method: .get, path: "/v1/meeting-types", id: "listMeetingTypes", access: .key(.bookingsRead),
                summary: "What can be booked.",
                query: [.limit, .cursor], answers: .page(MeetingType.self)
            ) { call in try Response.list(context.catalog.current.meetingTypes.map(\.json), call) },
            Operation(
                method: .get, path: "/v1/providers", id: "listProviders", access: .key(.bookingsRead),
                summary: "Where meetings can be held, and whether it can be used.", query: [.limit, .cursor],
                answers: .page(OfferedProvider.self)
            ) { call in
                let failing = try await context.health.all()
                return try Response.list(context.catalog.current.providers.map { provider($0, failing).json }, call)
            },
            Operation(
                method: .get, path: "/v1/resolve", id: "resolve", access: .key(.bookingsRead),
                summary: "Which provider a booking would get now, and why.",
                query: [
                    .init(name: "meetingType", schema: ["type": "string"], detail: "A meeting type's id.", isRequired: true),
                    .init(name: "owner", schema: ["type": "string"], detail: "An owner's id.", isRequired: true),
                    .init(name: "provider", schema: ["type": "string"], detail: "As a booking would ask for it."),
                ], answers: .json(.ok, ExplainedResolution.self), codes: [.notFound]
            ) { call in
                let query = call.query
                try query.check()
                let resolution = try await service.resolve(
                    query.text("meetingType") ?? "", owner: query.text("owner") ?? "", requested: query.text("provider"))
                return Response.json(.ok, try await service.explained(resolution))
            },
        ]
    }

    private func provider(_ entry: ProviderEntry, _ failing: [FailingProvider]) -> OfferedProvider {
        OfferedProvider(
            entry: entry, descriptor: context.registry.descriptor(entry.module),
            problem: ProviderResolver(context).readinessProblem(entry), health: failing.health(of: entry.name))
    }
}

/// A provider of the catalogue, and whether it can be used.
private struct OfferedProvider: JSONObject {
    var entry: ProviderEntry
    /// `nil` where there is no module of the name any more.
    var descriptor: ProviderDescriptor?
    var problem: Problem?
    var health: ProviderState

    static let schemaName = "Provider"
    static let fields: [JSONField<OfferedProvider>] = [
        .init("name", "As meeting-types.yaml names it.") { $0.entry.name }, .init("title", "What people read.") { $0.entry.title },
        .init("module", "What makes its rooms.") { $0.entry.module },
        .init("connection", "Whose account is used.") { $0.descriptor?.connection.rawValue },
        .init("capabilities", "What it can be told to do.") { $0.descriptor?.capabilities.map(\.rawValue).sorted() ?? [] },
        .init("usable", "Whether it is set up on this site.") { $0.problem == nil },
        .init("problem", "What is missing; null while nothing is.") { $0.problem },
        .init("health", "How its last calls went.") { $0.health },
    ]
}
