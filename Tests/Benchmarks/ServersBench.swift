import UsherCore

/// Servers that share a PostgreSQL, with a provider that takes 200 ms for each answer and eight slots in each server.
enum ServersBench {
    /// One figure, to alternate with that of another number of servers.
    static func once(_ servers: Int) async throws {
        let rig = try await Rig(folder: try Rig.newFolder(), workers: 8, servers: servers, delay: 200)
        try await rig.book(20, callers: 4)
        try await rig.settle()
        let count = 200 * servers
        let (cpu, began) = (try rig.cpu(), ContinuousClock.now)
        try await rig.book(count, callers: 8)
        while try await rig.unsentMails() > 0 { try await Task.sleep(for: .milliseconds(50)) }
        let seconds = Double((ContinuousClock.now - began).microseconds) / 1_000_000
        let spent = (try rig.cpu() - cpu) * 1_000 / Double(count)
        await rig.stop()
        print("\(servers) servers: \(Bench.text(Double(count) / seconds, 1)) bookings/s, CPU per booking \(Bench.text(spent)) ms")
    }
}
