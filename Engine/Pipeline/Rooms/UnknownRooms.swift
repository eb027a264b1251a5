import UsherCore
import UsherStore

/// Rooms at providers that carry this installation's mark, and that no booking has or can come to.
///
/// A failover to an asynchronous standby, or a restore, leaves them behind: the commits that told of them are gone. They are removed when a
/// person says so, and never by themselves. A copy of a PostgreSQL cluster takes itself for the original, and what it does not know are
/// the original's rooms: only a person can tell which of the two it is.
package struct UnknownRooms: Sendable {
    /// Where rooms are looked for.
    package struct Place: Hashable, Sendable {
        /// The provider's name in the catalogue.
        package var provider: String
        /// Through whose connection; `nil` where the provider has one account for the site.
        package var owner: String?
        /// The account that hosts; empty where the provider has none.
        package var host: String

        package init(provider: String, owner: String?, host: String) { (self.provider, self.owner, self.host) = (provider, owner, host) }
    }
    /// One room.
    package struct Line: Hashable, Sendable {
        /// Where it was found.
        package var place: Place
        /// The provider's own id.
        package var id: String
        /// See ``RoomRecord/key``.
        package var key: String
        /// When its meeting begins, where the provider says so.
        package var start: Instant?

        package init(place: Place, id: String, key: String) { (self.place, self.id, self.key) = (place, id, key) }
    }
    /// What a look has found.
    package struct Report: Sendable {
        /// The rooms, by provider and account.
        package var rooms: [Line] = []
        /// Where nobody looked, and why.
        package var notes: [String] = []
        /// Whether every account has answered that can be looked through.
        package var isWhole = true
    }

    private let context: EngineContext
    private let resolver: ProviderResolver
    /// For one question.
    private static let patience = Duration.seconds(30)
    /// A booking whose later rooms are lost comes to them again, one after the other; none has had more than these.
    private static let generations: Int64 = 16
    /// Meetings that have begun may go on for so long.
    private static let longestMeeting = Duration.days(2)

    package init(_ context: EngineContext) {
        self.context = context
        resolver = ProviderResolver(context)
    }

    /// Those of `found` that carry the installation's mark, and are no booking's: of a confirmed one not even under a key that it has not
    /// come to yet, because its room is found again under that.
    static func among(_ found: [FoundRoom], _ tx: Tx, now: Instant) throws -> [FoundRoom] {
        let installation = try tx.presentInstallation()
        let unknown = try found.filter { try RoomKey.isOurs($0.key, installation) && tx.room(key: $0.key) == nil }
        guard !unknown.isEmpty else { return [] }
        let bookings = try tx.bookings(
            after: (now - longestMeeting, ""), until: .never, owner: nil, status: .confirmed, limit: Int(Int32.max))
        let expected = Set(bookings.flatMap { booking in (1...generations).map { RoomKey.key(of: booking, $0, installation) } })
        return unknown.filter { !expected.contains($0.key) }
    }

    /// Looks through every account in which rooms are made.
    /// - Throws: ``ErrorCode/validationFailed`` while the installation is held, whose report says what stands where.
    package func look() async throws -> Report {
        try refuseWhileHeld()
        var (places, report) = try await places()
        places.sort { ($0.provider, $0.host, $0.owner ?? "") < ($1.provider, $1.host, $1.owner ?? "") }
        for place in places {
            switch await asking(place, { module, call async throws(ProviderError) in try await module.find(nil, host: place.host, call) }) {
            case .success(let found): try await add(found, at: place, to: &report)
            // Who has no account there has no rooms there.
            case .failure(let error) where error.code == .hostUnknown: continue
            case .failure(let error):
                report.notes.append("\(place.provider), \(place.host): \(error.message)")
                report.isWhole = false
            }
        }
        return report
    }

    private func add(_ found: [FoundRoom], at place: Place, to report: inout Report) async throws {
        let now = context.now
        for room in try await context.store.read({ try Self.among(found, $0, now: now) })
        where !report.rooms.contains(where: { $0.key == room.key && $0.id == room.id }) {
            var line = Line(place: place, id: room.id, key: room.key)
            switch await asking(
                place, { module, call async throws(ProviderError) in try await module.fetch(room.id, host: place.host, call) })
            {
            case .success(let present): line.start = present.start
            case .failure(let error): report.notes.append("\(place.provider): nobody knows when \(room.id) begins: \(error.message)")
            }
            report.rooms.append(line)
        }
    }

    /// Takes a room away at its provider. One that is gone already is success.
    /// - Throws: ``ErrorCode/validationFailed`` where it is a booking's by now; what the provider said where it did not remove it.
    package func remove(_ line: Line) async throws {
        try refuseWhileHeld()
        // On record before it is asked for: nobody can tell afterwards, should this process end meanwhile.
        try await context.store.write { [context] tx in
            guard try !Self.among([FoundRoom(id: line.id, key: line.key)], tx, now: context.now).isEmpty else {
                throw UsherError(.validationFailed, "The room \(line.id) is a booking's by now, so it stays.")
            }
            try context.audit("room.remove", "\(line.place.provider) \(line.id)", tx)
        }
        let answer = await asking(
            line.place, { module, call async throws(ProviderError) in try await module.cancel(line.id, host: line.place.host, call) })
        if case .failure(let error) = answer {
            throw UsherError(error.code, "\(line.place.provider) did not say that \(line.id) is removed: \(error.message) \(error.remedy)")
        }
    }

    private func asking<Answer: Sendable>(
        _ place: Place, _ question: (any Provider.Type, ProviderContext) async throws(ProviderError) -> Answer
    ) async -> Result<Answer, ProviderError> {
        do throws(ProviderError) {
            let (module, call) = try await resolver.call(place.provider, owner: place.owner ?? "", deadline: context.now + Self.patience)
            return .success(try await question(module, call))
        } catch { return .failure(error) }
    }

    private func refuseWhileHeld() throws(UsherError) {
        guard !context.store.isHeld else {
            throw UsherError(
                .validationFailed,
                "The installation is held: `usher release` shows which rooms are at providers and not here. Release it first.")
        }
    }

    /// Accounts that have rooms by what the database knows, or could have by the catalogue.
    private func places() async throws -> ([Place], Report) {
        let now = context.now
        let (live, owners, connections, sweeps) = try await context.store.read {
            (
                try $0.liveRooms(now: now), try $0.owners().map(\.owner), try $0.connections(limit: Int(Int32.max)),
                try $0.subjects(of: .sweep, limit: Int(Int32.max))
            )
        }
        var places = Set(
            sweeps.compactMap { subject -> Place? in
                guard case .sweep(let provider, let owner, let host)? = Job(JobID(kind: Job.Kind.sweep.rawValue, key: subject)) else {
                    return nil
                }
                return Place(provider: provider, owner: owner, host: host)
            })
        var (report, listable) = (Report(), Set<String>())
        for entry in context.catalog.current.providers {
            guard let descriptor = context.registry.descriptor(entry.module), descriptor.connection != .none else { continue }
            if case .repeatable = descriptor.creation {
                report.notes.append("\(entry.name): not looked through, because \(descriptor.name) does not list rooms by their mark.")
                continue
            }
            listable.insert(entry.name)
            let hosts = live.filter { $0.provider == entry.name }.map(\.host) + owners.map { $0.hosts[entry.name] ?? $0.email }
            if descriptor.connection == .owner {
                places.formUnion(
                    connections.filter { $0.provider == entry.name }
                        .map { Place(provider: entry.name, owner: $0.ownerID, host: $0.account.id) })
            } else {
                places.formUnion(
                    (descriptor.capabilities.contains(.host) ? hosts : [""]).map { Place(provider: entry.name, owner: nil, host: $0) })
            }
        }
        let names = Set(context.catalog.current.providers.map(\.name))
        for name in Set(places.map(\.provider)).subtracting(names).sorted() {
            report.notes.append("\(name): not looked through, because it does not stand in the catalogue any more.")
            report.isWhole = false
        }
        return (places.filter { listable.contains($0.provider) }, report)
    }
}
