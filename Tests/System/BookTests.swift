import Foundation
import Testing
import UsherCore

/// Guests, and agents, who book on a page.
@Suite(.timeLimit(.minutes(5)))
struct BookTests {
    static let catalog =
        Site.catalog.replacing(
            "owners:\n",
            with: """
                schedules: { day: { time-zone: UTC, weekly: { mon-sun: ["09:00-11:00"] } } }
                owners:
                  bo: { name: Bo Li, email: bo@northwind.example, schedule: day }

                """
        ).appending(
            """

              visit:
                title: "A visit"
                duration: 60m
                provider: room
                hosts: [bo]
                slots: { horizon: 30d }
                page: public
                questions:
                  reason: { ask: "What is it about?", required: true }
                  news: { ask: "May we write to you?", kind: checkbox }
              quick: { title: "Quick", duration: 60m, provider: room, hosts: [bo], slots: { horizon: 30d }, page: unlisted, confirm-by-mail: false }
              hidden: { title: "Hidden", duration: 60m, provider: room, hosts: [bo], slots: {} }
            """)

    /// The hidden fields of a page's form, and what its buttons offer.
    private func fields(_ page: String) -> [String: String] {
        Dictionary(page.matches(of: /type="?hidden"? name="([^"]+)" value="([^"]*)"/).map { (String($0.1), String($0.2)) }) { first, _ in
            first
        }
    }

    private func starts(_ page: String) -> [String] { page.matches(of: /name="start" value="([^"]+)"/).map { String($0.1) } }

    private func days(_ page: String) -> [String] {
        page.matches(of: /href="([^"]+day=[^"#]+)#times"/).map { String($0.1).replacing("&amp;", with: "&") }
    }

