import UsherCore
import UsherStore

/// Rooms at providers that carry this installation's mark, and of which its database knows nothing.
///
/// A failover to an asynchronous standby, or a restore, leaves them behind: the commits that told of them are gone. They are removed when a
/// person says so, and never by themselves. A copy of a PostgreSQL cluster takes itself for the original, and what it does not know are
/// the original's rooms: only a person can tell which of the two it is.
package struct UnknownRooms: Sendable {
    /// One of them.
    package struct Line: Hashable, Sendable {
        /// The provider's name in the catalogue.
        package var provider: String
        /// Through whose connection it was found; `nil` where the provider has one account for the site.
        package var owner: String?
        /// The account that hosts.
        package var host: String
        /// The provider's own id.
        package var id: String
        /// See ``RoomRecord/key``.
        package var key: String
        /// When its meeting begins, where the provider says so.
        package var start: Instant?

        package init(provider: String, owner: String?, host: String, id: String, key: String) {
            (self.provider, self.owner, self.host, self.id, self.key) = (provider, owner, host, id, key)
        }
    }

    private struct Place: Hashable {
        var provider: String
        var owner: String?
        var host: String
    }

    private let context: EngineContext
    private let resolver: ProviderResolver
    /// For one place.
    private static let patience = Duration.seconds(30)

    package init(_ context: EngineContext) {
        self.context = context
        resolver = ProviderResolver(context)
    }

    /// Those of `found` that carry the installation's mark, and are no booking's: neither one that has them nor one that will be given
    /// them, because its room is still looked for.
    static func among(_ found: [FoundRoom], _ tx: Tx) throws -> [FoundRoom] {
        let installation = try tx.presentInstallation()
        let unknown = try found.filter { try RoomKey.isOurs($0.key, installation) && tx.room(key: $0.key) == nil }
        guard !unknown.isEmpty else { return [] }
        let expected = try tx.subjects(of: .provision, limit: Int(Int32.max)).flatMap { id -> [String] in
            guard let booking = try tx.booking(id) else { return [] }
            let newest = try tx.rooms(of: id).last?.generation ?? 0
            return (1...newest + 1).map { RoomKey.key(of: booking, $0, installation) }
        }
        return unknown.filter { !expected.contains($0.key) }
    }

    /// Looks through every account in which rooms are made.
    /// - Returns: the rooms, and where nobody could look and why.
    /// - Throws: ``ErrorCode/validationFailed`` while the installation is held, whose report says what stands where.
    package func look() async throws -> (rooms: [Line], notes: [String]) {
        try refuseWhileHeld()
        var (rooms, notes): ([Line], [String]) = ([], [])
        for place in try await places(&notes) {
            let (provider, owner, host) = (place.provider, place.owner, place.host)
            do throws(ProviderError) {
                let (module, call) = try await resolver.call(provider, owner: owner ?? "", deadline: context.now + Self.patience)
                let found = try await module.find(nil, host: host, call)
                for room in try await unknown(found) where !rooms.contains(where: { $0.key == room.key && $0.id == room.id }) {
                    var line = Line(provider: provider, owner: owner, host: host, id: room.id, key: room.key)
                    do { line.start = try await module.fetch(room.id, host: host, call).start } catch {
                        notes.append("\(provider), \(host): nobody knows when \(room.id) begins: \(error.message)")
                    }
                    rooms.append(line)
                }
            } catch {
                // Who has no account there has no rooms there.
                if error.code != .hostUnknown { notes.append("\(provider), \(host): \(error.message)") }
            }
        }
        return (rooms, notes)
    }

    /// Takes a room away at its provider. One that is gone already is success.
    /// - Throws: ``ErrorCode/validationFailed`` where a booking has the room by now; what the provider said where it did not remove it.
    package func remove(_ line: Line) async throws {
        try refuseWhileHeld()
        guard try await !unknown([FoundRoom(id: line.id, key: line.key)]).isEmpty else {
            throw UsherError(.validationFailed, "A booking has the room \(line.id) by now, so it stays.")
        }
        do throws(ProviderError) {
            let (module, call) = try await resolver.call(
                line.provider, owner: line.owner ?? "", deadline: context.now + Self.patience)
            try await module.cancel(line.id, host: line.host, call)
        } catch { throw UsherError(error.code, "\(line.provider) did not remove \(line.id): \(error.message) \(error.remedy)") }
        try await context.store.write { [context] in
            try context.audit("room.removed", "\(line.provider) \(line.id), which no booking had", $0)
        }
    }

    private func refuseWhileHeld() throws(UsherError) {
        guard !context.store.isHeld else {
            throw UsherError(
                .validationFailed,
                "The installation is held: `usher release` shows which rooms are at providers and not here. Release it first.")
        }
    }

    private func unknown(_ found: [FoundRoom]) async throws(ProviderError) -> [FoundRoom] {
        do { return try await context.store.read { try Self.among(found, $0) } } catch {
            throw ProviderError(.unavailable, retry: .never, "The database could not be read: \(error)", remedy: "Look at it.")
        }
    }

    private func places(_ notes: inout [String]) async throws -> [Place] {
        let now = context.now
        let (live, owners, connections) = try await context.store.read {
            (try $0.liveRooms(now: now), try $0.owners().map(\.owner), try $0.connections(limit: Int(Int32.max)))
        }
        var places: Set<Place> = []
        for entry in context.catalog.current.providers {
            guard let descriptor = context.registry.descriptor(entry.module), descriptor.connection != .none else { continue }
            if case .repeatable = descriptor.creation {
                notes.append("\(entry.name): not looked through, because \(descriptor.name) does not list rooms by their mark.")
            } else if descriptor.connection == .owner {
                places.formUnion(
                    connections.filter { $0.provider == entry.name }
                        .map { Place(provider: entry.name, owner: $0.ownerID, host: $0.account.id) })
            } else {
                let hosts = live.filter { $0.provider == entry.name }.map(\.host) + owners.map { $0.hosts[entry.name] ?? $0.email }
                places.formUnion(hosts.map { Place(provider: entry.name, owner: nil, host: $0) })
            }
        }
        return places.sorted { ($0.provider, $0.host, $0.owner ?? "") < ($1.provider, $1.host, $1.owner ?? "") }
    }
}
