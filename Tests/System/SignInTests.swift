import Foundation
import TestSupport
import Testing
import UsherAssembly
import UsherCore

/// People who sign in at an OpenID provider: a server of its own, and a browser's steps between it and `usher`.
@Suite(.timeLimit(.minutes(3)))
struct SignInTests {
    /// The OpenID provider.
    private struct Issuer {
        let server: Command
        let url: String
        private static let transport = HTTPTransport(now: Environment.system.now)

        init() async throws {
            server = try Command(Command.python(4), [Command.script("oidc_server.py")])
            url = "http://localhost:" + (try #require(await server.line(), "\(server.errorText)"))
        }

        func environment(roles: String = "admin=bosses,ada@northwind.example; operator=support; viewer=staff") -> [String: String] {
            [
                "USHER_OIDC_ISSUER": url, "USHER_OIDC_CLIENT_ID": "usher", "USHER_OIDC_CLIENT_SECRET": "secret & more",
                "USHER_OIDC_ROLES": roles,
            ]
        }

        @discardableResult
        func call(_ method: String, _ path: String, _ body: JSON = .null, form: String? = nil) async throws -> HTTPResponse {
            let type = form == nil ? "application/json" : "application/x-www-form-urlencoded"
            return try await Self.transport.send(
                HTTPRequest(
                    method, path.hasPrefix("http") ? path : url + path, headers: [("Content-Type", type)],
                    body: form.map { Array($0.utf8) } ?? body.bytes, deadline: Environment.system.now() + .seconds(30)))
        }

        func person(_ sub: String, mail: String = "ada@northwind.example", isVerified: Bool = true, groups: [String] = []) async throws {
            let claims: JSON = [
                "email": .string(mail), "email_verified": .bool(isVerified), "name": "Ada", "groups": .array(groups.map(JSON.string)),
            ]
            #expect(try await call("PUT", "/users/\(sub)", claims).status == 204)
        }

        func control(_ settings: JSON) async throws { #expect(try await call("POST", "/control", settings).status == 200) }

        func asked(_ path: String) async throws -> Int64 { try JSON(parsing: await call("GET", "/log").body)[path]?.int ?? 0 }

        /// A browser's way until it is back with a code.
        func authorize(_ site: Site, _ sub: String, to path: String) async throws -> (callback: String, journey: String) {
            let begun = try await site.browse("/auth/oidc/start?to=\(path)")
            #expect(begun.status == 303 && begun.location.hasPrefix(url + "/oauth2/authorize?"))
            let back = try await call("POST", begun.location, form: "sub=\(sub)")
            return (back.header("location") ?? "", begun.cookie)
        }

        func signIn(
            _ site: Site, _ sub: String, to path: String = "/admin"
        ) async throws -> (status: Int, page: String, location: String, cookie: String) {
            let (callback, journey) = try await authorize(site, sub, to: path)
            return try await site.browse(callback, cookies: [journey])
        }
    }

    private func key(_ page: String) -> String { page.firstMatch(of: /name="key" value="([^"]+)"/).map { String($0.1) } ?? "" }

    @Test("groups say who may look, who may press and who may let a held installation go, and the audit says who it was")
    func roles() async throws {
        let (site, issuer) = (try await Site(), try await Issuer())
        let server = try await site.serve(environment: issuer.environment())
        let id = try await site.book("mine", at: "2027-03-01T10:00:00Z").json["id"]?.string ?? ""
        #expect(try await site.browse("/admin").page.contains("/auth/oidc/start?to=%2Fadmin"))

        try await issuer.person("vi", mail: "vi@northwind.example", groups: ["staff", "others"])
        let viewer = try await issuer.signIn(site, "vi")
        #expect(viewer.status == 303 && viewer.location == "/admin" && viewer.cookie.hasPrefix("__Host-usher_admin="))
        let seen = try await site.browse("/admin/bookings/\(id)", cookies: [viewer.cookie]).page
        #expect(seen.contains(">vi@northwind.example, viewer<") && !seen.contains("/admin/retry"))
        let press = ["booking": id, "key": key(seen)]
        #expect(try await site.browse("/admin/retry", form: press, cookies: [viewer.cookie]).status == 403)
        #expect(try await site.browse("/admin/cancel", form: press, cookies: [viewer.cookie]).status == 403)
        #expect(try await site.call("GET", "/v1/bookings/\(id)").json["status"] == "confirmed")

        try await issuer.person("op", mail: "op@northwind.example", isVerified: false, groups: ["support", "staff"])
        let helper = try await issuer.signIn(site, "op", to: "/admin/bookings/\(id)")
        #expect(helper.location == "/admin/bookings/\(id)")
        let page = try await site.browse(helper.location, cookies: [helper.cookie]).page
        #expect(page.contains(">sub:op, operator<") && page.contains("/admin/retry"))
        #expect(try await site.browse("/admin/retry", form: ["booking": id, "key": key(page)], cookies: [helper.cookie]).status == 303)
        #expect(try await site.browse("/admin/release", form: ["as": "copy", "key": key(page)], cookies: [helper.cookie]).status == 403)

        #expect(try await site.usher("hold").finish().code == 0)
        try await issuer.person("ada")
        let boss = try await issuer.signIn(site, "ada")
        let held = try await site.browse("/admin/release", cookies: [boss.cookie]).page
        #expect(held.contains("Let it go on"))
        let go = ["mail": "send", "key": key(held)]
        #expect(try await site.browse("/admin/release", form: go, cookies: [boss.cookie]).status == 303)

        let audit = try await site.call("GET", "/v1/audit?limit=200").json["items"]?.array ?? []
        func done(_ action: String) -> [String] {
            audit.filter { $0["action"]?.string == action }.map {
                "\($0["actor"]?.string ?? "") \($0["subject"]?.string ?? "") \($0["outcome"]?.string ?? "")"
            }
        }
        #expect(
            Set(done("admin.sign-in")) == [
                "admin:vi@northwind.example viewer done", "admin:sub:op operator done", "admin:ada@northwind.example admin done",
            ])
        #expect(done("admin.press").contains("admin:vi@northwind.example  auth.forbidden"))
        #expect(done("booking.retry") == ["admin:sub:op \(id) done"])
        let everywhere = ["key": key(try await site.browse("/admin", cookies: [viewer.cookie]).page)]
        let again = try await issuer.signIn(site, "vi")
        #expect(try await site.browse("/admin/signout-everywhere", form: everywhere, cookies: [viewer.cookie]).status == 303)
        #expect(try await site.browse("/admin", cookies: [again.cookie]).status == 401)
        let back = try await issuer.signIn(site, "vi")
        let erased = try await site.usher("person", "erase", "vi@northwind.example", "--yes").finish()
        #expect(erased.code == 0, "\(erased.errors)")
        #expect(try await !site.call("GET", "/v1/audit?limit=200").json.serialized.contains("vi@northwind"))
        #expect(try await site.browse("/admin", cookies: [back.cookie]).status == 401)
        let left = try await site.call("GET", "/v1/audit?limit=200").json["items"]?.array?.filter { $0["actor"] == "admin:erased" } ?? []
        #expect(left.count > 2 && left.allSatisfy { $0["address"] == "" })
        server.kill()
        issuer.server.kill()
        await site.close()
    }

