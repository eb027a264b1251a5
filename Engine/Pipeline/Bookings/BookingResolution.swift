import UsherCore
import UsherStore

extension BookingService {
    /// Which provider a booking would get now, and why.
    /// - Throws: ``ErrorCode/notFound`` when there is no such type or owner.
    package func resolve(_ type: String, owner: String, requested: String? = nil) async throws -> Resolution {
        let catalog = context.catalog.current
        guard let meetingType = catalog.meetingType(type) else {
            throw UsherError(
                .notFound, "No meeting type is called '\(type.prefix(80))'.\(didYouMean(type, catalog.meetingTypes.map(\.id)))")
        }
        let (stored, accounts) = try await context.store.read { tx in
            (try tx.owner(owner, in: catalog), try context.accounts(of: owner, tx))
        }
        guard let stored else {
            let known = try await context.store.read { try $0.owners(in: catalog).filter(\.isActive).map(\.owner.id) }
            throw UsherError(.notFound, "No owner is called '\(owner.prefix(80))'.\(didYouMean(owner, known))")
        }
        let provisioner = ProviderResolver(context)
        var resolution = try catalog.resolve(meetingType, owner: stored.owner, requested: requested) {
            provisioner.readinessProblem($0, accounts)
        }
        if !stored.isActive {
            resolution.problem = Problem(
                .notFound, "\(stored.owner.name) was removed, and takes no bookings.", remedy: "Make the owner anew, or book with another.")
        }
        return resolution
    }

    /// As `GET /v1/resolve` answers it: with the chosen provider's health.
    package func json(of resolution: Resolution) async throws -> JSON {
        let health = try await context.health.all().json(of: resolution.provider)
        return .object((resolution.json.members ?? []) + [JSON.Member("health", health)])
    }
}

extension Resolution {
    /// What was chosen and why.
    package var json: JSON {
        let steps = trace.map { step -> JSON in
            [
                "rule": .string(step.rule.rawValue), "provider": JSON(step.provider), "outcome": .string(step.outcome.rawValue),
                "detail": .string(step.detail),
            ]
        }
        return [
            "provider": .string(provider), "module": .string(module), "because": .string(because.rawValue),
            "usable": .bool(self.problem == nil), "problem": problem?.json ?? .null, "trace": .array(steps),
        ]
    }
}
