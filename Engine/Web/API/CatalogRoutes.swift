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
                query: [.limit, .cursor], answers: .page("MeetingType")
            ) { call in try Response.list(context.catalog.current.meetingTypes.map(\.json), call) },
            Operation(
                method: .get, path: "/v1/providers", id: "listProviders", access: .key(.bookingsRead),
                summary: "Where meetings can be held, and whether it can be used.", query: [.limit, .cursor],
                answers: .page("Provider")
            ) { call in
                let failing = try await context.health.all()
                return try Response.list(context.catalog.current.providers.map { provider($0, failing) }, call)
            },
            Operation(
                method: .get, path: "/v1/resolve", id: "resolve", access: .key(.bookingsRead),
                summary: "Which provider a booking would get now, and why.",
                query: [
                    .init(name: "meetingType", schema: ["type": "string"], detail: "A meeting type's id.", isRequired: true),
                    .init(name: "owner", schema: ["type": "string"], detail: "An owner's id.", isRequired: true),
                    .init(name: "provider", schema: ["type": "string"], detail: "As a booking would ask for it."),
                ], answers: .json(.ok, "Resolution"), codes: [.notFound]
            ) { call in
                let query = call.query
                try query.check()
                let resolution = try await service.resolve(
                    query.text("meetingType") ?? "", owner: query.text("owner") ?? "", requested: query.text("provider"))
                return Response.json(.ok, try await service.json(of: resolution))
            },
        ]
    }

    private func provider(_ entry: ProviderEntry, _ failing: [FailingProvider]) -> JSON {
        let descriptor = context.registry.descriptor(entry.module)
        let problem = ProviderResolver(context).readinessProblem(entry)
        return [
            "name": .string(entry.name), "module": .string(entry.module), "connection": JSON(descriptor?.connection.rawValue),
            "capabilities": .array(descriptor?.capabilities.map(\.rawValue).sorted().map(JSON.string) ?? []),
            "usable": .bool(problem == nil), "problem": problem?.json ?? .null, "health": failing.json(of: entry.name),
        ]
    }
}

extension MeetingType {
    /// As the API shows it, durations as the catalogue writes them.
    var json: JSON {
        [
            "id": .string(id), "title": .string(title), "description": .string(description),
            "durations": .array(durations.map { .string($0.inWords) }), "provider": .string(provider),
            "choices": .array(choices.map(JSON.string)), "fallback": .array(fallback.map(JSON.string)),
            "provision": .string(provision.rawValue), "calendar": .bool(calendar),
            "reminders": .array(reminders.map { .string($0.inWords) }), "overlap": .string(overlapAllowed ? "allow" : "forbid"),
        ]
    }
}
