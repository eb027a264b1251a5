import UsherCore
import UsherStore

extension Store {
    /// At a PostgreSQL server a process is known to be dead only once its lock was free for a second.
    private static let grace = Swift.Duration.milliseconds(1_200)

    /// The servers that work on the database, without those that died and of whom nobody has heard: may take a second for each.
    /// - Parameter age: of whom so lately was heard is not looked at.
    package func livingServers(now: Instant, trusting age: Duration = .zero) async throws -> [StoredProcess] {
        var living: [StoredProcess] = []
        for server in try await read({ try $0.processes() }) where server.serves {
            let isHeard = now - server.heartbeat < age
            let isDead = try await isHeard ? false : isDead(server.id)
            if !isDead { living.append(server) }
        }
        return living
    }

    /// Whether a process has died. It looks twice.
    func isDead(_ process: String) async throws -> Bool {
        if try await database.isDead(process: process) { return true }
        try await Task.sleep(for: Self.grace)
        return try await database.isDead(process: process)
    }

    /// Whether the database lies where its installation's did; a copy of it, or one that was moved, does not.
    package func isInPlace() async throws -> Bool {
        let (installation, place) = (try await installation(), try await database.place())
        return installation.place.isEmpty || installation.isAt(place)
    }
}
