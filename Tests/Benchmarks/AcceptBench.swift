import Foundation
import UsherCore
import UsherSQLite

/// Bookings accepted per second over HTTP with keep-alive, workers paused, beside single-row durable commits on the same disk.
enum AcceptBench {
    static func run() async throws {
        var (commits, one, many): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<Bench.rounds {
            let rig = try await Rig(folder: try Rig.newFolder(), workers: 0)
            commits.append(try await commitsPerSecond(rig.folder))
            one.append(400 / (try await rig.book(400, callers: 1)))
            many.append(3_000 / (try await rig.book(3_000, callers: 32)))
            await rig.stop()
        }
        let base = Bench.median(commits)
        print("durable single-row commits: \(Bench.text(base, 0))/s")
        print("accepted, 1 caller:   \(Bench.text(Bench.median(one), 0))/s, \(Bench.text(Bench.median(one) / base)) of the commits")
        print(
            "accepted, 32 callers: \(Bench.text(Bench.median(many), 0))/s, \(Bench.text(Bench.median(many) / base)) of the commits (at least 0.5)"
        )
    }

    private static func commitsPerSecond(_ folder: String) async throws -> Double {
        let database = try SQLiteDatabase(path: folder + "/plain.sqlite")
        try await database.write { _ = try $0.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value TEXT)", []) }
        let started = ContinuousClock.now
        for number in 0..<1_000 {
            _ = try await database.write { try $0.execute("INSERT INTO t (value) VALUES ($1)", [.text("row \(number)")]) }
        }
        let seconds = Double((ContinuousClock.now - started).microseconds) / 1_000_000
        try await database.close()
        return 1_000 / seconds
    }
}
