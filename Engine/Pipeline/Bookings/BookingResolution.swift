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

    /// With the chosen provider's health, as `GET /v1/resolve` shows it.
    package func explained(_ resolution: Resolution) async throws -> ExplainedResolution {
        ExplainedResolution(resolution: resolution, health: try await context.health.all().health(of: resolution.provider))
    }
}

/// What was chosen and why, and how the chosen provider is.
package struct ExplainedResolution: JSONObject {
    /// What was chosen and why.
    package var resolution: Resolution
    /// Of the chosen provider.
    package var health: ProviderState

    /// As generated clients know it.
    package static let schemaName = "Resolution"
    /// The choice, then each step that led to it.
    package static let fields: [JSONField<ExplainedResolution>] = [
        .init("provider", "Where a booking's room would be made now.") { $0.resolution.provider },
        .init("module", "What would make it.") { $0.resolution.module },
        .init("because", "The rule that named it.") { $0.resolution.because },
        .init("usable", "Whether it can be used for this owner.") { $0.resolution.problem == nil },
        .init("problem", "Why it cannot; null where it can.") { $0.resolution.problem },
        .init("trace", "The rules one after the other.") { $0.resolution.trace }, .init("health", "How its last calls went.") { $0.health },
    ]
}

extension Resolution.Step.Outcome: JSONChoice {}

extension Resolution.Step: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "ResolutionStep"
    /// A rule, and what came of it.
    package static let fields: [JSONField<Resolution.Step>] = [
        .init("rule", "Which rule.") { $0.rule }, .init("provider", "What it names; null where it names none.") { $0.provider },
        .init("outcome", "What became of it.") { $0.outcome }, .init("detail", "Why, to read.") { $0.detail },
    ]
}
