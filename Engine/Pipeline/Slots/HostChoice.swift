import UsherAvailability
import UsherCore
import UsherStore

/// Whose turn it is among the hosts of a meeting type.
struct HostChoice {
    let context: EngineContext
    let catalog: Catalog
    let type: MeetingType
    let hosts: [PoolHost]
    let now: Instant

    /// Meetings of so many days count.
    private static let memory = Duration.days(30)

    /// Who was chosen, locked, and by which numbers.
    struct Chosen {
        var owner: StoredOwner
        var note: String
    }

    /// The hosts who take bookings, in the order of the file.
    func active(_ tx: Tx) throws -> [StoredOwner] { try hosts.compactMap { try tx.owner($0.owner) }.filter(\.isActive) }

    /// Chooses among those who are free: the smallest `(n + 1) / weight`, then the one assigned longest ago, then by id.
    /// - Parameter anyTime: see ``HostReader/availability(of:length:except:anyTime:_:)``.
    /// - Throws: ``SlotRefused`` or ``ErrorCode/bookingConflict`` where nobody is free.
    func choose(_ start: Instant, _ length: Duration, anyTime: Bool, _ tx: Tx) throws -> Chosen {
        try tx.lockPools()
        let owners = try active(tx)
        let turns = try tx.turns(of: type.id, since: now - Self.memory, now: now)
        let weights = Dictionary(hosts.map { ($0.owner, $0.weight) }, uniquingKeysWith: { first, _ in first })
        var waiting = owners.map { stored in
            let id = stored.owner.id
            return Pool.Host(id: id, weight: weights[id] ?? 1, count: turns[id]?.count ?? 0, lastAssigned: turns[id]?.last)
        }
        var refusals: [HostRefusal] = []
        while let next = Pool.next(of: waiting) {
            waiting.removeAll { $0.id == next.id }
            guard let owner = try tx.lockOwner(next.id), owner.isActive else { continue }
            let reasons = try reasons(start, length, owner.owner, anyTime, tx)
            guard reasons.isEmpty else {
                refusals.append(HostRefusal(owner: next.id, reasons: reasons))
                continue
            }
            return Chosen(owner: owner, note: "pool: \(next.id) has \(next.count) in 30 days at weight \(next.weight)")
        }
        try refuse(start, length, refusals, owners.map(\.owner))
    }

    private func reasons(_ start: Instant, _ length: Duration, _ owner: Owner, _ anyTime: Bool, _ tx: Tx) throws -> [Unavailability] {
        guard let decision = decision(length) else {
            // Without slots an overlap alone stands in the way.
            let open = SlotDecision(context: context, catalog: catalog, type: type, rules: SlotRules(), now: now, length: length)
            return try open.reasons(start, owner, anyTime: true, tx)
        }
        return try decision.reasons(start, owner, anyTime: anyTime, tx)
    }

    private func refuse(_ start: Instant, _ length: Duration, _ refusals: [HostRefusal], _ owners: [Owner]) throws -> Never {
        if let decision = decision(length) { try decision.refuse(start, refusals, owners) }
        throw UsherError(
            .bookingConflict, "Every host of '\(type.id)' has another booking at that time. Choose another time.",
            findings: [.init("/start", "is taken")])
    }

    private func decision(_ length: Duration) -> SlotDecision? {
        type.slots.map { SlotDecision(context: context, catalog: catalog, type: type, rules: $0, now: now, length: length) }
    }
}
