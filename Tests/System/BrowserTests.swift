import Foundation
import Testing
import UsherCore

/// Guests in a real browser: Debian's Chromium, driven by Selenium; axe-core looks at every page.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct BrowserTests {
    static let catalog = Site.catalog.replacing(
        "owners:\n",
        with: """
            schedules: { day: { time-zone: UTC, weekly: { mon-sun: ["09:00-17:00"] } } }
            owners:
              bo: { name: Bo Li, email: bo@northwind.example, schedule: day, time-zone: UTC }

            """
    ).appending(
        """

          visit:
            title: "A visit"
            description: "We look at it together."
            durations: [30m, 60m]
            provider: room
            hosts: [bo]
            slots: { horizon: 60d }
            page: public
            confirm-by-mail: false
            questions:
              reason: { ask: "What is it about?", required: true }
              place: { ask: "Where shall it be?", kind: choice, choices: [Here, There] }
              news: { ask: "May we write to you?", kind: checkbox }
        """)

    /// How somebody looks at the pages: size, colours, language, and whether scripts run.
    private static let looks = [
        ["390", "844", "light", "en", "scripts"], ["390", "844", "dark", "ar", "scripts"], ["1280", "900", "dark", "de", "scripts"],
        ["1280", "900", "light", "ja", "scripts"], ["320", "640", "light", "fr", "none"],
    ]

    @Test(
        "a guest books with the keyboard alone, whatever the size, colours, language and scripts; axe-core finds nothing", arguments: looks)
    func wholeWay(look: [String]) async throws {
        let site = try await Site(catalog: Self.catalog)
        let home = "http://127.0.0.1:\(site.port)"
        let server = try await site.serve(environment: ["USHER_PUBLIC_URL": home])
        let browser = try Command(Command.python(3), [Command.script("browse.py"), home] + look)
        let (code, output, errors) = await browser.finish()
        #expect(code == 0, "\(errors.suffix(3_000))")
        let saw = try JSON(parsing: output)
        #expect(saw["pages"] == ["list", "month", "day", "form", "mistake", "done", "join"])
        #expect(saw["problems"] == [], "\(saw["problems"]?.serialized ?? output)")
        let booked = try await site.call("GET", "/v1/bookings").json["items"]?.array?.first
        #expect(booked?["answers"] == ["news": "yes", "place": "Here", "reason": "A cough"])
        server.kill()
        await site.close()
    }

    @Test(
        "axe-core finds nothing on an owner's page, an admin's pages and the page that moves a booking",
        arguments: [(["390", "844", "light"], "ar"), (["1280", "900", "dark"], "de")])
    func otherPages(look: [String], language: String) async throws {
        // A colour that is hard to read on a dark ground.
        let catalog = Self.catalog.replacing("time-zone: UTC }\n", with: "time-zone: UTC, language: \(language) }\n")
            .replacing("site: { name", with: "site: { color: \"#1d4ed8\", name")
        let site = try await Site(catalog: catalog)
        let home = "http://127.0.0.1:\(site.port)"
        let server = try await site.serve(environment: ["USHER_PUBLIC_URL": home, "USHER_WEBHOOK_ALLOW_PRIVATE": "true"])
        let link = try await site.call("POST", "/v1/owners/bo/portal-links").json["url"]?.string ?? ""
        let owner = try await site.browse(link.replacing(home, with: ""), form: [:]).cookie
        let admin = try await site.browse("/admin", form: ["key": site.key]).cookie
        _ = try await site.call("POST", "/v1/owners/bo/time-off", body: #"{"from": "2027-05-01"}"#)
        let hook = try await site.call("POST", "/v1/webhooks", body: #"{"url": "http://127.0.0.1:1/"}"#).json["id"]?.string ?? ""
        let booked = try await site.book("mine", at: "2027-03-01T10:00:00Z").json
        let id = booked["id"]?.string ?? ""
        _ = try await site.booking(id) { $0["meeting"]?["status"] == "blocked" }
        let body = #"{"meetingType": "open", "owner": "bo", "start": "2027-03-01T10:00:00Z", "attendees": [{"email": "li@example.org"}]}"#
        let own = try await site.call("POST", "/v1/bookings", body: body).json["id"]?.string ?? ""
        _ = try await site.booking(own, Site.isDone)
        let manage = (booked["managePage"]?.string ?? "").replacing(home, with: "")
        let join = (booked["joinPage"]?.string ?? "").replacing(home, with: "")
        let pages =
            ["/owners/me", "/owners/me/booking?booking=\(own)", manage, join, "/docs", "/book"]
            + [
                "", "/bookings", "/bookings/\(id)", "/bookings/\(id)/cancel", "/connections", "/mail", "/webhooks", "/webhooks/\(hook)",
                "/catalogue", "/audit", "/retry-all", "/style",
            ]
            .map { "/admin" + $0 }
        let browser = try Command(
            Command.python(3), [Command.script("look.py"), home] + look + ["\(owner);\(admin)", "-"] + pages)
        let (code, output, errors) = await browser.finish()
        #expect(code == 0, "\(errors.suffix(3_000))")
        let saw = try JSON(parsing: output)
        let titles = saw["titles"]?.array?.compactMap(\.string) ?? []
        #expect(titles.count == pages.count && titles.first == "Bo Li" && !titles.contains("Sign in"), "\(titles)")
        #expect(saw["problems"] == [], "\(saw["problems"]?.serialized ?? output)")
        server.kill()
        await site.close()
    }
}
