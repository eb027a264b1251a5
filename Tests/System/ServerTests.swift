import Foundation
import ProviderSandbox
import TestSupport
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(5)))
struct ServerTests {
    @Test("a booking through the API ends with one room and two mails that an independent reader understands")
    func api() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let answer = try await site.book(at: "2027-03-29T10:00:00+02:00")
        #expect(answer.status == 201)
        #expect(answer.response.header("location") == "/v1/bookings/\(answer.json["id"]?.string ?? "")")
        let booking = try await site.booking(answer.json["id"]?.string ?? "", Site.isDone)
        #expect(site.zoom.meetings.count == 1)
        let mails = try site.received()
        #expect(mails.map(\.recipient).sorted() == ["ana@northwind.example", "bo@example.org"])
        for mail in mails { try await expectComplete(mail, booking) }
        server.kill()
        await site.close()
    }

    @Test("a service manager hears that the server listens, that it works, and that it stops", arguments: ["/notify", "@usher-test-"])
    func serviceManager(kind: String) async throws {
        let site = try await Site()
        let path = kind.hasPrefix("@") ? kind + Environment.system.code(bits: 60) : site.folder + kind
        let manager = try Command("/usr/bin/python3", [Command.script("service_manager.py"), path])
        #expect(await manager.line() == "listening")
        let server = try await site.serve(environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"])
        func hears(_ state: String, after number: Int, within limit: Duration = .seconds(30)) async -> Int? {
            let line = await manager.line(within: limit) { line in
                let parts = line.split(separator: " ")
                return parts.count == 2 && parts[1] == state && Int(parts[0]) ?? 0 > number
            }
            return line?.split(separator: " ").first.flatMap { Int($0) }
        }
        #expect(await hears("READY=1", after: 0) != nil)
        var number = 0
        for _ in 0..<3 { number = try #require(await hears("WATCHDOG=1", after: number)) }
        // One that stands still is heard of no more.
        server.signal(SIGSTOP)
        while let next = await hears("WATCHDOG=1", after: number, within: .seconds(1)) { number = next }
        server.signal(SIGCONT)
        #expect(await hears("WATCHDOG=1", after: number) != nil)
        server.terminate()
        #expect(await hears("STOPPING=1", after: number) != nil)
        #expect(await server.finish().code == 0)
        manager.kill()
        await site.close()
    }

    /// Berlin has changed its clocks on 2027-03-28, New York on 2027-03-14.
    private func expectComplete(_ mail: Site.Received, _ booking: JSON) async throws {
        let seen = try await Site.read(mail.content)
        let isOwner = mail.recipient == "ana@northwind.example"
        let (text, html) = (seen["text"]?.string ?? "", seen["html"]?.string ?? "")
        let meeting = try #require(booking["meeting"])
        let url = meeting["joinUrl"]?.string ?? "?"
        #expect(seen["defects"] == [])
        for part in [text, html.replacing("&amp;", with: "&")] {
            #expect(part.contains(url))
            #expect(part.contains(meeting["passcode"]?.string ?? "?"))
            #expect(part.contains("+49 69 7104 9922"))
            #expect(part.contains(isOwner ? "10:00 – 10:30" : "4:00 – 4:30 AM"))
            #expect(part.contains(isOwner ? "Central European Summer Time (UTC+02:00)" : "Eastern Daylight Time (UTC−04:00)"))
        }
        #expect(html.contains("tel:+496971049922,,"))
        #expect(text.contains("https://usher.example/join/"))
        #expect(!String(decoding: mail.content, as: UTF8.self).contains("zak"))
        let event = try #require(seen["events"]?.array?.first)
        #expect(event["start"] == "2027-03-29T08:00:00+00:00")
        #expect(event["location"]?.string == url)
        #expect(event["method"]?.string == (isOwner ? "PUBLISH" : "REQUEST"))
        #expect(event["sequence"] == 0)
        #expect((event["longestLine"]?.int ?? 999) <= 75)
        #expect(seen["events"]?.array?.count == (isOwner ? 1 : 2))
        #expect(seen["autoSubmitted"] == "auto-generated")
    }

    @Test("health, keys, media types and unknown paths answer as the contract says")
    func edges() async throws {
        let site = try await Site()
        let server = try await site.serve()
        #expect(try await site.call("GET", "/health/live").json["status"] == "live")
        #expect(try await site.call("GET", "/health/ready").json["status"] == "ready")
        #expect(try await site.call("GET", "/v1/bookings/bk_x").json["code"] == "not-found")
        #expect(try await site.call("GET", "/v1/bookings/bk_x", key: "usher_wrong").status == 401)
        #expect(try await site.call("GET", "/nowhere").status == 404)
        #expect(try await site.call("POST", "/v1/bookings", body: "{").json["code"] == "request.malformed")
        let plain = try await site.call("POST", "/v1/bookings", body: "{}", headers: [("Content-Type", "text/plain")])
        #expect(plain.status == 415)
        #expect(plain.response.header("content-type") == "application/problem+json")
        let large = try await site.call("POST", "/v1/bookings", body: "{\"note\": \"\(String(repeating: "x", count: 1_100_000))\"}")
        #expect(large.status == 413)
        let empty = try await site.call("POST", "/v1/bookings", body: #"{"atendees": [], "owner": 7}"#)
        #expect(empty.status == 422)
        let pointers = Set(empty.json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [])
        #expect(pointers == ["/atendees", "/owner", "/meetingType", "/start", "/attendees"])
        server.kill()
        await site.close()
    }

    @Test("a repeated call answers with the booking as it now stands, and another body under its key is refused")
    func idempotency() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let first = try await site.book(at: "2027-04-01T10:00:00Z", key: "k1")
        let second = try await site.book(at: "2027-04-01T10:00:00Z", key: "k1")
        #expect(second.status == 201)
        #expect(second.json["id"] == first.json["id"])
        #expect(second.response.header("idempotency-replayed") == "true")
        #expect(try await site.book(at: "2027-04-02T10:00:00Z", key: "k1").json["code"] == "idempotency.mismatch")
        let bodies = [
            #"{"url":"https://crm.example/h","events":["meeting.ready"]}"#,
            #"{ "events": ["meeting.ready"], "url": "https://crm.example/h" }"#,
        ]
        var ids: Set<String?> = []
        for body in bodies {
            ids.insert(try await site.call("POST", "/v1/webhooks", body: body, headers: [("Idempotency-Key", "k2")]).json["id"]?.string)
        }
        #expect(ids.count == 1 && ids != [nil], "the same values in another order are the same call")
        let twoKeys = [("Idempotency-Key", "k3"), ("Idempotency-Key", "k4")]
        #expect(try await site.call("POST", "/v1/webhooks", body: bodies[0], headers: twoKeys).json["code"] == "validation.failed")
        server.kill()
        await site.close()
    }

    @Test("of twenty callers at the same moment one is accepted and nineteen are refused")
    func conflict() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await Site.letIn { try await site.book(at: "2027-04-01T10:00:00Z") }.status } }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(statuses.count { $0 == 201 } == 1)
        #expect(statuses.count { $0 == 409 } == 19)
        server.kill()
        await site.close()
    }

    @Test("a changed catalogue is in force at once and whole; one with errors is reported and changes nothing")
    func reload() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let path = site.folder + "/meeting-types.yaml"
        try Site.catalog.replacing("consultation:", with: "consultation2:").write(toFile: path, atomically: true, encoding: .utf8)
        #expect(await server.line(errorStream: true) { $0.contains("was reloaded") } != nil)
        #expect(try await site.book("consultation2", at: "2027-04-01T10:00:00Z").status == 201)
        #expect(try await site.book("consultation", at: "2027-04-01T12:00:00Z").status == 422)
        try Site.catalog.replacing("duration: 30m", with: "duration: 30").write(toFile: path, atomically: true, encoding: .utf8)
        #expect(await server.line(errorStream: true) { $0.contains("stays in force") } != nil)
        #expect(server.errorText.contains("did you mean '30m'"))
        #expect(try await site.book("consultation2", at: "2027-04-02T10:00:00Z").status == 201)
        server.kill()
        await site.close()
    }

    @Test("told to stop, the server finishes what runs and hands the rest back")
    func gracefulStop() async throws {
        let site = try await Site()
        let server = try await site.serve()
        for hour in 10..<16 { _ = try await site.book("open", at: "2027-04-01T\(hour):00:00Z") }
        server.terminate()
        let (code, _, errors) = await server.finish()
        #expect(code == 0, "\(errors)")
        let again = try await site.serve()
        #expect(!again.errorText.contains("took over"))
        again.kill()
        await site.close()
    }

    @Test("where a balancer asks for it, a server that is told to stop is not ready first, and takes callers on until that is heard")
    func readinessFirst() async throws {
        let site = try await Site()
        let server = try await site.serve()
        func isReady() async throws -> Int { try await site.call("GET", "/health/ready").status }
        for _ in 0..<2 { #expect(try await isReady() == 200) }
        server.terminate()
        while try await isReady() == 200 {}
        #expect(try await site.book("open", at: "2027-04-01T10:00:00Z").status == 201, "one refusal may not have been heard")
        #expect(try await isReady() == 503)
        #expect(await server.finish().code == 0)
        await site.close()
    }

    @Test("the join page shows the room to who has the link, and nothing to others")
    func joinPage() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let id = try await site.book(at: "2027-04-01T10:00:00Z").json["id"]?.string ?? ""
        let booking = try await site.booking(id, Site.isDone)
        let path = (booking["joinPage"]?.string ?? "").replacing("https://usher.example", with: "")
        let page = try await site.call("GET", path)
        let html = String(decoding: page.response.body, as: UTF8.self)
        #expect(page.status == 200)
        #expect(html.contains(booking["meeting"]?["passcode"]?.string ?? "?"))
        #expect(page.response.header("content-security-policy")?.contains("default-src 'none'") == true)
        #expect(try await site.call("GET", "/join/guess").status == 404)
        server.kill()
        await site.close()
    }
}