    @Test("what cannot be believed signs nobody in, and says why")
    func forgeries() async throws {
        let (site, issuer) = (try await Site(), try await Issuer())
        let server = try await site.serve(environment: issuer.environment())
        try await issuer.person("ada")
        let now = Environment.system.now().seconds
        let wrong: [(JSON, words: String)] = [
            (["claims": ["aud": "another"]], "another application"), (["claims": ["aud": ["usher", "another"]]], "another application"),
            (["claims": ["azp": "another"]], "another application"), (["claims": ["iss": "https://evil.example"]], "another issuer"),
            (["claims": ["exp": .int(now - 120)]], "expired"), (["claims": ["exp": nil]], "expired"),
            (["claims": ["sub": "a\nb"]], "of whom"),
            (["claims": ["iat": .int(now + 300)]], "from the future"), (["claims": ["nonce": "another"]], "another sign-in"),
            (["claims": ["nonce": nil]], "another sign-in"), (["claims": ["sub": ""]], "of whom"),
            (["claims": ["sub": "bo"]], "another person"), (["key": "foreign"], "a key that is not"), (["key": "forged"], "its signature"),
            (["key": "none"], "its signature"), (["info": ["sub": "bo"]], "another person"),
        ]
        for (settings, words) in wrong {
            try await issuer.control(settings)
            let refused = try await issuer.signIn(site, "ada")
            #expect(
                refused.status == 400 && refused.page.contains(words) && !refused.cookie.contains("usher_admin"), "\(settings): \(refused)")
            try await issuer.control(["claims": .object([]), "key": "own", "info": .object([])])
        }
        #expect(try await issuer.signIn(site, "ada").status == 303)

