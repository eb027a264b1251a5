import Foundation
import Testing
import UsherCore

/// Webhooks, callers on bad lines, and what watches over the server.
@Suite(.timeLimit(.minutes(4)))
struct ListenerTests {
    @Test("the standard's own library verifies every delivery, before and after a rotation, and what was refused comes again")
    func standardWebhooks() async throws {
        let site = try await Site()
        let server = try await site.serve(environment: ["USHER_WEBHOOK_ALLOW_PRIVATE": "true"])
        let secret = site.folder + "/secret"
        try "".write(toFile: secret, atomically: true, encoding: .utf8)
        let sink = try Command(Command.python(1), [Command.script("webhook_sink.py"), secret, "refuse-first"])
        let port = try #require(await sink.line())
        let made = try await site.call("POST", "/v1/webhooks", body: #"{"url": "http://127.0.0.1:\#(port)/hook"}"#)
        #expect(made.status == 201)
        try (made.json["secret"]?.string ?? "").write(toFile: secret, atomically: true, encoding: .utf8)
        let id = try await site.book(at: "2027-03-01T10:00:00Z").json["id"]?.string ?? ""
        _ = await sink.line { $0.contains("meeting.ready") }
        let hook = made.json["id"]?.string ?? ""
        let rotated = try await site.call("POST", "/v1/webhooks/\(hook)/rotate")
        #expect(rotated.json["secret"] != made.json["secret"])
        // The receiver still knows the old secret, and then the new one.
        _ = try await site.call("POST", "/v1/bookings/\(id)/reschedule", body: #"{"start": "2027-03-02T10:00:00Z"}"#)
        _ = await sink.line { $0.contains("booking.rescheduled") }
        try (rotated.json["secret"]?.string ?? "").write(toFile: secret, atomically: true, encoding: .utf8)
        _ = try await site.call("POST", "/v1/bookings/\(id)/cancel")
        _ = await sink.line { $0.contains("booking.cancelled") }
        let lines = try sink.outputText.split(separator: "\n").dropFirst().map { try JSON(parsing: String($0)) }
        #expect(lines.allSatisfy { $0["verified"] == "yes" }, "\(lines.map { $0["verified"]?.string ?? "" })")
        #expect(lines.first?["refused"] == true && lines[1]["id"] == lines[0]["id"])
        let told = lines.dropFirst().compactMap { $0["type"]?.string }
        #expect(told.first == "booking.confirmed" && told.last == "booking.cancelled")
        let data = try JSON(parsing: lines.last?["body"]?.string ?? "")["data"]
        #expect(data?["id"]?.string == id && data?["status"] == "cancelled")
        let log = try await deliveries(site, hook) { $0.allSatisfy { $0["status"] == "sent" } }
        #expect(log.allSatisfy { $0["status"] == "sent" } && log.contains { $0["attempts"] == 2 })
        sink.kill()
        server.kill()
        await site.close()
    }

    /// The log of deliveries, once it is as wanted.
    private func deliveries(_ site: Site, _ hook: String, _ isFine: ([JSON]) -> Bool) async throws -> [JSON] {
        let end = ContinuousClock.now + .seconds(30)
        while true {
            let log = try await site.call("GET", "/v1/webhooks/\(hook)/deliveries").json["items"]?.array ?? []
            if isFine(log) || ContinuousClock.now > end { return log }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test("addresses of the house are not told anything, even where a name leads there")
    func privateAddresses() async throws {
        let site = try await Site()
        let server = try await site.serve()
        #expect(try await site.call("POST", "/v1/webhooks", body: #"{"url": "https://127.0.0.1/"}"#).status == 422)
        let made = try await site.call("POST", "/v1/webhooks", body: #"{"url": "https://localhost:1/", "events": ["booking.confirmed"]}"#)
        #expect(made.status == 201)
        _ = try await site.book("open", at: "2027-03-01T10:00:00Z")
        #expect(await server.line(errorStream: true) { $0.contains("leads to a private address") } != nil)
        server.kill()
        await site.close()
    }

    @Test("two hundred callers on lines that are cut get each booking once, and a repeated call gets that booking")
    func callers() async throws {
        let site = try await Site(catalog: Site.catalog.replacing("default-provider: campus", with: "default-provider: room"))
        let server = try await site.serve()
        let script = try Command(
            "/usr/bin/python3", [Command.script("callers.py"), "\(site.port)", site.key, "200", isSoak ? "25" : "3"])
        let (code, output, errors) = await script.finish()
        #expect(code == 0, "\(errors)")
        let seen = try JSON(parsing: output)
        let answers = seen["answers"]?.members ?? []
        #expect(answers.count == (isSoak ? 5_000 : 600) && seen["cut"]?.int ?? 0 > 20)
        let ids = answers.map { Set($0.value.array?.compactMap(\.string) ?? []) }
        #expect(ids.allSatisfy { $0.count == 1 })
        var stored: [String] = []
        var cursor: String?
        repeat {
            let page = try await site.call("GET", "/v1/bookings?limit=200\(cursor.map { "&cursor=\($0)" } ?? "")").json
            stored += page["items"]?.array?.compactMap { $0["id"]?.string } ?? []
            cursor = page["nextCursor"]?.string
        } while cursor != nil
        #expect(Set(stored) == Set(ids.flatMap(\.self)) && stored.count == answers.count)
        server.kill()
        await site.close()
    }

    @Test("the log names booking, owner, provider and the provider's own id of the call, as text or as JSON, and the metrics count it")
    func watched() async throws {
        let site = try await Site()
        let server = try await site.serve(environment: ["USHER_LOG": "json"])
        let id = try await site.book(at: "2027-03-01T10:00:00Z").json["id"]?.string ?? ""
        _ = try await site.booking(id, Site.isDone)
        let line = try #require(await server.line(errorStream: true) { $0.contains("POST http") && $0.contains("/meetings") })
        let entry = try JSON(parsing: line)
        #expect(entry["booking"]?.string == id && entry["owner"] == "ana" && entry["provider"] == "campus" && entry["outcome"] == "201")
        #expect(entry["tracking"]?.string?.isEmpty == false && entry["level"] == "info" && entry["time"] != nil)
        let text = String(decoding: try await site.call("GET", "/metrics").response.body, as: UTF8.self)
        for wanted in [
            #"usher_http_requests_total{method="POST",route="/v1/bookings",status="201"} 1"#,
            #"usher_provider_calls_total{provider="campus",method="POST",code="201"} 1"#, #"usher_mails_total{outcome="accepted"} 2"#,
            #"usher_steps_total{kind="provision",outcome="done"}"#, #"usher_provider_daily_calls_max{provider="campus"} 1.0"#,
            "# TYPE usher_step_seconds histogram", "# TYPE usher_steps_oldest_seconds gauge",
        ] { #expect(text.contains(wanted), "\(wanted)\n\(text)") }
        #expect(!text.contains(id) && !text.contains("bo@example.org"))
        server.kill()
        await site.close()
    }

    @Test("metrics need an admin's key where others than this machine can reach the server; a wrong log style stops the start")
    func closed() async throws {
        let site = try await Site()
        let server = try await site.serve(environment: ["USHER_HOST": "0.0.0.0"])
        #expect(try await site.call("GET", "/metrics", key: "usher_nobody").status == 401)
        #expect(try await site.call("GET", "/metrics").status == 200)
        server.kill()
        let wrong = try await site.usher("serve", environment: ["USHER_LOG": "xml"]).finish()
        #expect(wrong.code == 2 && wrong.errors.contains("USHER_LOG must be text or json"))
        await site.close()
    }
}
