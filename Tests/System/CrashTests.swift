import Foundation
import TestSupport
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(30)))
struct CrashTests {
    @Test("killed at any moment under load and restarted, the server loses no booking, and makes no room or mail twice")
    func killed() async throws {
        let site = try await Site()
        let accepted = AcceptedBookings()
        let kills = isSoak ? 100 : 8
        var recoveries: [Duration] = []
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask { try await accepted.callAgainAndAgain(site, caller) }
            }
            for _ in 0..<kills {
                let started = ContinuousClock.now
                let server = try await site.serve()
                recoveries.append(ContinuousClock.now - started)
                try await Task.sleep(for: .milliseconds(Int.random(in: 30...700)))
                server.kill()
                // A server is dead at PostgreSQL once its lock was free for a second.
                #expect(
                    TestDatabase.isPostgreSQL || recoveries.count == 1 || server.errorText.contains("took over from processes that died"))
            }
            let server = try await site.serve()
            try await Task.sleep(for: .milliseconds(500))
            accepted.end()
            try await group.waitForAll()
            try await accepted.check(site)
            server.kill()
        }
        #expect(accepted.all.count >= kills)
        let sorted = recoveries.sorted()
        print("recoveries: \(sorted.map { "\($0.microseconds / 1_000) ms" }.joined(separator: ", "))")
        #expect(sorted.allSatisfy { $0 < .seconds(1) }, "recovery starts within a second")
        await site.close()
    }
}
