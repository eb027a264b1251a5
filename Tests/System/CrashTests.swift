import Foundation
import ProviderSandbox
import Synchronization
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(30)))
struct CrashTests {
    /// Bookings that were accepted, by idempotency key.
    private final class Accepted: Sendable {
        private let ids = Mutex<[String: String]>([:])
        func add(_ key: String, _ id: String) -> Bool { ids.withLock { ids in ids.updateValue(id, forKey: key).map { $0 == id } ?? true } }
        private let over = Mutex(false)
        var isOver: Bool { over.withLock { $0 } }
        func end() { over.withLock { $0 = true } }
        var all: [String] { ids.withLock { Array($0.values) } }
    }

    @Test("killed at any moment under load and restarted, the server loses no booking, and makes no room or mail twice")
    func killed() async throws {
        let site = try await Site()
        let accepted = Accepted()
        let kills = isSoak ? 100 : 8
        var recoveries: [Duration] = []
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask { try await Self.callAgainAndAgain(site, caller, accepted) }
            }
            for _ in 0..<kills {
                let started = ContinuousClock.now
                let server = try await site.serve()
                recoveries.append(ContinuousClock.now - started)
                try await Task.sleep(for: .milliseconds(Int.random(in: 30...700)))
                server.kill()
                #expect(recoveries.count == 1 || server.errorText.contains("took over from processes that died"))
            }
            let server = try await site.serve()
            try await Task.sleep(for: .milliseconds(500))
            accepted.end()
            try await group.waitForAll()
            try await check(site, accepted.all)
            server.kill()
        }
        #expect(accepted.all.count >= kills)
        let sorted = recoveries.sorted()
        print("recoveries: \(sorted.map { "\($0.microseconds / 1_000) ms" }.joined(separator: ", "))")
        #expect(sorted.allSatisfy { $0 < .seconds(1) }, "recovery starts within a second")
        await site.close()
    }

    /// Books, and repeats every call that got no answer under its key.
    private static func callAgainAndAgain(_ site: Site, _ caller: Int, _ accepted: Accepted) async throws {
        var number = 0
        while !accepted.isOver {
            number += 1
            let key = "caller-\(caller)-\(number)"
            let start = "2027-0\(1 + number % 9)-\(10 + number % 18)T\(10 + caller):00:00Z"
            while true {
                if let answer = try? await site.book("open", at: start, email: "\(key)@example.org", key: key), answer.status == 201,
                    let id = answer.json["id"]?.string
                {
                    #expect(accepted.add(key, id), "the same key got two bookings")
                    break
                }
                if accepted.isOver { break }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func check(_ site: Site, _ ids: [String]) async throws {
        var rooms: [String] = []
        for id in ids {
            let booking = try await site.booking(id, within: .seconds(90), Site.isDone)
            #expect(Site.isDone(booking), "\(id) is not done: \(booking.serialized.prefix(600))")
            rooms.append(booking["meeting"]?["meetingId"]?.string ?? "")
        }
        // The last call of a caller may have been accepted without an answer: such a booking has a room as well.
        let meetings = site.zoom.meetings
        let unanswered = Set(meetings.map { String($0.id) }).subtracting(rooms)
        #expect(Set(rooms).count == ids.count)
        #expect(Set(rooms).isSubset(of: meetings.map { String($0.id) }))
        #expect(unanswered.count <= 4)
        #expect(Set(meetings.map(\.agenda)).count == meetings.count, "no key has two rooms")
        let mails = try site.received().filter { $0.recipient.hasPrefix("caller-") }
        let byReader = Dictionary(grouping: mails, by: \.recipient)
        for (recipient, copies) in byReader {
            #expect(Set(copies.map(\.messageID)).count == 1, "\(recipient) got mails under several Message-IDs")
            #expect(Set(copies.map(\.content)).count == 1, "copies of one mail differ")
        }
        #expect(byReader.count >= ids.count)
    }
}
