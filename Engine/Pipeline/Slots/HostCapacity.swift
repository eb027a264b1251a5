import UsherAvailability
import UsherCore
import UsherStore

/// When the account that would host a meeting can hold no more: owners who share one share what it holds.
struct HostCapacity {
    let context: EngineContext
    let catalog: Catalog
    let type: MeetingType
    let now: Instant
    /// Where the meeting would be held; `nil` for what the meeting type and its owner say.
    let provider: String?

    /// The times that are full, in order.
    func fullTimes(_ owner: Owner, in read: Interval, except exempt: HostReader.Exempt, _ tx: Tx) throws -> [Interval] {
        guard let entry = entry(type, owner, provider), let capacity = capacity(entry) else { return [] }
        let account = try account(owner, entry, tx)
        guard !account.isEmpty else { return [] }
        try tx.lockAccount("\(entry.name) \(account)")
        let from = read.start - Tx.longestBooking
        let meetings = try sharing(account, owner, entry, tx).flatMap { other -> [Interval] in
            let bookings = try tx.engagements(of: other.id, from: from, to: read.end)
                .filter { $0.bookingID != exempt.booking && $0.provider == entry.name }
            let holds = try tx.holds(of: other.id, from: from, to: read.end, now: now)
                .filter { $0.id != exempt.hold && self.entry($0.type, other, nil)?.name == entry.name }
            return bookings.map { Interval($0.start, $0.end) } + holds.map { Interval($0.start, $0.end) }
        }
        return meetings.times(when: capacity)
    }

    private func entry(_ type: MeetingType, _ owner: Owner, _ provider: String?) -> ProviderEntry? {
        let name = provider ?? (try? catalog.resolve(type, owner: owner) { _ in nil })?.provider
        return name.flatMap(catalog.provider)
    }

    private func capacity(_ entry: ProviderEntry) -> Int? { entry.capacity ?? context.registry.descriptor(entry.module)?.hostCapacity }

    private func account(_ owner: Owner, _ entry: ProviderEntry, _ tx: Tx) throws -> String {
        let link = Terms.Link(provider: entry.name, module: entry.module)
        return ProviderResolver(context).host(link, owner, try tx.connection(owner: owner.id, provider: entry.name))
    }

    /// The owners whose meetings the account hosts.
    private func sharing(_ account: String, _ owner: Owner, _ entry: ProviderEntry, _ tx: Tx) throws -> [Owner] {
        guard let connection = try tx.connection(owner: owner.id, provider: entry.name) else {
            let link = Terms.Link(provider: entry.name, module: entry.module)
            return try tx.owners().map(\.owner).filter { ProviderResolver(context).host(link, $0, nil) == account }
        }
        let ids = try tx.connections(clientID: connection.clientID, accountID: connection.account.id).map(\.ownerID)
        return try ids.compactMap { try tx.owner($0)?.owner }
    }
}
