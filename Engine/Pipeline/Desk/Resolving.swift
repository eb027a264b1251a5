import UsherCore
import UsherStore

extension BookingDesk {
    /// Which provider a booking would get now, and why.
    /// - Throws: ``ErrorCode/notFound`` when there is no such type or owner.
    package func resolve(_ type: String, owner: String, requested: String? = nil) async throws -> Resolution {
        let catalog = context.catalog.current
        guard let meetingType = catalog.meetingType(type) else {
            let near = nearest(type, catalog.meetingTypes.map(\.id)).map { " Did you mean '\($0)'?" } ?? ""
            throw UsherError(.notFound, "No meeting type is called '\(type.prefix(80))'.\(near)")
        }
        let (stored, accounts) = try await context.store.read { tx in
            (try tx.owner(owner, in: catalog), try context.accounts(of: owner, tx))
        }
        guard let stored else { throw UsherError(.notFound, "No owner is called '\(owner.prefix(80))'.") }
        let provisioner = Provisioner(context)
        return try catalog.resolve(meetingType, owner: stored.owner, requested: requested) { provisioner.obstacle($0, accounts) }
    }
}

extension Resolution {
    /// As `GET /v1/resolve` answers it.
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
