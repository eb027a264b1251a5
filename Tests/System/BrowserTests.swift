import Foundation
import Testing
import UsherCore

/// Guests in a real browser: Debian's Chromium, driven by Selenium; axe-core looks at every page.
@Suite(.timeLimit(.minutes(5)), .serialized)
struct BrowserTests {
    private static let catalog = Site.catalog.replacing(
        "owners:\n",
        with: """
            schedules: { day: { time-zone: UTC, weekly: { mon-sun: ["09:00-17:00"] } } }
            owners:
              bo: { name: Bo Li, email: bo@northwind.example, schedule: day }

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
}
