import Foundation
import TestSupport
import TestValues
import Testing
import UsherCatalog
import UsherCore

@Suite(.timeLimit(.minutes(1)))
struct SenderTests {
    private func catalog(_ from: String, _ replyTo: String) -> String {
        TestCatalog.text.replacing(
            "healing: { title: \"Healing\",",
            with:
                "surgery: { title: Surgery, duration: 30m, provider: campus, from: \"\(from)\", reply-to: \"\(replyTo)\" }\n  healing: { title: \"Healing\","
        )
    }

    @Test("a meeting type's own sender stands in From, in the envelope and as organiser, and its reply-to in place of the owner")
    func ownSender() async throws {
        let engine = try await TestEngine(catalog: catalog("Surgery Desk <surgery@northwind.example>", "desk@northwind.example"))
        _ = try await engine.booked("surgery")
        let mail = try #require(engine.mailer.taken.first { $0.recipient == "bo@example.org" })
        let text = String(decoding: mail.bytes, as: UTF8.self)
        #expect(mail.sender == "surgery@northwind.example")
        #expect(text.contains("From: \"Surgery Desk\" <surgery@northwind.example>") && text.contains("Reply-To: desk@northwind.example"))
        let calendar = try #require(text.firstRange(of: "Content-Type: text/calendar").map { text[$0.upperBound...] })
        let encoded = calendar.split(separator: "\r\n\r\n")[1].split(separator: "\r\n--")[0].replacing("\r\n", with: "")
        let event = String(decoding: try #require(Data(base64Encoded: String(encoded))), as: UTF8.self).replacing("\r\n ", with: "")
        #expect(event.contains("mailto:surgery@northwind.example"))
        _ = try await engine.booked(at: "2026-12-02T10:00:00Z")
        #expect(engine.mailer.taken.contains { $0.sender == "bookings@northwind.example" })
    }

    @Test("what is no address is a finding, with its place")
    func findings() throws {
        let report = CatalogReader(try ProviderRegistry(TestCatalog.modules)).read(Array(catalog("nobody", "a@b@c").utf8))
        let messages = report.diagnostics.map(\.message)
        #expect(messages.count == 2 && messages.allSatisfy { $0.contains("must be a mail address") }, "\(messages)")
    }
}
