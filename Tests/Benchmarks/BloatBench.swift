import Foundation
import UsherCore

/// Work beside a statement that goes on, so that a PostgreSQL can take no dead row away.
enum BloatBench {
    private static let sample = 2_000

    /// Throughput before, and at the end of `jobs` jobs that were done meanwhile: a booking makes three.
    static func once(_ url: String, jobs: Int) async throws {
        let rig = try await Rig(folder: try Rig.newFolder(), workers: 32)
        let before = try await throughput(rig)
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/psql")
        holder.arguments = ["--quiet", "--command", "SELECT pg_sleep(3600)", url]
        holder.environment = ["PGOPTIONS": "-c client_connection_check_interval=500", "PATH": "/usr/bin:/bin"]
        holder.standardError = FileHandle.nullDevice
        try holder.run()
        let began = ContinuousClock.now
        var beside = before
        for _ in 0..<jobs / 3 / sample { beside = try await throughput(rig) }
        let minutes = Double((ContinuousClock.now - began).microseconds) / 60_000_000
        let isHeld = holder.isRunning
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        let after = try await throughput(rig)
        await rig.stop()
        guard isHeld else { throw UsherError(.internalError, "psql did not go on: is it installed, and may it sign in?") }
        print(
            "bookings/s: \(Bench.text(before, 1)); beside a statement of \(Bench.text(minutes, 1)) minutes, after \(jobs) jobs, "
                + "\(Bench.text(beside, 1)), \(Bench.text(beside / before)) of it (at least 0.8); after its end \(Bench.text(after, 1))")
    }

    private static func throughput(_ rig: Rig) async throws -> Double {
        let began = ContinuousClock.now
        try await rig.book(sample, callers: 16)
        while try await rig.openJobs() > 0 { try await Task.sleep(for: .milliseconds(50)) }
        return Double(sample) / (Double((ContinuousClock.now - began).microseconds) / 1_000_000)
    }
}
