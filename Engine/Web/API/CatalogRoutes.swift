import Hummingbird
import UsherCore
import UsherPipeline

/// `/v1/meeting-types` and `/v1/providers`: what can be booked here, and where it can be held.
struct CatalogRoutes: Sendable {
    private let context: EngineContext
    private let authenticator: Authenticator

    init(_ context: EngineContext, _ authenticator: Authenticator) {
        self.context = context
        self.authenticator = authenticator
    }

    func add(to router: Router<BasicRequestContext>) {
        router.get("/v1/meeting-types") { request, _ in
            try await authenticator.check(request, .bookingsRead)
            return Response.json(.ok, ["items": .array(context.catalog.current.meetingTypes.map(\.json)), "nextCursor": nil])
        }
        router.get("/v1/providers") { request, _ in
            try await authenticator.check(request, .bookingsRead)
            return Response.json(.ok, ["items": .array(context.catalog.current.providers.map(provider)), "nextCursor": nil])
        }
    }

    private func provider(_ entry: ProviderEntry) -> JSON {
        let descriptor = context.registry.descriptor(entry.module)
        let problem = Provisioner(context).obstacle(entry)
        return [
            "name": .string(entry.name), "module": .string(entry.module), "connection": JSON(descriptor?.connection.rawValue),
            "capabilities": .array(descriptor?.capabilities.map(\.rawValue).sorted().map(JSON.string) ?? []),
            "usable": .bool(problem == nil), "problem": problem?.json ?? .null,
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
