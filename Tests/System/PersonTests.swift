import Foundation
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(3)))
struct PersonTests {
    private static let catalog = Site.catalog.replacing(
        "site: { name: Northwind Clinic,",
        with: """
            site: { privacy: "https://northwind.example/privacy", terms: "https://northwind.example/terms?a=1&b=2",
              security: "mailto:security@northwind.example", name: Northwind Clinic,
            """)

    @Test("pages and mails lead to what the site says of privacy and terms, and security.txt to whom holes are reported")
    func links() async throws {
        let site = try await Site(catalog: Self.catalog)
        let server = try await site.serve()
        let id = try #require(try await site.book(at: "2027-05-03T10:00:00Z").json["id"]?.string)
        let booking = try await site.booking(id, Site.isDone)
        let page = try await site.browse(booking["joinPage"]?.string ?? "").page
        #expect(page.contains(#"<a href="https://northwind.example/terms?a=1&amp;b=2""#) && page.contains("northwind.example/privacy"))
        let mail = try await Site.read(try await site.mail { $0.recipient == "bo@example.org" }.content)
        #expect(mail["text"]?.string?.contains("Privacy: https://northwind.example/privacy") == true, "\(mail)")
        #expect(mail["html"]?.string?.contains("https://northwind.example/terms?a=1&amp;b=2") == true)
        let text = try await site.browse("/.well-known/security.txt").page
        #expect(text.contains("Contact: mailto:security@northwind.example\n"))
        let end = try #require(text.firstMatch(of: /Expires: (.*)\n/).flatMap { Instant(rfc3339: String($0.1)) })
        #expect(Environment.system.now() < end && end < Environment.system.now() + .days(365))
        server.kill()
        await site.close()
        let plain = try await Site()
        let other = try await plain.serve()
        #expect(try await plain.browse("/.well-known/security.txt").status == 404)
        other.kill()
        await plain.close()
    }

    @Test("a person's data are exported and erased by API and command; the log never held them")
    func person() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let id = try #require(try await site.book(at: "2027-05-03T10:00:00Z").json["id"]?.string)
        _ = try await site.booking(id, Site.isDone)
        let body = #"{"email": "bo@example.org"}"#
        let made = try await site.usher("key", "create", "--json", "--name", "crm").finish()
        let key = try JSON(parsing: made.output)["key"]?.string ?? ""
        #expect(try await site.call("POST", "/v1/people/export", body: body, key: key).status == 403)
        let export = try await site.call("POST", "/v1/people/export", body: body)
        #expect(export.status == 200 && export.json["bookings"]?.array?.first?["id"]?.string == id)
        let look = try await site.call("POST", "/v1/people/erase", body: body).json
        #expect(look["done"] == false && look["remains"]?.array?.first?.string?.contains("still to come") == true)
        _ = try await site.call("POST", "/v1/bookings/\(id)/cancel")
        _ = try await site.mail { $0.recipient == "bo@example.org" && $0.content.count > 0 }
        let dry = try await site.usher("person", "erase", "bo@example.org").finish()
        #expect(dry.code == 0 && dry.output.contains("nothing was done") && dry.output.contains("1 row of bookings"), "\(dry.output)")
        while try site.received().count(where: { $0.recipient == "bo@example.org" }) < 2 { try await Task.sleep(for: .milliseconds(20)) }
        let done = try await site.usher("person", "erase", "bo@example.org", "--yes", "--json").finish()
        #expect(try JSON(parsing: done.output)["done"] == true, "\(done.errors)")
        let after = try await site.usher("person", "export", "bo@example.org").finish()
        #expect(try JSON(parsing: after.output)["bookings"]?.array?.isEmpty == true)
        #expect(!server.errorText.contains("bo@example.org") && !server.errorText.contains("Bo Li"))
        let wrong = try await site.usher("person", "export", "nobody").finish()
        #expect(wrong.code == 1 && wrong.errors.contains("is not a mail address"))
        server.kill()
        await site.close()
    }
}