    /// The link of the newest mail to somebody.
    private func link(_ site: Site, to recipient: String) async throws -> String {
        for _ in 0..<200 {
            let mail = try site.received().last { $0.recipient == recipient }
            if let found = mail?.text.firstMatch(of: /\/book\/confirm\/[a-z0-9]+/) {
                return String(found.0)
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return ""
    }

    @Test("a guest goes the whole way without a script: day, time, form, mail, press; and is told in words what is missing")
    func guest() async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        let list = try await site.browse("/book").page
        #expect(list.contains("/book/visit") && !list.contains("/book/quick") && !list.contains("/book/hidden"))
        #expect(try await site.browse("/book/hidden").status == 404)
        let first = try await site.browse("/book/visit?timeZone=Europe/Berlin&language=de")
        var month = first.page
        if days(month).isEmpty {
            month = try await site.browse(
                month.firstMatch(of: /href="([^"]+day=[^"#]+)"/).map { String($0.1).replacing("&amp;", with: "&") } ?? ""
            ).page
        }
        let day = try await site.browse(try #require(days(month).last)).page
        #expect(day.contains("Uhrzeit wählen") && day.contains("Mitteleuropäische"))
        let start = try #require(starts(day).first)
        let held = try await site.browse("/book/visit", form: fields(day).merging(["start": start]) { $1 })
        #expect(held.status == 303)
        let location = held.location
        // Somebody else does not see the form, nor gets the time.
        #expect(try await site.browse(location).status == 303)
        let other = try await site.browse("/book/visit", form: ["step": "time", "start": start, "language": "de", "name": "Eve"])
        #expect(
            other.status == 409 && other.page.contains("value=\"Eve\"") && !starts(other.page).contains(start)
                && !starts(other.page).isEmpty)
        let form = try await site.browse(location + "&name=Bo", cookies: [held.cookie]).page
        #expect(form.contains("value=\"Bo\"") && form.contains("What is it about?"))
        let wrong = try await site.browse(
            "/book/visit", form: fields(form).merging(["name": "Bo", "email": "bo@", "note": "<b>"]) { $1 }, cookies: [held.cookie])
        #expect(wrong.status == 422 && wrong.page.contains("Das ist keine E-Mail-Adresse.") && wrong.page.contains("Bitte ausfüllen."))
        #expect(wrong.page.contains("&lt;b&gt;") && !wrong.page.contains("<b>"))
        let filled = ["name": "Bo", "email": "guest@example.org", "q-reason": "A cough", "q-news": "yes"]
        let sent = try await site.browse("/book/visit", form: fields(form).merging(filled) { $1 }, cookies: [held.cookie])
        #expect(sent.status == 200 && sent.page.contains("guest@example.org") && sent.page.contains("Postfach"))
        #expect(try await site.call("GET", "/v1/bookings").json["items"]?.array?.isEmpty == true, "nothing is booked before the proof")
        let link = try await link(site, to: "guest@example.org")
        #expect(try await site.browse(link).page.contains("Ja, buchen"))
        #expect(try await site.browse(link, form: [:]).page.contains("Gebucht"))
        #expect(try await site.browse(link, form: [:]).page.contains("Gebucht"), "pressed twice, booked once")
        let bookings = try await site.call("GET", "/v1/bookings").json["items"]?.array ?? []
        #expect(bookings.count == 1 && bookings[0]["start"]?.string == start)
        #expect(bookings[0]["answers"] == ["news": "yes", "reason": "A cough"] && bookings[0]["source"]?.string == "page")
        let id = try #require(bookings[0]["id"]?.string)
        _ = try await site.booking(id, within: .seconds(30), Site.isDone)
        let owners = try site.received().last { $0.recipient == "bo@northwind.example" }?.text ?? ""
        #expect(owners.contains("What is it about? A cough"))
        server.kill()
        await site.close()
    }

    @Test("a page in another site's frame needs no cookie, and may be framed by the sites that the catalogue names alone")
    func embedded() async throws {
        let site = try await Site(
            catalog: Self.catalog.replacing(
                "default-provider: campus }", with: "default-provider: campus, embed-origins: [\"https://northwind.example\"] }"))
        let server = try await site.serve()
        let page = try await site.call("GET", "/book/quick?embed=1&name=Bo").response
        #expect(page.header("content-security-policy")?.contains("frame-ancestors https://northwind.example") == true)
        #expect(
            try await site.call("GET", "/owners/me").response.header("content-security-policy")?.contains("frame-ancestors 'none'") == true)
        #expect(try await site.browse("/embed.js").page.contains("data-usher"))
        let text = String(decoding: try await site.call("GET", "/book/quick.md").response.body, as: UTF8.self)
        let start = try #require(text.firstMatch(of: /- (20[0-9T:+Z-]+)/).map { String($0.1) })
        let form = try await site.browse("/book/quick", form: ["step": "time", "start": start, "embed": "1", "name": "Bo"])
        #expect(form.status == 200 && form.page.contains("value=\"Bo\"") && fields(form.page)["embed"]?.count ?? 0 > 8)
        let done = try await site.browse("/book/quick", form: fields(form.page).merging(["name": "Bo", "email": "bo@example.org"]) { $1 })
        #expect(done.status == 200 && done.page.contains("It is booked"))
        server.kill()
        await site.close()
    }

    @Test("a guest who moves is offered free times, and is told that another cannot be had before anything is asked")
    func moves() async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        let text = String(decoding: try await site.call("GET", "/book/quick.md").response.body, as: UTF8.self)
        let free = text.matches(of: /- (20[0-9T:+Z-]+)/).map { String($0.1) }
        func book(_ index: Int) async throws -> JSON {
            let body =
                #"{"meetingType": "quick", "start": "\#(free[index])", "attendees": [{"email": "bo@example.org", "timeZone": "UTC"}]}"#
            return try await site.call("POST", "/v1/bookings", body: body).json
        }
        let (mine, other) = (try await book(4), try await book(5))
        let manage = mine["managePage"]?.string ?? ""
        let page = try await site.browse(manage).page
        let (taken, own) = (try #require(other["start"]?.string), try #require(mine["start"]?.string))
        #expect(starts(page).count > 5 && !starts(page).contains(taken) && !starts(page).contains(own))
        let refused = try await site.browse(manage + "/reschedule", form: ["start": taken])
        #expect(refused.status == 409 && refused.page.contains("No meeting can begin then.") && !starts(refused.page).isEmpty)
        let typed = try await site.browse(manage + "/reschedule", form: ["start": String(taken.prefix(16))])
        #expect(typed.status == 409)
        let goal = try #require(starts(page).first)
        let asked = try await site.browse(manage + "/reschedule", form: ["start": goal])
        #expect(asked.status == 200 && asked.page.contains("Yes, move it there"))
        #expect(try await site.browse(manage + "/reschedule", form: fields(asked.page)).status == 303)
        let id = try #require(mine["id"]?.string)
        #expect(try await site.call("GET", "/v1/bookings/\(id)").json["start"]?.string == goal)
        server.kill()
        await site.close()
    }