        // Another browser's code, an answer that was used, one that nobody asked for, one that says no.
        let (callback, journey) = try await issuer.authorize(site, "ada", to: "/admin")
        let (_, other) = try await issuer.authorize(site, "ada", to: "/admin")
        let state = callback.firstMatch(of: /state=([a-z0-9]+)/).map { String($0.1) } ?? ""
        #expect(journey.hasPrefix("__Host-usher_sign_in_\(state.prefix(8))="))
        for cookies in [[], [other], ["__Host-usher_sign_in_\(state.prefix(8))=v1.x.y"]] {
            #expect(try await site.browse(callback, cookies: cookies).page.contains("begun in another browser"))
        }
        #expect(try await site.browse(callback, cookies: [journey]).status == 303)
        #expect(try await site.browse(callback, cookies: [journey]).status == 400)
        let declined = try await site.browse(
            callback.replacing(/code=[^&]*/, with: "error=access_denied&error_description=%3Cb%3Eno"), cookies: [journey])
        #expect(declined.status == 400 && declined.page.contains("access_denied: &lt;b&gt;no"))
        let elsewhere = try await site.browse(callback + "&iss=https%3A%2F%2Fevil.example", cookies: [journey])
        #expect(elsewhere.page.contains("another service answered"))
        // Somebody whose page opens: where they come out is what counts.
        try await issuer.person("ana", mail: "ana@northwind.example")
        for path in ["https://evil.example", "//evil.example", "/v1/bookings", "/administrator", "/admin/%0D%0ASet-Cookie:x=y"] {
            #expect(try await issuer.signIn(site, "ana", to: path).location == "/owners/me", "\(path)")
        }
        #expect(!site.saidByServer.contains("secret & more"))
        server.kill()
        issuer.server.kill()
        await site.close()
    }

