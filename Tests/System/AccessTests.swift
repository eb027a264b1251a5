import Foundation
import Testing
import UsherCore

/// Who may do what, and what becomes of those who may not.
@Suite(.timeLimit(.minutes(5)))
struct AccessTests {
    private func served(environment: [String: String] = [:], _ body: (Site, Command) async throws -> Void) async throws {
        let site = try await Site()
        let server = try await site.serve(environment: environment)
        try await body(site, server)
        server.kill()
        await site.close()
    }

    private func key(_ site: Site, _ scopes: String...) async throws -> String {
        let made = try await Command(
            Command.usher, ["key", "create", "--json", "--name", "x"] + scopes.flatMap { ["--scope", $0] }, environment: site.environment,
            folder: site.folder
        ).finish()
        return try JSON(parsing: made.output)["key"]?.string ?? ""
    }

    private func signIn(_ site: Site, _ owner: String) async throws -> String {
        let link = try await site.call("POST", "/v1/owners/\(owner)/portal-links").json["url"]?.string ?? ""
        return try await site.browse(link, form: [:]).cookie
    }

    // MARK: Keys

    @Test("the manage page shows itself to keys that may write, in the API and to agents, and to webhooks that were made for it")
    func managePage() async throws {
        try await served { site, _ in
            let booked = try await site.book("open", at: "2027-03-01T10:00:00Z").json
            let id = booked["id"]?.string ?? ""
            #expect(booked["managePage"]?.string?.contains("/manage/") == true)
            let (reader, writer) = (try await key(site, "bookings:read"), try await key(site, "bookings:read", "bookings:write"))
            for (key, shows) in [(reader, false), (writer, true)] {
                for path in ["/v1/bookings/\(id)", "/v1/bookings"] {
                    let text = String(decoding: try await site.call("GET", path, key: key).response.body, as: UTF8.self)
                    #expect(text.contains("/manage/") == shows && text.contains("/join/"), "\(path)")
                }
                let call =
                    #"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_booking", "arguments": {"id": "\#(id)"}}}"#
                let said = try await site.call("POST", "/mcp", body: call, key: key)
                #expect(String(decoding: said.response.body, as: UTF8.self).contains("/manage/") == shows)
            }
        }
    }

    @Test("a new key reads and writes bookings for 90 days where nothing else is said, and forever only where that is written")
    func narrowKeys() async throws {
        let site = try await Site()
        let plain = try JSON(parsing: try await site.usher("key", "create", "--json", "--name", "x").finish().output)
        #expect(plain["scopes"] == ["bookings:read", "bookings:write"])
        let day = (Environment.system.now() + .days(90)).rfc3339.prefix(10)
        #expect(plain["expiresAt"]?.string?.hasPrefix(day) == true)
        let lasting = try JSON(
            parsing: try await site.usher("key", "create", "--json", "--name", "x", "--expires", "never").finish().output)
        #expect(lasting["expiresAt"] == .null)
        await site.close()
    }