    @Test("an agent that has nothing but the page's Markdown books a free time")
    func agent() async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        let text = String(
            decoding: try await site.call("GET", "/book/visit", headers: [("Accept", "text/markdown")]).response.body, as: UTF8.self)
        #expect(text.hasPrefix("# A visit") && text.contains("`reason` (text, required)"))
        let path = try #require(text.firstMatch(of: /`POST https?:\/\/[^\/]+([^`]+)`/).map { String($0.1) })
        let body = try #require(text.firstMatch(of: /```json\n(.+)\n```/).map { String($0.1) }).replacing(
            "bo@example.org", with: "agent@example.org")
        let asked = try await site.call("POST", path, body: body)
        #expect(asked.status == 202 && asked.json["status"]?.string == "confirm-by-mail")
        #expect(try await site.call("POST", path, body: body).status == 409, "the time is held")
        let link = try await link(site, to: "agent@example.org")
        #expect(try await site.browse(link, form: [:]).status == 200)
        let quick = String(decoding: try await site.call("GET", "/book/quick.md").response.body, as: UTF8.self)
        let another = try #require(quick.firstMatch(of: /```json\n(.+)\n```/).map { String($0.1) })
        let booked = try await site.call("POST", "/book/quick", body: another)
        #expect(booked.status == 201 && booked.json["joinPage"]?.string?.contains("/join/") == true)
        let body2 = another.replacing("bo@example.org", with: "second@example.org")
        let taken = try await site.call("POST", "/book/quick", body: body2)
        #expect(taken.status == 409 && taken.json["nearest"]?.array?.isEmpty == false)
        #expect(taken.json["hosts"] == nil && taken.json["detail"]?.string?.contains("bo:") == false, "the owner's day is the owner's")
        let later = try await site.call("POST", "/book/quick", body: another.replacing("bo@example.org", with: "bo@"))
        #expect(later.status == 409 || later.json["errors"]?.array?.first?["pointer"] == "/email")
        #expect(try await site.call("POST", "/book/none", body: another).json["code"] == "not-found")
        #expect(
            try await site.call("POST", "/book/quick", body: another, headers: [("Content-Type", "text/plain")]).status == 415)
        server.kill()
        await site.close()
    }

    @Test("a form that a program fills in books nothing and counts nowhere; one mail address gets three a day, one visitor five an hour")
    func limits() async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        let text = String(decoding: try await site.call("GET", "/book/quick.md").response.body, as: UTF8.self)
        let free = text.matches(of: /- (20[0-9T:+Z-]+)/).map { String($0.1) }
        #expect(free.count > 10)
        let held = try await site.browse("/book/quick", form: ["step": "time", "start": free[9]])
        let form = try await site.browse(held.location, cookies: [held.cookie]).page
        let trapped = fields(form).merging(["name": "Bot", "email": "bot@example.org", "website": "https://spam.example"]) { $1 }
        for _ in 0..<8 { #expect(try await site.browse("/book/quick", form: trapped, cookies: [held.cookie]).status == 200) }
        func book(_ index: Int, _ mail: String) async throws -> Int {
            try await site.call("POST", "/book/quick", body: #"{"start": "\#(free[index])", "name": "X", "email": "\#(mail)"}"#).status
        }
        #expect(
            try await [book(0, "ab@gmail.com"), book(1, "a.b+1@gmail.com"), book(2, "AB@gmail.com"), book(3, "a.b@gmail.com")] == [
                201, 201, 201, 429,
            ])
        #expect(try await [book(3, "b@example.org"), book(4, "c@example.org"), book(5, "d@example.org")] == [201, 201, 429])
        #expect(try await site.call("GET", "/v1/bookings").json["items"]?.array?.count == 5)
        server.kill()
        await site.close()
    }

    @Test("a time that is held is booked as what it was held for, under that page's rules, and is the guest's whom the newest mail went to")
    func rules() async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        let text = String(decoding: try await site.call("GET", "/book/visit.md").response.body, as: UTF8.self)
        let free = text.matches(of: /- (20[0-9T:+Z-]+)/).map { String($0.1) }
        let held = try await site.browse("/book/visit", form: ["step": "time", "start": free[3]])
        let form = fields(try await site.browse(held.location, cookies: [held.cookie]).page)
        func send(_ path: String, _ mail: String) async throws -> (status: Int, page: String) {
            let filled = form.merging(["name": "Bo", "email": mail, "q-reason": "A cough"]) { $1 }
            let answer = try await site.browse(path, form: filled, cookies: [held.cookie])
            return (answer.status, answer.page)
        }
        // Another page asks for no proof.
        #expect(try await send("/book/quick", "eve@example.org").status == 409)
        #expect(try await send("/book/visit", "typo@example.org").status == 200)
        let old = try await link(site, to: "typo@example.org")
        #expect(!old.isEmpty)
        for _ in 0..<3 { #expect(try await send("/book/visit", "guest@example.org").status == 200) }
        let link = try await link(site, to: "guest@example.org")
        #expect(try site.received().count { $0.recipient == "guest@example.org" } == 1, "sent thrice, mailed once")
        #expect(try await site.browse(old, form: [:]).status == 404)
        // Another time is chosen: the one that waits stays.
        #expect(try await site.browse("/book/visit", form: ["step": "time", "start": free[5]], cookies: [held.cookie]).status == 303)
        #expect(try await site.browse(link, form: [:]).status == 200)
        #expect(try await site.call("GET", "/v1/bookings").json["items"]?.array?.count == 1)
        server.kill()
        await site.close()
    }

    @Test("a visitor who chooses again gives the time before free, keeps it where the new one is taken, and holds three at most")
    func choosesAgain() async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        let text = String(decoding: try await site.call("GET", "/book/quick.md").response.body, as: UTF8.self)
        let free = text.matches(of: /- (20[0-9T:+Z-]+)/).map { String($0.1) }
        func choose(_ index: Int, _ cookies: [String] = []) async throws -> (status: Int, cookie: String, location: String) {
            let answer = try await site.browse("/book/quick", form: ["step": "time", "start": free[index]], cookies: cookies)
            return (answer.status, answer.cookie, answer.location)
        }
        let first = try await choose(0)
        let second = try await choose(1)
        #expect(first.status == 303 && second.status == 303)
        #expect(try await choose(1, [first.cookie]).status == 409)
        #expect(try await site.browse(first.location, cookies: [first.cookie]).status == 200, "the time before is still held")
        #expect(try await choose(2, [first.cookie]).status == 303)
        #expect(try await choose(0).status == 303, "the time before is free again")
        #expect(try await choose(3).status == 429)
        let id = try #require(first.cookie.firstMatch(of: /=([a-z0-9]+)-/).map { String($0.1) })
        #expect(
            try await site.browse(choose(2, [first.cookie]).location, cookies: ["usher_visitor=\(id)-\(id)"]).status == 303,
            "a mark that is not ours is nobody's")
        let audit = try await site.call("GET", "/v1/audit?limit=100").json["items"]?.array ?? []
        #expect(audit.count { $0["action"] == "hold.create" } == 5 && audit.count { $0["action"] == "hold.release" } == 2)
        #expect(audit.allSatisfy { !$0.serialized.contains(id) }, "a visitor's id is shown to nobody")
        server.kill()
        await site.close()
    }

    @Test("a zone of two words is the visitor's, as a browser's form writes it")
    func zones() async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        for written in ["America%2FNew+York", "America/New_York", "America%2FNew%20York"] {
            let page = try await site.call("GET", "/book/quick?timeZone=\(written)&name=Bo+Li").response
            let text = String(decoding: page.body, as: UTF8.self)
            #expect(text.contains("<option selected>America/New York") && text.contains("name=Bo%20Li"), "\(written)")
        }
        server.kill()
        await site.close()
    }
}