    @Test("new keys are read, the client's secret goes as the provider wants it, and a provider that is away is told")
    func keys() async throws {
        let (site, issuer) = (try await Site(), try await Issuer())
        let server = try await site.serve(environment: issuer.environment())
        try await issuer.person("ada")
        for _ in 0..<2 { #expect(try await issuer.signIn(site, "ada").status == 303) }
        // Two tabs on their way at once.
        let (one, two) = (try await issuer.authorize(site, "ada", to: "/admin"), try await issuer.authorize(site, "ada", to: "/admin/mail"))
        #expect(try await site.browse(one.callback, cookies: [one.journey, two.journey]).location == "/admin")
        #expect(try await site.browse(two.callback, cookies: [one.journey, two.journey]).location == "/admin/mail")
        // A token for ever, and an address that user info alone calls verified.
        try await issuer.control(["claims": ["exp": .int(.max), "email_verified": nil]])
        let forever = try await issuer.signIn(site, "ada")
        #expect(try await site.browse("/admin", cookies: [forever.cookie]).page.contains(">ada@northwind.example, admin<"))
        try await issuer.control(["claims": .object([])])
        #expect(try await site.usher("vault", "rotate").finish().code == 0)
        #expect(try await site.browse("/admin", cookies: [forever.cookie]).status == 200)
        #expect(try await issuer.asked("/jwks") == 1)
        #expect(try await issuer.asked("/.well-known/openid-configuration") == 1)
        try await issuer.control(["key": "new"])
        #expect(try await issuer.signIn(site, "ada").status == 303)
        #expect(try await issuer.asked("/jwks") == 2)

        let fine = try await site.usher("doctor", environment: issuer.environment()).finish()
        #expect(fine.output.contains("https://usher.example/auth/oidc/callback"), "\(fine.output)")
        let slashed = issuer.environment().merging(["USHER_OIDC_ISSUER": issuer.url + "/"]) { $1 }
        #expect(try await site.usher("doctor", environment: slashed).finish().output.contains("it calls itself \(issuer.url)"))
        let (callback, journey) = try await issuer.authorize(site, "ada", to: "/admin")
        issuer.server.kill()
        let away = try await site.browse(callback, cookies: [journey])
        #expect(away.status == 503 && away.page.contains("cannot be used just now") && away.page.contains(#"name="key""#))
        #expect(await server.line(errorStream: true) { $0.contains("nobody was signed in") && $0.contains("does not answer") } != nil)
        server.kill()
        await site.close()

        let (another, strict) = (try await Site(), try await Issuer())
        try await strict.control(["basic": false])
        try await strict.person("ada")
        let second = try await another.serve(environment: strict.environment())
        #expect(try await strict.signIn(another, "ada").status == 303)
        second.kill()
        strict.server.kill()
        await another.close()
    }

    @Test("who leaves a group loses its role within the hour, and at once where the configuration takes it away")
    func groupsChange() async throws {
        let (site, issuer) = (try await Site(), try await Issuer())
        var server = try await site.serve(environment: issuer.environment())
        try await issuer.person("ada", mail: "someone@northwind.example", groups: ["bosses"])
        let cookie = try await issuer.signIn(site, "ada").cookie
        #expect(try await site.browse("/admin", cookies: [cookie]).page.contains(", admin<"))
        let form = ["key": key(try await site.browse("/admin", cookies: [cookie]).page)]
        try await issuer.person("ada", mail: "someone@northwind.example", groups: ["staff"])
        server.kill()
        server = try await site.serve(environment: issuer.environment().merging(Command.clock(shiftedBy: 3_660)) { $1 })
        let asked = try await site.browse("/admin/mail", cookies: [cookie])
        #expect(asked.status == 303 && asked.location == "/auth/oidc/start?to=%2Fadmin%2Fmail")
        #expect(try await site.browse("/admin/retry-all", form: form, cookies: [cookie]).status == 401)
        server.kill()
        server = try await site.serve(environment: issuer.environment())
        let again = try await issuer.signIn(site, "ada", to: "/admin/mail")
        #expect(try await site.browse("/admin", cookies: [again.cookie]).page.contains(", viewer<"))
        server.kill()
        server = try await site.serve(environment: issuer.environment(roles: "admin=ada@northwind.example"))
        #expect(try await site.browse("/admin", cookies: [again.cookie]).status == 401)
        let stranger = try await issuer.signIn(site, "ada")
        #expect(stranger.status == 403 && stranger.page.contains("someone@northwind.example"))
        // A group that is spelt as an address is no address.
        try await issuer.person("eve", mail: "eve@northwind.example", groups: ["ada@northwind.example"])
        #expect(try await issuer.signIn(site, "eve").status == 403)
        server.kill()
        issuer.server.kill()
        await site.close()
    }

    @Test("an owner signs in by the address that the provider has verified, and by no other")
    func owners() async throws {
        let (site, issuer) = (try await Site(), try await Issuer())
        let server = try await site.serve(environment: issuer.environment())
        #expect(try await site.browse("/owners/me").page.contains("/auth/oidc/start?to=%2Fowners%2Fme"))
        try await issuer.person("ana", mail: "Ana@Northwind.example")
        let ana = try await issuer.signIn(site, "ana", to: "/owners/me")
        #expect(ana.location == "/owners/me")
        #expect(try await site.browse("/owners/me", cookies: [ana.cookie]).page.contains("Ana Ruiz"))
        #expect(try await site.browse("/admin", cookies: [ana.cookie]).status == 401)
        try await issuer.person("ana", mail: "ana@northwind.example", isVerified: false)
        #expect(try await issuer.signIn(site, "ana", to: "/owners/me").page.contains("does not say that your mail address is yours"))
        try await issuer.person("bo", mail: "bo@northwind.example")
        let stranger = try await issuer.signIn(site, "bo", to: "/owners/me")
        #expect(stranger.status == 403 && stranger.page.contains("no owner here"))
        server.kill()
        issuer.server.kill()
        await site.close()
    }

    @Test(
        "a configuration that is half there is refused, and says what is missing",
        arguments: [
            (["USHER_OIDC_ISSUER": "https://login.example"], "USHER_OIDC_CLIENT_ID, USHER_OIDC_CLIENT_SECRET"),
            (["USHER_OIDC_ROLES": "admin=x"], "USHER_OIDC_ISSUER"),
            (
                [
                    "USHER_OIDC_ISSUER": "http://login.example", "USHER_OIDC_CLIENT_ID": "a", "USHER_OIDC_CLIENT_SECRET": "b",
                ], "https://"
            ),
            (
                [
                    "USHER_OIDC_ISSUER": "https://login.example", "USHER_OIDC_CLIENT_ID": "a", "USHER_OIDC_CLIENT_SECRET": "b",
                    "USHER_OIDC_ROLES": "boss=x",
                ], "USHER_OIDC_ROLES must name"
            ),
        ])
    func halves(_ values: [String: String], _ words: String) throws {
        let error = #expect(throws: UsherError.self) { try Configuration(environment: values, registry: ProviderRegistry([])) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
}
