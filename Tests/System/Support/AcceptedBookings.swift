import Foundation
import ProviderSandbox
import Synchronization
import Testing
import UsherCore

/// Bookings that servers accepted while things went wrong, by idempotency key; and what must hold of them in the end.
final class AcceptedBookings: Sendable {
    private let ids = Mutex<[String: String]>([:])
    private let over = Mutex(false)

    private var isOver: Bool { over.withLock { $0 } }
    func end() { over.withLock { $0 = true } }
    var all: [String] { ids.withLock { Array($0.values) } }

    private func add(_ key: String, _ id: String) -> Bool {
        ids.withLock { ids in ids.updateValue(id, forKey: key).map { $0 == id } ?? true }
    }

    /// Books, and repeats every call that got no answer under its key.
    /// - Parameters:
    ///   - port: of the server that is called.
    ///   - pause: between two bookings. In a long run the stand-in would be what is tested: it looks its meetings through one by one.
    func callAgainAndAgain(_ site: Site, _ caller: Int, port: Int? = nil, pause: Swift.Duration = .zero) async throws {
        var number = 0
        while !isOver {
            if number > 0 { try await Task.sleep(for: pause) }
            number += 1
            let key = "caller-\(caller)-\(number)"
            let start = "2027-0\(1 + number % 9)-\(10 + number % 18)T\(10 + caller):00:00Z"
            while true {
                if let answer = try? await site.book("open", at: start, email: "\(key)@example.org", key: key, port: port),
                    answer.status == 201, let id = answer.json["id"]?.string
                {
                    #expect(add(key, id), "the same key got two bookings")
                    break
                }
                if isOver { break }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// - Parameters:
    ///   - callers: how many called; the last call of each may have been accepted without an answer.
    ///   - port: of a server that lives.
    func check(_ site: Site, callers: Int = 4, port: Int? = nil) async throws {
        var rooms: [String] = []
        for id in all {
            let booking = try await site.booking(id, within: .seconds(90), port: port, Site.isDone)
            #expect(Site.isDone(booking), "\(id) is not done: \(booking.serialized.prefix(600))")
            rooms.append(booking["meeting"]?["meetingId"]?.string ?? "")
        }
        let meetings = site.zoom.meetings
        let unanswered = Set(meetings.map { String($0.id) }).subtracting(rooms)
        #expect(Set(rooms).count == all.count)
        #expect(Set(rooms).isSubset(of: meetings.map { String($0.id) }))
        // Such a booking has a room as well.
        #expect(unanswered.count <= callers)
        #expect(Set(meetings.map(\.agenda)).count == meetings.count, "no key has two rooms")
        let mails = try site.received().filter { $0.recipient.hasPrefix("caller-") }
        let byReader = Dictionary(grouping: mails, by: \.recipient)
        for (recipient, copies) in byReader {
            guard Set(copies.map(\.messageID)).count > 1 else {
                #expect(Set(copies.map(\.content)).count == 1, "copies of one mail differ")
                continue
            }
            // Whoever was told before there was a room, after two minutes, is told of the room as well.
            let id = ids.withLock { $0[String(recipient.prefix { $0 != "@" })] } ?? ""
            let story = try await site.call("GET", "/v1/bookings/\(id)/timeline", port: port).json
            #expect(Self.roomWasLate(story), "\(recipient) got mails under several Message-IDs: \(story.serialized)")
        }
        #expect(byReader.count >= all.count)
    }

    private static func roomWasLate(_ timeline: JSON) -> Bool {
        func time(_ events: String...) -> Instant? {
            timeline["items"]?.array?.last { events.contains($0["event"]?.string ?? "") }?["at"]?.string.flatMap(Instant.init(rfc3339:))
        }
        guard let booked = time("booking.confirmed"), let made = time("meeting.created", "meeting.found") else { return false }
        return made - booked >= .minutes(2)
    }
}
