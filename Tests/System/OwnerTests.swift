import Foundation
import ProviderSandbox
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(5)))
struct OwnerTests {
    /// The key that the forms of a page carry.
    private func key(_ page: String) -> String {
        page.firstMatch(of: /name="?key"? value="([a-z0-9]+)"/).map { String($0.1) } ?? ""
    }

    /// Signs in with a new link, and gives the session's cookie.
    private func signIn(_ site: Site) async throws -> String {
        let link = try await site.call("POST", "/v1/owners/ana/portal-links").json["url"]?.string ?? ""
        #expect(try await site.browse(link).page.contains("Open my page"))
        return try await site.browse(link, form: [:]).cookie
    }

    /// Opens the page that asks, and presses.
    private func begin(
        _ site: Site, _ start: String, _ cookies: [String] = [], name: String = "Ana Ruiz"
    ) async throws -> (location: String, cookie: String) {
        let asking = try await site.browse(start, cookies: cookies)
        #expect(asking.page.contains(name) && asking.page.contains("Northwind Clinic"))
        let consent = asking.page.firstMatch(of: /name="consent" value="([^"]+)"/).map { String($0.1) } ?? ""
        let pressed = try await site.browse(String(start.split(separator: "?")[0]), form: ["consent": consent], cookies: cookies)
        let url = pressed.page.firstMatch(of: /class="button" href="([^"]+)"/).map { String($0.1).replacing("&amp;", with: "&") } ?? ""
        return (url, pressed.cookie)
    }

    @Test("an owner's pages speak the owner's language, from the invitation to the way to Zoom")
    func language() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let omar = #"{"name": "Omar", "email": "omar@northwind.example", "timeZone": "Africa/Cairo", "language": "ar"}"#
        _ = try await site.call("PUT", "/v1/owners/omar", body: omar)
        let link = try await site.call("POST", "/v1/owners/omar/portal-links").json["url"]?.string ?? ""
        let invitation = try await site.browse(link).page
        let session = try await site.browse(link, form: [:]).cookie
        let page = try await site.browse("/owners/me", cookies: [session]).page
        let connect = try await site.browse("/owners/me/connect", form: ["key": key(page), "provider": "zoom"], cookies: [session]).page
        let start = connect.firstMatch(of: /href="([^"]+consent=[^"]+)"/).map { String($0.1) } ?? ""
        let asking = try await site.browse(start, cookies: [session]).page
        let refused = try await site.browse("/owners/me/time-off", form: ["key": key(page), "from": "no"], cookies: [session]).page
        let foreign = try await site.browse("/owners/me/time-off", form: ["key": "other"], cookies: [session]).page
        let none = try await site.browse("/owners/me/booking?booking=bk_none", cookies: [session])
        #expect(none.status == 404)
        // A stranger's browser is answered in its own language; the owner's, whatever it asks for, in the owner's.
        let start2 = try await begin(site, start, [session], name: "Omar")
        let back = site.zoom.decide(String(start2.location.split(separator: "?", maxSplits: 1)[1]), user: "ana@northwind.example")
        let ended = try await site.browse(back, cookies: [start2.cookie, session], headers: [("Accept-Language", "fr")]).page
        let pages = [invitation, page, connect, asking, refused, foreign, none.page, ended]
        for shown in pages { #expect(shown.contains(#"<html lang="ar" dir="rtl""#)) }
        #expect(page.contains("الحسابات"))
        // What stands between tags. Errors of the API are told as they are there.
        let english: Set = ["the", "your", "Your", "Connect", "Accounts", "None.", "meeting", "Sign", "Days", "and", "is", "connected."]
        for shown in [invitation, page, connect, asking, foreign, ended] {
            let said = shown.replacing(/<[^>]*>/, with: " ").split(whereSeparator: \.isWhitespace).map(String.init)
            #expect(said.filter(english.contains).isEmpty, "\(said)")
        }
        server.kill()
        await site.close()
    }

    @Test("an owner signs in, connects Zoom, sets it as default, gets a meeting there, and disconnects")
    func wholeWay() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let session = try await signIn(site)
        var page = try await site.browse("/owners/me", cookies: [session])
        #expect(page.status == 200 && page.page.contains("Not connected<"))
        #expect(page.page.contains("<li>Zoom: the meeting type says so (Zoom is not connected.)</li>"))
        #expect(page.page.contains("<li>Zoom (campus): the site&#39;s default</li>"))

        let connect = try await site.browse("/owners/me/connect", form: ["key": key(page.page), "provider": "zoom"], cookies: [session])
        let start = connect.page.firstMatch(of: /href="([^"]+consent=[^"]+)"/).map { String($0.1) } ?? ""
        // It was begun on the owner's page: a stranger who has the address cannot go on.
        #expect(try await site.browse(start).status == 403)
        let started = try await begin(site, start, [session])
        #expect(started.location.contains("/oauth/authorize?"))
        let back = site.zoom.decide(String(started.location.split(separator: "?", maxSplits: 1)[1]), user: "ana@northwind.example")
        #expect(try await site.browse(back).page.contains("Another browser"))
        #expect(try await site.browse(back, cookies: [started.cookie]).page.contains("You are signed out"))
        #expect(try await site.browse(back, cookies: [started.cookie, session]).page.contains("ana@northwind.example is connected."))
        let audit = try await site.call("GET", "/v1/audit?limit=100").json["items"]?.array ?? []
        for action in ["owner.sign-in", "connection.connect"] {
            #expect(audit.contains { $0["action"] == .string(action) && $0["actor"] == "owner:ana" && $0["outcome"] == "done" })
        }

        page = try await site.browse("/owners/me", cookies: [session])
        #expect(page.page.contains("Connected</span>"))
        let chosen = try await site.browse("/owners/me/default", form: ["key": key(page.page), "provider": "zoom"], cookies: [session])
        #expect(chosen.status == 303)
        #expect(try await site.call("GET", "/v1/owners/ana").json["defaultProvider"] == "zoom")
        let resolution = try await site.call("GET", "/v1/resolve?meetingType=consultation&owner=ana").json
        #expect(resolution["provider"] == "zoom" && resolution["usable"] == true)

        let id = try await site.book(at: "2027-03-01T10:00:00Z").json["id"]?.string ?? ""
        let booking = try await site.booking(id, Site.isDone)
        #expect(booking["provider"]?["name"] == "zoom")
        #expect(site.zoom.meetings.map(\.host) == ["ana@northwind.example"])

        let connections = try await site.call("GET", "/v1/owners/ana/connections").json
        #expect(connections["items"]?.array?.first?["account"]?["email"] == "ana@northwind.example")
        let asked = try await site.browse("/owners/me/disconnect", form: ["key": key(page.page), "provider": "zoom"], cookies: [session])
        #expect(asked.page.contains("Disconnect Zoom?"))
        #expect(try await site.browse("/owners/me", cookies: [session]).page.contains("Connected</span>"))
        _ = try await site.browse(
            "/owners/me/disconnect", form: ["key": key(page.page), "provider": "zoom", "sure": "yes"], cookies: [session])
        #expect(try await site.browse("/owners/me", cookies: [session]).page.contains("Not connected<"))
        #expect(try await site.call("GET", "/v1/bookings/\(id)").json["meeting"]?["joinUrl"] == booking["meeting"]?["joinUrl"])
        server.kill()
        await site.close()
    }

    @Test("a sign-in link works once, a page without a session shows nothing, and a press without the page's key does nothing")
    func guarded() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let link = try await site.call("POST", "/v1/owners/ana/portal-links").json["url"]?.string ?? ""
        let session = try await site.browse(link, form: [:]).cookie
        #expect(try await site.browse(link, form: [:]).status == 410)
        #expect(try await site.browse(link).status == 410)
        #expect(try await site.browse("/owners/me").status == 401)
        #expect(try await site.browse("/owners/me/default", form: ["provider": "room"]).status == 401)
        #expect(try await site.browse("/owners/me/default", form: ["provider": "room"], cookies: [session]).status == 403)
        #expect(try await site.browse("/owners/me/default", form: ["provider": "room", "key": "x"], cookies: [session]).status == 403)
        #expect(try await site.call("GET", "/v1/owners/ana").json["defaultProvider"] == .null)
        server.kill()
        await site.close()
    }

    @Test("whoever has no link has one mailed, makes a test meeting on the page, and takes it away")
    func mailedLinkAndTestMeeting() async throws {
        let site = try await Site()
        let server = try await site.serve()
        #expect(try await site.browse("/owners/me").page.contains("Mail me a link"))
        let reloaded = try await site.browse("/owners/signin")
        #expect(reloaded.status == 303)
        let answer = try await site.browse("/owners/signin", form: ["email": "ana@northwind.example"]).page
        #expect(try await site.browse("/owners/signin", form: ["email": "stranger@example.org"]).page == answer)
        let mail = try await site.mail { String(decoding: $0.content, as: UTF8.self).contains("Your way in") }
        let text = try await Site.read(mail.content)["text"]?.string ?? ""
        let link = try #require(text.firstMatch(of: /https:\/\/usher\.example\/owners\/signin\/[a-z0-9]+/)).0
        let session = try await site.browse(String(link), form: [:]).cookie
        let page = try await site.browse("/owners/me", cookies: [session]).page
        #expect(page.contains("Make a test meeting"))
        _ = try await site.browse("/owners/me/test", form: ["key": key(page), "provider": "campus"], cookies: [session])
        _ = try await site.mail {
            $0.recipient == "ana@northwind.example" && String(decoding: $0.content, as: UTF8.self).contains("invite.ics")
        }
        let made = try await site.browse("/owners/me", cookies: [session]).page
        #expect(made.contains("Open the room") && site.zoom.meetings.count == 1)
        let id = made.firstMatch(of: /name="booking" value="([^"]+)"/).map { String($0.1) } ?? ""
        _ = try await site.browse("/owners/me/test/cancel", form: ["key": key(made), "booking": id], cookies: [session])
        _ = try await site.mail { String(decoding: $0.content, as: UTF8.self).contains("Subject: Cancelled") }
        server.kill()
        await site.close()
    }

    @Test("an owner moves and cancels a meeting from the page, each after a question, and no other owner's")
    func movesFromPage() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let session = try await signIn(site)
        let id = try await site.book("open", at: "2027-03-01T10:00:00Z").json["id"]?.string ?? ""
        _ = try await site.booking(id, Site.isDone)
        #expect(try await site.browse("/owners/me", cookies: [session]).page.contains("/owners/me/booking?booking=\(id)"))
        let path = "/owners/me/booking?booking=\(id)"
        #expect(try await site.browse(path).status == 401)
        let page = try await site.browse(path, cookies: [session]).page
        #expect(page.contains("Bo Li") && page.contains(#"value="2027-03-01T11:00""#), "Madrid's time")
        let fields = ["key": key(page), "booking": id]
        let asked = try await site.browse(
            "/owners/me/booking/reschedule", form: fields.merging(["start": "2027-03-02T11:00"]) { $1 }, cookies: [session])
        #expect(asked.page.contains("Yes, move it there"))
        let sure = fields.merging(["start": "2027-03-02T10:00:00Z", "sure": "yes"]) { $1 }
        #expect(
            try await site.browse("/owners/me/booking/reschedule", form: sure.merging(["key": "x"]) { $1 }, cookies: [session]).status
                == 403)
        let moved = try await site.browse("/owners/me/booking/reschedule", form: sure, cookies: [session])
        #expect(moved.status == 303 && moved.location == path + "&done=moved")
        #expect(try await site.browse(moved.location, cookies: [session]).page.contains("The meeting was moved"))
        let timeline = try await site.call("GET", "/v1/bookings/\(id)/timeline").json["items"]?.array ?? []
        #expect(timeline.contains { $0["event"] == "booking.rescheduled" && $0["actor"] == "owner:ana" })
        #expect(try await site.browse("/owners/me/booking/cancel", form: fields, cookies: [session]).page.contains("Yes, cancel it"))
        _ = try await site.browse("/owners/me/booking/cancel", form: fields.merging(["sure": "yes"]) { $1 }, cookies: [session])
        #expect(try await site.call("GET", "/v1/bookings/\(id)").json["status"] == "cancelled")

        let eve = #"{"name": "Eve Moss", "email": "eve@northwind.example"}"#
        _ = try await site.call("PUT", "/v1/owners/eve", body: eve)
        let link = try await site.call("POST", "/v1/owners/eve/portal-links").json["url"]?.string ?? ""
        let other = try await site.browse(link, form: [:]).cookie
        #expect(try await site.browse(path, cookies: [other]).status == 404)
        server.kill()
        await site.close()
    }

    @Test("owners are made, changed and taken out by the API; those of the file only there; a foreign returnTo is refused")
    func api() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let made = try await site.call("PUT", "/v1/owners/eve", body: #"{"name": "Eve Moss", "email": "eve@northwind.example"}"#)
        #expect(made.status == 200 && made.json["timeZone"] == "Europe/Berlin")
        let wrong = try await site.call("PUT", "/v1/owners/eve", body: #"{"name": "", "email": "x", "nmae": "y", "timeZone": "Mars"}"#)
        #expect(wrong.status == 422)
        #expect(Set(wrong.json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? []) == ["/name", "/email", "/nmae", "/timeZone"])
        #expect(
            try await site.call("PUT", "/v1/owners/ana", body: #"{"name": "A", "email": "a@b.example"}"#).json["code"] == "owner.in-file")
        #expect(try await site.call("PUT", "/v1/owners/eve/default-provider", body: #"{"provider": "zom"}"#).status == 422)
        #expect(
            try await site.call("PUT", "/v1/owners/eve/default-provider", body: #"{"provider": "zoom"}"#).json["defaultProvider"] == "zoom")
        let foreign = try await site.call(
            "POST", "/v1/owners/eve/connections/zoom/authorize", body: #"{"returnTo": "https://evil.example/"}"#)
        #expect(foreign.status == 422)
        let plain = try await site.call(
            "POST", "/v1/owners/eve/connections/zoom/authorize", body: "{}", headers: [("Content-Type", "text/plain")])
        #expect(plain.status == 415)
        let begun = try await site.call("POST", "/v1/owners/eve/connections/zoom/authorize")
        #expect(begun.status == 201 && begun.json["authorizationUrl"]?.string?.hasPrefix("https://usher.example/auth/zoom/start?") == true)
        #expect(try await site.call("POST", "/v1/owners/eve/connections/room/authorize").status == 422)
        #expect(try await site.call("DELETE", "/v1/owners/eve").status == 204)
        #expect(try await site.call("GET", "/v1/owners/eve").status == 404)
        #expect(try await site.call("DELETE", "/v1/owners/ana").status == 409)
        #expect(try await site.call("GET", "/v1/resolve?owner=ana").status == 422)
        server.kill()
        await site.close()
    }

    @Test("keys are rotated while the server runs; no token or secret lies readable in the database, and none shows in logs or answers")
    func rotation() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let session = try await signIn(site)
        let page = try await site.browse("/owners/me", cookies: [session]).page
        let connect = try await site.browse("/owners/me/connect", form: ["key": key(page), "provider": "zoom"], cookies: [session])
        let start = connect.page.firstMatch(of: /href="([^"]+consent=[^"]+)"/).map { String($0.1) } ?? ""
        let started = try await begin(site, start, [session])
        let back = site.zoom.decide(String(started.location.split(separator: "?", maxSplits: 1)[1]), user: "ana@northwind.example")
        _ = try await site.browse(back, cookies: [started.cookie, session])

        // The service is asked whether it knows the app before it is taken.
        site.zoom.change { account in
            var app = account.userApp
            (app.clientID, app.clientSecret) = ("their-client", "their-own-secret")
            account.otherApps = [app]
        }
        let entered = try await site.call(
            "PUT", "/v1/owners/ana/apps/zoom",
            body: #"{"clientId": "their-client", "clientSecret": "their-own-secret", "webhookSecret": "their-own-token"}"#)
        #expect(entered.status == 200 && entered.json["clientId"] == "their-client")
        let form = ["provider": "zoom", "clientId": "their-client", "clientSecret": "their-own-secret", "key": key(page)]
        #expect(try await site.browse("/owners/me/app", form: form, cookies: [session]).status == 303)
        #expect(try await site.browse("/owners/me", cookies: [session]).page.contains("<code>their-client</code>"))

        var ids: [String] = []
        for hour in 10..<14 { ids.append(try await site.book("mine", at: "2027-03-01T\(hour):00:00Z").json["id"]?.string ?? "") }
        let rotated = try await site.usher("vault", "rotate", "--json").finish()
        #expect(rotated.code == 0, "\(rotated.errors)")
        #expect(try JSON(parsing: rotated.output)["resealed"]?.int ?? 0 > 0)
        for hour in 14..<18 { ids.append(try await site.book("mine", at: "2027-03-01T\(hour):00:00Z").json["id"]?.string ?? "") }
        for id in ids {
            let booking = try await site.booking(id, Site.isDone)
            #expect(Site.isDone(booking), "\(booking.serialized.prefix(400))")
        }
        let paths = [
            "/owners", "/owners/ana", "/owners/ana/apps", "/owners/ana/connections", "/resolve?meetingType=mine&owner=ana",
        ]
        for path in paths { #expect(try await site.call("GET", "/v1\(path)").status == 200) }
        server.terminate()
        _ = await server.finish()
        let main = try #require(FileManager.default.contents(atPath: site.folder + "/usher.sqlite"))
        let files = [main] + [FileManager.default.contents(atPath: site.folder + "/usher.sqlite-wal")].compactMap(\.self)
        for secret in [
            "sandbox-access-", "sandbox-refresh-", "sandbox-zoom-secret", "sandbox-token-", "sandbox-zoom-deauth", "their-own-secret",
            "their-own-token",
        ] {
            #expect(files.allSatisfy { $0.range(of: Data(secret.utf8)) == nil }, "\(secret) lies in the database")
            #expect(!server.errorText.contains(secret))
            #expect(!site.saidByServer.contains(secret), "\(secret) was answered")
        }
        await site.close()
    }

    @Test("an owner connects a calendar's feed, which closes its time, lets it count no longer, and removes it")
    func calendars() async throws {
        let site = try await Site(
            catalog: Site.catalog.replacing("  ana: {", with: "  ana: { schedule: day,").replacing(
                "owners:\n", with: "schedules: { day: { time-zone: UTC, weekly: { mon-sun: [\"09:00-12:00\"] } } }\nowners:\n"
            ).appending("\n  hour: { title: Hour, duration: 60m, slots: { horizon: 1000d } }\n"))
        let start = try #require(Instant(rfc3339: "2027-04-01T10:00:00Z"))
        let event = SandboxEvent(uid: "x@y.example", start: start, end: start + .hours(1))
        try SandboxEvent.file([event], owner: "ana@northwind.example").write(
            toFile: site.folder + "/ana.ics", atomically: true, encoding: .utf8)
        let port = try FreeTestPort.find()
        let files = Process()
        files.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        files.arguments = ["-m", "http.server", "\(port)", "--bind", "127.0.0.1", "--directory", site.folder]
        (files.standardOutput, files.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try files.run()
        defer { kill(files.processIdentifier, SIGKILL) }
        let server = try await site.serve(environment: ["USHER_CALENDAR_ALLOW_PRIVATE": "true"])
        let session = try await signIn(site)
        func press(_ path: String, _ fields: [String: String]) async throws -> (status: Int, page: String) {
            let page = try await site.browse("/owners/me", cookies: [session]).page
            let answer = try await site.browse(path, form: fields.merging(["key": key(page)]) { $1 }, cookies: [session])
            return (answer.status, answer.page)
        }
        func slots() async throws -> [String] {
            try await site.call("GET", "/v1/slots?meetingType=hour&owner=ana&from=2027-04-01&to=2027-04-01").json["items"]?.array?
                .compactMap { $0["start"]?.string } ?? []
        }
        #expect(try await slots().count == 3)
        let wrong = try await press("/owners/me/calendars", ["kind": "ics", "url": "http://127.0.0.1:\(port)/none.ics"])
        #expect(wrong.status == 303, "a publisher may bring it back: it is tried again")
        let connected = try await press("/owners/me/calendars", ["kind": "ics", "url": "http://127.0.0.1:\(port)/ana.ics"])
        #expect(connected.status == 303)
        var page = ""
        for _ in 0..<100 where !page.contains("Counts") {
            try await Task.sleep(for: .milliseconds(100))
            page = try await site.browse("/owners/me", cookies: [session]).page
        }
        #expect(page.contains("Ana, 127.0.0.1") && page.contains("has no calendar at this address") && !page.contains("ana.ics"))
        let shown = try await site.call("GET", "/v1/owners/ana/calendars").json["items"]?.array ?? []
        #expect(shown.map { $0["state"]?.string } == ["failing", "fresh"])
        #expect(try await slots() == [], "one of the two is not known")
        _ = try await press("/owners/me/calendars/remove", ["calendar": shown[0]["id"]?.string ?? ""])
        #expect(try await slots() == ["2027-04-01T09:00:00Z", "2027-04-01T11:00:00Z"])
        _ = try await press("/owners/me/calendars/choose", ["calendar": shown[1]["id"]?.string ?? ""])
        #expect(try await slots().count == 3)
        #expect(try await site.usher("owner", "calendars", "ana").finish().output.contains("fresh"))
        server.kill()
        await site.close()
    }

    @Test("the page shows a week: hours, what takes them, where a meeting can begin and why not; days off are taken and taken back there")
    func week() async throws {
        let site = try await Site(catalog: BrowserTests.catalog)
        let server = try await site.serve()
        let link = try await site.call("POST", "/v1/owners/bo/portal-links").json["url"]?.string ?? ""
        let session = [try await site.browse(link, form: [:]).cookie]
        let monday = CalendarDate(day: Environment.system.now().seconds / 86_400).monday + 14
        let path = "/owners/me?week=\((monday + 2).text)&type=visit"
        let answers = #", "answers": {"reason": "x", "place": "Here"}"#
        _ = try await site.call(
            "POST", "/v1/bookings",
            body:
                #"{"meetingType": "visit", "owner": "bo", "start": "\#((monday + 1).text)T10:00:00Z", "attendees": [{"name": "Al", "email": "al@example.org"}]\#(answers)}"#
        )
        _ = try await site.call(
            "POST", "/v1/holds", body: #"{"meetingType": "visit", "owner": "bo", "start": "\#((monday + 2).text)T09:00:00Z"}"#)
        let page = try await site.browse(path, cookies: session).page
        #expect(page.contains("<title>10:00–10:30: another booking, or the free time around it: visit</title>"))
        #expect(page.contains("<title>09:00–09:30: held for somebody who is booking: visit</title>"))
        #expect(
            page.contains("16 free</span>") && page.contains("15 free, bookings: 1</span>") && page.contains("15 free, on hold: 1</span>"))
        #expect(page.contains("<li>00:00–09:00: outside of your hours, or a day off</li>"))

        let off = ["key": key(page), "from": monday.text, "to": (monday + 6).text]
        #expect(try await site.browse("/owners/me/time-off", form: off, cookies: session).status == 303)
        let closed = try await site.browse(path, cookies: session).page
        #expect(closed.contains("A visit cannot be booked this week.") && closed.contains("your days off stand below"))
        let id = closed.firstMatch(of: /name="id" value="(off_[^"]+)"/).map { String($0.1) } ?? ""
        let wrong = try await site.browse("/owners/me/time-off", form: ["key": key(page), "from": "soon"], cookies: session)
        #expect(wrong.status == 400 && wrong.page.contains("from: must be a date: 2026-12-24"))
        _ = try await site.browse("/owners/me/time-off/remove", form: ["key": key(page), "id": id], cookies: session)
        #expect(try await site.browse(path, cookies: session).page.contains("16 free</span>"))
        let far = try await site.browse("/owners/me?week=\((monday + 70).text)", cookies: session).page
        #expect(far.contains("What stands in the way: too far ahead. The meeting type"))
        server.kill()
        await site.close()
    }
}
