import Foundation
import Testing
import UsherCore

/// The admin's page as a browser walks it.
@Suite(.timeLimit(.minutes(3)))
struct AdminTests {
    private func key(_ page: String) -> String { page.firstMatch(of: /name="key" value="([^"]+)"/).map { String($0.1) } ?? "" }

    @Test("an admin's key signs in, shows what is stuck, and a press retries it; nobody else gets anywhere")
    func walk() async throws {
        let site = try await Site()
        let server = try await site.serve(environment: ["USHER_WEBHOOK_ALLOW_PRIVATE": "true"])
        let made = try await site.usher("key", "create", "--json", "--name", "x", "--scope", "bookings:read").finish()
        let reader = try JSON(parsing: made.output)["key"]?.string ?? ""
        for wrong in ["", "usher_nobody", reader] { #expect(try await site.browse("/admin", form: ["key": wrong]).status == 401) }
        let signedIn = try await site.browse("/admin", form: ["key": site.key])
        #expect(signedIn.status == 303 && signedIn.cookie.hasPrefix("__Host-usher_admin="))
        let session = [signedIn.cookie]

        _ = try await site.call("POST", "/v1/webhooks", body: #"{"url": "http://127.0.0.1:1/"}"#)
        let id = try await site.book("mine", at: "2027-03-01T10:00:00Z").json["id"]?.string ?? ""
        _ = try await site.booking(id) { $0["meeting"]?["status"] == "blocked" }
        let overview = try await site.browse("/admin", cookies: session).page
        #expect(overview.contains(id) && overview.contains("Zoom is not connected."))
        for path in ["", "/bookings", "/bookings/\(id)", "/bookings?q=bo@exam", "/connections", "/mail", "/webhooks", "/catalogue"] {
            #expect(try await site.browse("/admin" + path).status == 401, "\(path)")
            let page = try await site.browse("/admin" + path, cookies: session)
            #expect(page.status == 200, "\(path)")
        }
        #expect(try await site.browse("/admin/bookings?q=bo@EXAM", cookies: session).page.contains(id))
        for query in ["Bo%20L", "ana%20RUIZ", "ana", id] {
            #expect(try await site.browse("/admin/bookings?q=\(query)", cookies: session).page.contains(id), "\(query)")
        }
        for query in ["%25", "_", "timeZone", "%22", "%5C"] {
            let found = try await site.browse("/admin/bookings?q=\(query)", cookies: session).page
            #expect(!found.contains("/admin/bookings/\(id)"), "\(query)")
        }
        #expect(try await site.browse("/admin/catalogue", cookies: session).page.contains("consultation"))
        #expect(try await site.browse("/admin/bookings/bk_none", cookies: session).status == 404)

        let page = try await site.browse("/admin/bookings/\(id)", cookies: session).page
        #expect(page.contains("booking.confirmed") && page.contains("meeting.blocked"))
        #expect(try await site.browse("/admin/retry", form: ["booking": id], cookies: session).status == 403)
        #expect(try await site.browse("/admin/retry", form: ["booking": id, "key": key(page)]).status == 401)
        #expect(try await site.browse("/admin/retry", form: ["booking": id, "key": key(page)], cookies: session).status == 303)
        #expect(try await site.browse("/admin/retry-all", form: ["key": key(page)], cookies: session).status == 303)
        let events =
            try await site.call("GET", "/v1/bookings/\(id)/timeline").json["items"]?.array?.compactMap { $0["event"]?.string } ?? []
        #expect(events.count { $0 == "booking.retried" } == 2)

        let hook = try await site.call("GET", "/v1/webhooks").json["items"]?.array?.first?["id"]?.string ?? ""
        let deliveries = try await site.browse("/admin/webhooks/\(hook)", cookies: session).page
        let delivery = deliveries.firstMatch(of: /name="delivery" value="([^"]+)"/).map { String($0.1) } ?? ""
        let again = ["delivery": delivery, "webhook": hook, "key": key(page)]
        #expect(try await site.browse("/admin/replay", form: again, cookies: session).status == 303)

        #expect(try await site.browse("/admin/bookings/\(id)/cancel", cookies: session).page.contains("Yes, cancel it"))
        #expect(try await site.browse("/admin/cancel", form: ["booking": id, "key": key(page)], cookies: session).status == 303)
        #expect(try await site.call("GET", "/v1/bookings/\(id)").json["status"] == "cancelled")
        _ = try await site.browse("/admin/signout", form: [:], cookies: session)
        #expect(try await site.browse("/admin", cookies: session).status == 401)
        server.kill()
        await site.close()
    }

    @Test("a session ends with its key, and with another key in the configuration")
    func ends() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let made = try await site.usher("key", "create", "--json", "--name", "x", "--scope", "admin").finish()
        let json = try JSON(parsing: made.output)
        let stored = try await site.browse("/admin", form: ["key": json["key"]?.string ?? ""]).cookie
        let configured = try await site.browse("/admin", form: ["key": site.key]).cookie
        #expect(try await site.browse("/admin", cookies: [stored]).status == 200)
        _ = try await site.usher("key", "revoke", json["id"]?.string ?? "").finish()
        #expect(try await site.browse("/admin", cookies: [stored]).status == 401)
        server.kill()
        let again = try await site.serve(environment: ["USHER_API_KEY": "usher_another_0123456789abcdef"])
        #expect(try await site.browse("/admin", cookies: [configured]).status == 401)
        again.kill()
        await site.close()
    }

    @Test("who is signed in hears of changes as they happen; a server that stops does not wait for whoever listens")
    func live() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let cookie = try await site.browse("/admin", form: ["key": site.key]).cookie
        #expect(try await site.browse("/admin/live").status == 401)
        #expect(try await site.browse("/admin", cookies: [cookie]).page.contains(#"data-events="/admin/live""#))
        let listener = try Command(
            "/usr/bin/curl", ["-sN", "-D", site.folder + "/head", "-H", "Cookie: \(cookie)", "http://127.0.0.1:\(site.port)/admin/live"])
        #expect(await listener.line { $0.hasPrefix("retry:") } != nil)
        #expect(try String(contentsOfFile: site.folder + "/head", encoding: .utf8).lowercased().contains("content-type: text/event-stream"))
        let id = try await site.book(at: "2027-03-01T10:00:00Z").json["id"]?.string ?? ""
        _ = try await site.booking(id, Site.isDone)
        #expect(await listener.line(within: .seconds(10)) { $0 == "data: changed" } != nil)
        let overview = try await site.browse("/admin", cookies: [cookie]).page
        #expect(overview.contains("1 of 100 at Zoom (campus)"), "what the host may still make today")
        server.terminate()
        let stopped = ContinuousClock.now
        #expect(await server.finish().code == 0)
        #expect(ContinuousClock.now - stopped < .seconds(10))
        #expect(await listener.finish().code == 0, "its answer ends whole")
        await site.close()
    }
}
