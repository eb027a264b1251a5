import UsherAvailability
import UsherCore
import UsherStore

/// Keeps a time for whoever is about to book it.
package struct HoldService: Sendable {
    private let context: EngineContext

    /// The most living holds of one caller.
    private static let mostLiving: Int64 = 20
    /// Living holds of visitors: from one address, and of one meeting type.
    private static let (mostOfAddress, mostOfVisitors) = (Int64(3), Int64(10))
    /// Those who count visitors' holds do it one after the other.
    private static let visitors = "of visitors"
    /// After its end a hold is remembered for so long, so that a late booking can name it.
    static let memory = Duration.days(1)

    package init(_ context: EngineContext) { self.context = context }

    /// Holds a slot until the type's `hold:` has passed. A hold that is confirmed in time always succeeds.
    /// - Throws: ``ErrorCode/validationFailed``, ``ErrorCode/bookingInPast``, ``ErrorCode/bookingUnavailable``,
    ///   ``ErrorCode/rateLimited`` for one who holds too many.
    package func hold(
        _ request: HoldRequest, known findings: [UsherError.Finding] = [], repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<StoredHold> {
        let catalog = context.catalog.current
        let id = context.environment.id("hd_")
        let held = try await context.explainingRefusals {
            try await context.store.write { tx in
                let now = context.now
                return try context.idempotent(key, tx, now: now, replay: { try hold($0, tx) }) {
                    try tx.lockHolds(of: tx.actor.name)
                    try refuseMany(tx, now)
                    let hold = try add(request, findings, catalog, id, now, tx)
                    try context.audit("hold.create", id, tx)
                    return (hold, id)
                }
            }
        }
        return IdempotentResult(held)
    }

    /// Holds a slot for a visitor of a page, in place of the one that was held for them before. One that waits for the link of a mail
    /// stays the guest's; one before stays too where this one is refused.
    /// - Throws: as ``hold(_:known:repeating:)``.
    func hold(_ request: HoldRequest, visitorAt address: String) async throws -> StoredHold {
        let catalog = context.catalog.current
        let id = context.environment.id("hd_")
        return try await context.explainingRefusals {
            try await context.store.write { tx in
                let now = context.now
                try tx.lockHolds(of: Self.visitors)
                // In the order in which everybody locks them.
                try tx.lockPools()
                for before in try tx.livingHolds(ofHolder: tx.actor.name, now: now) {
                    // Whoever books it, or sends its form, has the owner's lock.
                    _ = try tx.lockOwner(before.ownerID)
                    guard try tx.waitingPageForm(ofHold: before.id) == nil, try tx.removeHold(before.id) else { continue }
                    try tx.dequeue(.expireHold(hold: before.id))
                    try context.audit("hold.release", before.id, tx)
                }
                let hold = try add(request, [], catalog, id, now, visitorAt: address, tx)
                try refuseMany(ofType: hold.type.id, address, now, tx)
                try context.audit("hold.create", id, tx)
                return hold
            }
        }
    }

    private func refuseMany(ofType type: String, _ address: String, _ now: Instant, _ tx: Tx) throws {
        guard try tx.livingHolds(ofAddress: address, now: now) <= Self.mostOfAddress,
            try tx.livingHolds(ofVisitorsOf: type, now: now) <= Self.mostOfVisitors
        else { throw UsherError(.rateLimited, "Many times are held by now, from here or of this kind. Try again in a few minutes.") }
    }

    /// Gives the time free.
    /// - Throws: ``ErrorCode/notFound``
    package func release(_ id: String) async throws {
        try await context.store.write { tx in
            // Whoever books it has the owner's lock.
            if let hold = try tx.hold(id) { _ = try tx.lockOwner(hold.ownerID) }
            guard let hold = try tx.hold(id), hold.bookingID == nil, try tx.removeHold(id) else { throw UsherError.noHold(id) }
            try tx.dequeue(.expireHold(hold: id))
            try context.audit("hold.release", id, tx)
        }
    }

    private func add(
        _ request: HoldRequest, _ findings: [UsherError.Finding], _ catalog: Catalog, _ id: String, _ now: Instant,
        visitorAt address: String = "", _ tx: Tx
    ) throws -> StoredHold {
        let named = try request.owner.map { try tx.lockOwner($0) } ?? nil
        var validator = BookingValidator(catalog, now: now, findings: findings)
        let time = try validator.time(request, owner: named) { try tx.owners().filter(\.isActive).map(\.owner.id) }
        let owner: StoredOwner
        var note = ""
        if let named {
            owner = named
            let decision = SlotDecision(
                context: context, catalog: catalog, type: time.type, rules: time.rules, now: now, length: time.length)
            let reasons = try decision.reasons(time.start, owner.owner, tx)
            if !reasons.isEmpty {
                try decision.refuse(time.start, [HostRefusal(owner: owner.owner.id, reasons: reasons)], [owner.owner])
            }
        } else {
            let choice = HostChoice(
                context: context, catalog: catalog, type: time.type, hosts: time.type.hosts ?? [], now: now)
            let chosen = try choice.choose(time.start, time.length, anyTime: false, tx)
            (owner, note) = (chosen.owner, chosen.note)
        }
        var hold = StoredHold(
            id: id, ownerID: owner.owner.id, type: time.type, start: time.start, end: time.start + time.length,
            expiresAt: min(now + time.rules.hold, time.start), holder: tx.actor.name, note: note, createdAt: now)
        hold.address = address
        try tx.add(hold)
        try tx.enqueue(followUps(of: .timeHeld(hold), now: now), now: now)
        return hold
    }

    private func refuseMany(_ tx: Tx, _ now: Instant) throws {
        guard try tx.livingHolds(of: tx.actor.name, now: now) < Self.mostLiving else {
            throw UsherError(
                .rateLimited, "\(Self.mostLiving) times are held for this caller already: book or release some, or wait for their end.")
        }
    }

    private func hold(_ id: String, _ tx: Tx) throws -> StoredHold {
        guard let hold = try tx.hold(id) else { throw UsherError.noHold(id) }
        return hold
    }
}

extension StoredHold: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Hold"
    /// What is held, and until when.
    package static let fields: [JSONField<StoredHold>] = [
        .init("id", "For the booking that is made of it.") { $0.id }, .init("meetingType", "Its id in meeting-types.yaml.") { $0.type.id },
        .group("owner", "Whose time is held.", [.init("id", "Of the owner.") { $0.ownerID }]),
        .init("start", "When the meeting would begin.") { $0.start }, .init("end", "When it would end.") { $0.end },
        .init("expiresAt", "The time is free again then, unless it was booked.") { $0.expiresAt },
    ]
}
