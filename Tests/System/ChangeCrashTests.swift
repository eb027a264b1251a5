import Foundation
import ProviderSandbox
import Synchronization
import TestSupport
import Testing
import UsherCore

/// Two servers on one file, each killed again and again while callers book, move and cancel, and remove owners.
@Suite(.timeLimit(.minutes(30)))
struct ChangeCrashTests {
    /// What callers were told, and whether it is time to end.
    private final class Answered: Sendable {
        struct Story {
            var start: String
            var isCancelled = false
            var ownerIsRemoved = false
        }
        private let stories = Mutex<[String: Story]>([:])
        private let over = Mutex(false)
        var isOver: Bool { over.withLock { $0 } }
        func end() { over.withLock { $0 = true } }
        func tell(_ id: String, _ story: Story) { stories.withLock { $0[id] = story } }
        var all: [String: Story] { stories.withLock { $0 } }
    }

    @Test("killed between booking, moving, cancelling and the removal of an owner, two servers keep to every answer they gave")
    func changes() async throws {
        let site = try await Site()
        let answered = Answered()
        let ports = [site.port, try FreeTestPort.find()]
        let kills = isSoak ? 50 : 4
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 { group.addTask { try await Self.callAgainAndAgain(site, ports[caller % 2], caller, answered) } }
            try await withThrowingTaskGroup(of: Void.self) { servers in
                for port in ports {
                    servers.addTask {
                        for _ in 0..<kills {
                            let server = try await site.serve(environment: ["USHER_PORT": "\(port)"])
                            try await Task.sleep(for: .milliseconds(Int.random(in: 100...900)))
                            server.kill()
                        }
                    }
                }
                try await servers.waitForAll()
            }
            var last: [Command] = []
            for port in ports { last.append(try await site.serve(environment: ["USHER_PORT": "\(port)"])) }
            try await Task.sleep(for: .seconds(1))
            answered.end()
            try await group.waitForAll()
            for (id, story) in answered.all { try await check(site, id, story) }
            for server in last { server.kill() }
        }
        #expect(answered.all.count >= kills)
        #expect(answered.all.values.contains { $0.isCancelled } && answered.all.values.contains { $0.ownerIsRemoved })
        #expect(Set(site.zoom.meetings.map(\.agenda)).count == site.zoom.meetings.count, "no key has two rooms")
        await site.close()
    }

    /// Books, moves, and then cancels or removes the owner; every call is repeated until it has its answer.
    private static func callAgainAndAgain(_ site: Site, _ port: Int, _ caller: Int, _ answered: Answered) async throws {
        var number = 0
        while !answered.isOver {
            number += 1
            let owner = "owner-\(caller)-\(number)"
            func call(_ method: String, _ path: String, _ body: String? = nil, until done: Set<Int>) async -> JSON? {
                let headers = method == "POST" ? [(name: "Idempotency-Key", value: "\"\(owner)-\(path)\"")] : []
                while !answered.isOver, !Task.isCancelled {
                    if let answer = try? await site.call(method, path, body: body, headers: headers, port: port),
                        done.contains(answer.status)
                    {
                        return answer.json
                    }
                    try? await Task.sleep(for: .milliseconds(20))
                }
                return nil
            }
            let person = #"{"name": "The \#(owner)", "email": "ana@northwind.example", "timeZone": "Europe/Madrid"}"#
            guard await call("PUT", "/v1/owners/\(owner)", person, until: [200, 201]) != nil else { return }
            let request =
                #"{"meetingType": "consultation", "owner": "\#(owner)", "start": "2027-03-01T10:00:00Z", "attendees": [{"name": "Bo Li", "email": "\#(owner)@example.org"}]}"#
            guard let id = await call("POST", "/v1/bookings", request, until: [201])?["id"]?.string else { return }
            var story = Answered.Story(start: "2027-03-01T10:00:00Z")
            defer { answered.tell(id, story) }
            let moved = #"{"start": "2027-03-02T11:00:00Z"}"#
            // What was not answered may have happened: then nothing is known of this booking's time.
            guard await call("POST", "/v1/bookings/\(id)/reschedule", moved, until: [200]) != nil else { return story.start = "" }
            story.start = "2027-03-02T11:00:00Z"
            if number % 2 == 0 {
                guard await call("POST", "/v1/bookings/\(id)/cancel", "{}", until: [200]) != nil else { return story.start = "" }
                story.isCancelled = true
            } else {
                story.ownerIsRemoved = await call("DELETE", "/v1/owners/\(owner)", until: [204, 404]) != nil
            }
        }
    }

    private func check(_ site: Site, _ id: String, _ story: Answered.Story) async throws {
        guard !story.start.isEmpty else { return }
        let booking = try await site.booking(id, within: .seconds(90)) { booking in
            booking["status"] == "cancelled" ? Self.rooms(booking, site).isEmpty : Site.isDone(booking)
        }
        #expect(booking["status"]?.string == (story.isCancelled ? "cancelled" : "confirmed"))
        let date = ISO8601DateFormatter()
        #expect(date.date(from: booking["start"]?.string ?? "") == date.date(from: story.start))
        let rooms = Self.rooms(booking, site)
        #expect(rooms.count == (story.isCancelled ? 0 : 1), "\(id): \(booking.serialized.prefix(600))")
        if story.ownerIsRemoved, let owner = booking["owner"]?["id"]?.string {
            let stored = try await site.call("GET", "/v1/owners/\(owner)")
            #expect(stored.status == 404 || stored.json["active"] == false, "\(owner) is still there")
        }
    }

    /// What stands at Zoom for the booking: each owner has one.
    private static func rooms(_ booking: JSON, _ site: Site) -> [Int64] {
        let owner = booking["owner"]?["id"]?.string ?? ""
        return site.zoom.meetings.filter { $0.topic.hasSuffix("The \(owner)") }.map(\.id)
    }
}
