import Foundation
import Testing
import UsherCore

/// More than the server can take, and callers who take their time.
@Suite(.timeLimit(.minutes(3)))
struct OverloadTests {
    @Test("callers beyond the places are told to come again, health still answers, and what was accepted is there")
    func crowded() async throws {
        let site = try await Site()
        let server = try await site.serve("--requests", "1")
        let answers = try await withThrowingTaskGroup(of: (Int, String?, String).self) { group in
            for number in 0..<60 {
                group.addTask {
                    let answer = try await site.book("open", at: "2027-03-01T10:00:00Z", email: "guest\(number)@example.org")
                    return (answer.status, answer.response.header("retry-after"), answer.json["code"]?.string ?? "")
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let refused = answers.filter { $0.0 == 503 }
        #expect(!refused.isEmpty && refused.allSatisfy { $0.1 == "2" && $0.2 == "overloaded" })
        #expect(answers.allSatisfy { $0.0 == 503 || $0.0 == 201 })
        #expect(try await site.call("GET", "/health/live").status == 200)
        let stored = try await site.call("GET", "/v1/bookings?limit=200").json["items"]?.array?.count
        #expect(stored == answers.count { $0.0 == 201 })
        server.kill()
        await site.close()
    }

    @Test("whoever sends a body slowly holds no place, and is told so after a while; a caller who waits for a room holds none either")
    func slow() async throws {
        let site = try await Site()
        let server = try await site.serve("--requests", "1", "--workers", "0")
        let slow = try Command("/usr/bin/python3", [Command.script("slow_sender.py"), "\(site.port)", site.key])
        _ = await slow.line { $0.contains("sent") }
        async let waiting = book(site)
        // Nobody makes the room here, so it waits as long as it may; meanwhile others come and go.
        _ = try await site.booked(within: .seconds(3))
        var status = 503
        while status == 503 || status == 429 { status = try await site.call("GET", "/v1/bookings").status }
        #expect(status == 200)
        #expect(try await waiting["meeting"]?["status"] == "pending")
        #expect(await slow.line { $0.contains("400") } != nil, "\(slow.outputText) \(slow.errorText)")
        server.kill()
        await site.close()
    }

    /// Books, and waits for the room. The one place may be taken by the other caller at that moment: then it comes again.
    private func book(_ site: Site) async throws -> JSON {
        while true {
            let answer = try await site.call(
                "POST", "/v1/bookings",
                body:
                    #"{"meetingType": "open", "owner": "ana", "start": "2027-03-01T10:00:00Z", "attendees": [{"email": "bo@example.org"}]}"#,
                headers: [("Prefer", "wait=3")])
            if answer.status != 429, answer.status != 503 { return answer.json }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("large bodies that never end share what there is for them: memory stays small, and small bodies get through")
    func large() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let crowd = try Command("/usr/bin/python3", [Command.script("large_senders.py"), "\(site.port)", "200", "\(server.processID)"])
        let told = await crowd.line { $0.contains("MiB") }
        let resident = told?.split(separator: " ").first.flatMap { Double($0) }
        #expect(resident.map { $0 < 256 } == true, "\(told ?? "")")
        #expect(try await site.book(at: "2027-04-01T10:00:00Z").status == 201)
        server.kill()
        await site.close()
    }

    @Test("a HEAD is answered without a body, whatever there is to say")
    func head() async throws {
        let site = try await Site()
        let server = try await site.serve()
        for (path, status) in [("/health/live", 200), ("/nothing", 404), ("/v1/bookings/x/cancel", 405)] {
            let answer = try await site.call("HEAD", path)
            #expect(answer.status == status && answer.response.body.isEmpty, "\(path)")
        }
        for path in ["/health/live", "/nothing", "/v1/bookings"] {
            let (head, whole) = (try await site.call("HEAD", path), try await site.call("GET", path))
            #expect(head.response.header("content-length") == whole.response.header("content-length"), "\(path)")
        }
        server.kill()
        await site.close()
    }
}