    @Test("an owner that is there, is not, or was removed answers each route by its scope first, then by what is there")
    func ownersTable() async throws {
        try await served { site, _ in
            _ = try await site.call("PUT", "/v1/owners/eve", body: #"{"name": "Eve Moss", "email": "eve@northwind.example"}"#)
            #expect(try await site.call("DELETE", "/v1/owners/eve").status == 204)
            let routes: [(method: String, path: String, scope: String, body: String?, there: Int)] = [
                ("GET", "", "owners:read", nil, 200), ("GET", "/connections", "owners:read", nil, 200),
                ("GET", "/apps", "owners:read", nil, 200),
                ("PUT", "/default-provider", "owners:write", #"{"provider": "room"}"#, 200),
                ("POST", "/connections/zoom/authorize", "owners:write", nil, 201),
                ("POST", "/portal-links", "owners:impersonate", nil, 201),
            ]
            for scope in ["bookings:read", "bookings:write", "owners:read", "owners:write", "owners:impersonate"] {
                let key = try await key(site, scope)
                for route in routes {
                    for (owner, standing) in [("ana", route.there), ("nobody", 404), ("eve", 404)] {
                        let answer = try await site.call(route.method, "/v1/owners/\(owner)\(route.path)", body: route.body, key: key)
                        let expected = scope == route.scope ? standing : 403
                        #expect(answer.status == expected, "\(route.method) \(owner)\(route.path) with \(scope)")
                    }
                }
            }
            let booking =
                #"{"meetingType": "open", "owner": "eve", "start": "2027-03-01T10:00:00Z", "attendees": [{"email": "bo@example.org"}]}"#
            #expect(try await site.call("POST", "/v1/bookings", body: booking).status == 422)
            #expect(try await site.call("GET", "/v1/resolve?meetingType=open&owner=eve").json["usable"] != true)
            let call =
                #"{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "explain_provider", "arguments": {"meetingType": "open", "owner": "eve"}}}"#
            let said = try await site.call("POST", "/mcp", body: call).json["result"]
            #expect(said?["isError"] == true || said?["structuredContent"]?["usable"] == false)
        }
    }

    @Test("wrong keys by the thousand are slowed and counted: few lines, one row in the audit; a key that was good still is")
    func wrongKeys() async throws {
        try await served { site, server in
            let count = isSoak ? 10_000 : 2_000
            let good = try await key(site, "bookings:read")
            for key in [good] { #expect(try await site.call("GET", "/v1/meeting-types", key: key).status == 200) }
            let statuses = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var statuses: [Int] = []
                        for _ in 0..<(count / 8) {
                            statuses.append(try await site.call("GET", "/v1/meeting-types", key: "usher_wrong").status)
                        }
                        return statuses
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let refused = statuses.count { $0 == 401 }
            #expect(statuses.count == count && (100..<400).contains(refused))
            #expect(statuses.count { $0 == 429 || $0 == 503 } == count - refused)
            #expect(try await site.call("GET", "/v1/meeting-types", key: good).status == 200)
            let lines = server.errorText.split(separator: "\n").count { $0.contains("wrong API keys") }
            #expect((1..<20).contains(lines))
            let rows = try await site.call("GET", "/v1/audit?limit=100").json["items"]?.array?.filter { $0["action"] == "key.use" } ?? []
            #expect((1...2).contains(rows.count))
            #expect(rows.allSatisfy { $0["address"] == "127.0.0.1" && $0["outcome"] == "auth.invalid" && ($0["count"]?.int ?? 0) >= 50 })
        }
    }

    // MARK: Pages

    @Test("a form that another site posts is refused, sign-in included; the browser's own and a program's pass")
    func foreignForms() async throws {
        try await served { site, _ in
            let link = try await site.call("POST", "/v1/owners/ana/portal-links").json["url"]?.string ?? ""
            for headers in [
                ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.example"), ("Origin", "null"),
            ] {
                #expect(try await site.browse(link, form: [:], headers: [headers]).status == 403, "\(headers)")
                #expect(try await site.browse("/admin", form: ["key": site.key], headers: [headers]).status == 403, "\(headers)")
            }
            let own = [("Sec-Fetch-Site", "same-origin"), ("Origin", "null")]
            #expect(try await site.browse("/admin", form: ["key": site.key], headers: own).status == 303)
            #expect(try await site.browse(link, form: [:], headers: [("Origin", "https://usher.example")]).status == 303)
        }
    }

    @Test("every answer says how it is to be kept, and cookies can be set by no other host")
    func headers() async throws {
        try await served { site, _ in
            for path in ["/v1/meeting-types", "/health/live", "/admin", "/v1/nothing", "/openapi.json"] {
                let answer = try await site.call("GET", path).response
                #expect(answer.header("X-Content-Type-Options") == "nosniff" && answer.header("Cache-Control") == "no-store", "\(path)")
                #expect(answer.header("Strict-Transport-Security") == "max-age=31536000", "\(path)")
            }
            #expect(try await signIn(site, "ana").hasPrefix("__Host-usher_owner="))
        }
    }

    @Test("who is signed in at several places signs out of all of them with one press")
    func signOutEverywhere() async throws {
        try await served { site, _ in
            let sessions = [try await signIn(site, "ana"), try await signIn(site, "ana")]
            let page = try await site.browse("/owners/me", cookies: [sessions[0]]).page
            let key = page.firstMatch(of: /name="key" value="([^"]+)"/).map { String($0.1) } ?? ""
            #expect(try await site.browse("/owners/me/signout-everywhere", form: ["key": key], cookies: [sessions[0]]).status == 303)
            for session in sessions { #expect(try await site.browse("/owners/me", cookies: [session]).status == 401) }
            let admins = [
                try await site.browse("/admin", form: ["key": site.key]).cookie,
                try await site.browse("/admin", form: ["key": site.key]).cookie,
            ]
            let admin = try await site.browse("/admin", cookies: [admins[0]]).page
            let form = ["key": admin.firstMatch(of: /name="key" value="([^"]+)"/).map { String($0.1) } ?? ""]
            #expect(try await site.browse("/admin/signout-everywhere", form: form, cookies: [admins[0]]).status == 303)
            for session in admins { #expect(try await site.browse("/admin", cookies: [session]).status == 401) }
        }
    }

    @Test("an owner who is removed and made again begins with nothing: the old cookie and link are dead, and nothing is connected")
    func removedOwner() async throws {
        try await served { site, _ in
            let eve = #"{"name": "Eve Moss", "email": "eve@northwind.example"}"#
            _ = try await site.call("PUT", "/v1/owners/eve", body: eve)
            _ = try await site.call("PUT", "/v1/owners/eve/default-provider", body: #"{"provider": "room"}"#)
            let session = try await signIn(site, "eve")
            let link = try await site.call("POST", "/v1/owners/eve/portal-links").json["url"]?.string ?? ""
            #expect(try await site.browse("/owners/me", cookies: [session]).status == 200)
            #expect(try await site.call("DELETE", "/v1/owners/eve").status == 204)
            #expect(try await site.browse("/owners/me", cookies: [session]).status == 401)
            #expect(try await site.call("PUT", "/v1/owners/eve", body: eve).json["defaultProvider"] == .null)
            #expect(try await site.browse("/owners/me", cookies: [session]).status == 401)
            #expect(try await site.browse(link, form: [:]).status == 410)
            let refusals = try await site.call("GET", "/v1/audit?limit=100").json["items"]?.array?.filter { $0["outcome"] == "link.dead" }
            #expect(refusals?.first?["action"] == "owner.sign-in" && refusals?.first?["address"] == "127.0.0.1")
            #expect(try await site.call("GET", "/v1/owners/eve/connections").json["items"]?.array?.isEmpty == true)
        }
    }

    @Test("whoever asks for sign-in links again and again is told to wait, and others are not")
    func manySignInLinks() async throws {
        try await served(environment: ["USHER_TRUSTED_PROXIES": "127.0.0.0/8"]) { site, _ in
            func ask(from address: String) async throws -> Int {
                try await site.browse("/owners/signin", form: ["email": "ana@northwind.example"], headers: [("X-Forwarded-For", address)])
                    .status
            }
            var answers: [Int] = []
            for _ in 0..<12 { answers.append(try await ask(from: "203.0.113.7")) }
            #expect(answers.prefix(10).allSatisfy { $0 == 200 } && answers.last == 429)
            #expect(try await ask(from: "203.0.113.8") == 200)
        }
    }

    // MARK: What is written down

    @Test("the audit and the timeline tell who did what, from where")
    func audit() async throws {
        try await served(environment: ["USHER_TRUSTED_PROXIES": "127.0.0.0/8"]) { site, _ in
            let crm = try await key(site, "bookings:read", "bookings:write")
            let body =
                #"{"meetingType": "open", "owner": "ana", "start": "2027-03-01T10:00:00Z", "attendees": [{"email": "bo@example.org"}]}"#
            let booked = try await site.call(
                "POST", "/v1/bookings", body: body,
                headers: [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9:4711, 127.0.0.1")], key: crm)
            let id = booked.json["id"]?.string ?? ""
            let manage = booked.json["managePage"]?.string ?? ""
            #expect(try await site.browse(manage + "/cancel", form: ["sure": "yes"]).status == 303)
            let entries = try await site.call("GET", "/v1/audit?limit=100").json["items"]?.array ?? []
            let made = entries.first { $0["action"] == "booking.create" && $0["subject"]?.string == id }
            #expect(
                made?["actor"]?.string?.hasPrefix("key:key_") == true && made?["address"] == "203.0.113.9" && made?["outcome"] == "done")
            #expect(entries.contains { $0["action"] == "booking.cancel" && $0["actor"] == "guest:0" })
            #expect(entries.contains { $0["action"] == "key.create" && $0["actor"] == "cli" })
            let timeline = try await site.call("GET", "/v1/bookings/\(id)/timeline").json["items"]?.array ?? []
            #expect(timeline.first { $0["event"] == "booking.confirmed" }?["actor"] == made?["actor"])
            #expect(timeline.first { $0["event"] == "booking.cancelled" }?["actor"] == "guest:0")
            #expect(timeline.allSatisfy { $0["actor"]?.string?.isEmpty == false })
            let signedIn = try await site.browse("/admin", form: ["key": site.key]).cookie
            let page = try await site.browse("/admin/audit", cookies: [signedIn]).page
            #expect(page.contains("booking.create") && page.contains("203.0.113.9") && page.contains("admin.sign-in"))
            #expect(try await site.call("GET", "/v1/audit", key: crm).status == 403)
            let after = try await site.call("GET", "/v1/audit?limit=100").json["items"]?.array ?? []
            #expect(
                after.contains { $0["action"] == "GET /v1/audit" && $0["actor"] == made?["actor"] && $0["outcome"] == "auth.forbidden" })
        }
    }

    @Test("metrics need no key on this machine alone: not behind a proxy, and not where the site has a public address")
    func metrics() async throws {
        try await served(environment: ["USHER_PUBLIC_URL": "http://localhost:8080"]) { site, _ async throws -> Void in
            #expect(try await site.browse("/metrics").status == 200)
            #expect(try await site.browse("/metrics", headers: [("X-Forwarded-For", "203.0.113.9")]).status == 401)
            #expect(try await site.browse("/metrics", headers: [("Host", "elsewhere.example")]).status == 401)
        }
        try await served { site, _ async throws -> Void in
            #expect(try await site.browse("/metrics").status == 401)
            #expect(try await site.call("GET", "/metrics").status == 200)
        }
    }

    // MARK: Guests

    @Test("a guest moves a booking three times an hour; then the page refers to the owner, and cancelling stays open")
    func guestMoves() async throws {
        try await served { site, _ in
            let path = try await site.book("open", at: "2027-03-01T10:00:00Z").json["managePage"]?.string ?? ""
            for day in 2...4 {
                let form = ["start": "2027-03-0\(day)T10:00:00Z", "sure": "yes"]
                #expect(try await site.browse(path + "/reschedule", form: form).status == 303)
            }
            let refused = try await site.browse(path + "/reschedule", form: ["start": "2027-03-05T10:00:00Z", "sure": "yes"])
            #expect(refused.status == 403 && refused.page.contains("Please contact Ana Ruiz."))
            // Neither the page nor its question offers what would be refused.
            let page = try await site.browse(path).page
            #expect(page.contains("Please contact Ana Ruiz.") && !page.contains("/reschedule") && page.contains("/cancel"))
            let asked = try await site.browse(path + "/reschedule", form: ["start": "2027-03-05T10:00"])
            #expect(asked.page.contains("Please contact Ana Ruiz.") && !asked.page.contains("sure"))
            let entries = try await site.call("GET", "/v1/audit?limit=100").json["items"]?.array ?? []
            #expect(
                entries.contains {
                    $0["action"] == "booking.reschedule" && $0["actor"] == "guest:0" && $0["outcome"] == "auth.forbidden"
                        && $0["count"] == 2
                })
            #expect(try await site.browse(path + "/cancel", form: ["sure": "yes"]).status == 303)
        }
    }

    // MARK: Connections

    @Test("a thousand silent callers of one address keep nobody out: health answers within 100 ms")
    func silentCallers() async throws {
        try await served { site, _ in
            let crowd = try Command("/usr/bin/python3", [Command.script("silent_callers.py"), "\(site.port)", "1000"])
            #expect(await crowd.line { $0.contains("here") } != nil)
            var delays: [Duration] = []
            for _ in 0..<9 {
                let began = ContinuousClock.now
                #expect(try await site.browse("/health/live").status == 200)
                delays.append(ContinuousClock.now - began)
            }
            #expect(delays.sorted()[4] < .milliseconds(100), "\(delays)")
            #expect(try await site.book("open", at: "2027-03-01T10:00:00Z").status == 201)
            crowd.kill()
        }
    }
}
