import Foundation
import Testing
import UsherAssembly
import UsherCore

/// How a site's pages look.
@Suite(.timeLimit(.minutes(3)))
struct LookTests {
    @Test("the stylesheet is in the site's colour, under a name that browsers keep for a year; another name's is not kept")
    func assets() async throws {
        let site = try await Site(catalog: Site.catalog.replacing("site: { name", with: "site: { color: \"#1d4ed8\", name"))
        let server = try await site.serve()
        let page = try await site.call("GET", "/").response
        let text = String(decoding: page.body, as: UTF8.self)
        #expect(page.header("content-security-policy")?.contains("style-src 'self'; script-src 'self'") == true)
        #expect(text.contains("Northwind Clinic") && !text.contains("<style"))
        let paths = text.matches(of: /(?:href|src)="(\/assets\/[^"]+)"/).map { String($0.1) }
        #expect(paths.count == 2)
        for path in paths {
            let asset = try await site.call("GET", path).response
            #expect(asset.status == 200 && asset.header("cache-control") == "public, max-age=31536000, immutable")
        }
        let style = String(decoding: try await site.call("GET", paths[0]).response.body, as: UTF8.self)
        #expect(style.contains("--brand:#1d4ed8") && !style.contains("{{"))
        #expect(try await site.call("GET", "/assets/page-former.css").response.header("cache-control") == "max-age=10")
        #expect(try await site.call("GET", "/assets/other.txt").status == 404)
        server.kill()
        await site.close()
    }

    @Test("a site's own templates take the place of Usher's, and check says by line what is wrong with one")
    func templates() async throws {
        let site = try await Site(catalog: Site.catalog.replacing("site: { name", with: "site: { templates: look, name"))
        let file = site.folder + "/look/frame.html.mustache"
        try FileManager.default.createDirectory(atPath: site.folder + "/look", withIntermediateDirectories: true)
        try "<title>{{title}}</title><link href=\"{{style}}\"><p>Ours</p>{{{body}}}".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await site.usher("check").finish().code == 0)
        let server = try await site.serve()
        #expect(try await site.browse("/").page.contains("<p>Ours</p>"))
        server.kill()
        for (wrong, words) in [
            ("\n{{boddy}}", "line 2: nothing fills {{boddy}}; did you mean {{body}}?"), ("{{#who}}", "is never closed"),
            ("{{> buton}}", "there is no part {{> buton}}"),
        ] {
            try wrong.write(toFile: file, atomically: true, encoding: .utf8)
            let check = try await site.usher("check").finish()
            #expect(check.code != 0 && (check.output + check.errors).contains(words), "\(check)")
        }
        await site.close()
    }

    @Test("what a guest's first look costs stays below 30 KB, a whole month of free days among it")
    func weight() async throws {
        let site = try await Site(catalog: BrowserTests.catalog)
        let server = try await site.serve()
        let booked = try await site.book("mine", at: "2027-03-01T10:00:00Z").json
        let pages = ["joinPage", "managePage"].map { (booked[$0]?.string ?? "").replacing("https://usher.example", with: "") }
        let month = CalendarDate(day: Environment.system.now().seconds / 86_400).firstOfNextMonth.text.prefix(7)
        for path in ["/", "/book", "/book/visit?month=\(month)"] + pages {
            let page = try await site.call("GET", path).response
            let files = String(decoding: page.body, as: UTF8.self).matches(of: /(?:href|src)="(\/assets\/[^"]+)"/).map { String($0.1) }
            var weight = page.body.count
            for file in files {
                let (plain, packed) = (try await site.asset(file, coding: "identity"), try await site.asset(file, coding: "br, gzip"))
                #expect(plain.header("content-encoding") == nil && packed.header("content-encoding") == "gzip")
                #expect(try await unpacked(packed.body) == plain.body)
                weight += packed.body.count
            }
            #expect(page.status == 200 && files.count == 2 && weight < 30 << 10, "\(path): \(weight)")
        }
        server.kill()
        await site.close()
    }

    /// As Python's gzip unpacks it.
    private func unpacked(_ bytes: [UInt8]) async throws -> [UInt8] {
        let code = "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"
        let python = try Command("/usr/bin/python3", ["-c", code])
        python.write(bytes)
        return Array(await python.finish().output.utf8)
    }
}

extension Site {
    fileprivate func asset(_ path: String, coding: String) async throws -> HTTPResponse {
        try await Site.transport.send(
            HTTPRequest(
                "GET", "http://127.0.0.1:\(port)\(path)", headers: [("Accept-Encoding", coding)],
                deadline: Environment.system.now() + .seconds(60)))
    }
}
