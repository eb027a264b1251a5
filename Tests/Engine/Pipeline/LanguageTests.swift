import Foundation
import TestSupport
import TestValues
import Testing
import UsherCatalog
import UsherCore
import UsherPipeline

/// A meeting type's own words, by language.
@Suite(.timeLimit(.minutes(1)))
struct LanguageTests {
    private static let words = """
          spoken:
            title: { en: "Talk with {owner.name}", de: "Termin mit {owner.name}", pt-BR: "Conversa" }
            description: { en: "By video.", de: "Per Video." }
            duration: 30m
            provider: room
            email: { intro: { en: "Bring your card.", de: "Karte mitbringen." } }
            questions: { reason: { ask: { en: "What is it about?", de: "Worum geht es?" } } }
        """

    @Test("a German mail holds no English words of the catalogue, and the owner's none of German")
    func mails() async throws {
        let engine = try await TestEngine(catalog: TestCatalog.text.appending("\n" + Self.words))
        var request = TestEngine.request("spoken")
        request.attendees[0].language = "de-AT"
        request.details.answers = ["reason": "Husten"]
        _ = try await engine.service.book(request)
        try await engine.run(for: .minutes(1))
        func text(_ recipient: String) throws -> String {
            let mail = try #require(engine.mailer.taken.first { $0.recipient == recipient })
            return String(decoding: mail.bytes, as: UTF8.self).replacing("=\r\n", with: "")
        }
        let (guest, owner) = (try text("bo@example.org"), try text("ana@northwind.example"))
        #expect(guest.contains("Termin mit Ana Ruiz") && guest.contains("Karte mitbringen.") && guest.contains("Per Video."))
        #expect(!guest.contains("Talk with") && !guest.contains("Bring your card") && !guest.contains("By video"))
        #expect(owner.contains("Talk with Ana Ruiz") && owner.contains("What is it about? Husten") && !owner.contains("Termin mit"))
    }

    @Test("a language that a text lacks falls back to the site's, and check warns where others have it")
    func findings() throws {
        func report(_ words: String) throws -> [String] {
            let report = CatalogReader(try ProviderRegistry(TestCatalog.modules)).read(Array(TestCatalog.text.appending("\n" + words).utf8))
            return report.diagnostics.map(\.message)
        }
        #expect(
            try report(Self.words) == [
                "'meeting-types.spoken.description' has no text in pt-BR, which others of this meeting type have: readers get the site's",
                "'meeting-types.spoken.email.intro' has no text in pt-BR, which others of this meeting type have: readers get the site's",
                "'meeting-types.spoken.questions.reason.ask' has no text in pt-BR, which others of this meeting type have: readers get the site's",
            ])
        let wrong = try report("  odd: { title: { de: Termin, xx: Nothing, en: \"{nobody}\" }, duration: 30m }")
        #expect(wrong.count == 2 && wrong.contains { $0.contains("'xx' in 'meeting-types.odd.title' must be one of") })
        #expect(
            try report("  odd: { title: { de: Termin }, duration: 30m }") == [
                "'meeting-types.odd.title' has no text in the site's language: add 'en: …'"
            ])
    }
}
