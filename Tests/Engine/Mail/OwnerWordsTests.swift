import Foundation
import Testing
import UsherAvailability
import UsherCore
import UsherMail

/// What owners' pages say, in every language.
@Suite(.timeLimit(.minutes(1)))
struct OwnerWordsTests {
    private struct Words: Decodable {
        struct Pair: Decodable { var cause, remedy: String }
        var page, owner, statuses, because, consents: [String: String]
        var unavailable: [String: Pair]
    }

    private static func words(_ language: String) throws -> Words {
        let file = try #require(Language.words.first { $0.key == language }?.value)
        return try JSONDecoder().decode(Words.self, from: Data(file))
    }

    private static let templates =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        + "/../../../Engine/Web/Pages/Templates"

    /// The words that templates name: `{{say.accounts}}`.
    private static func named() throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(atPath: templates).filter { $0.hasSuffix(".mustache") }
        return try files.reduce(into: []) { names, file in
            let text = try String(contentsOfFile: templates + "/" + file, encoding: .utf8)
            names.formUnion(text.matches(of: /\{\{say\.([A-Za-z]+)\}\}/).map { String($0.1) })
        }
    }

    @Test("every language says all that the owner's pages and their templates name, and nothing that nobody names", arguments: Language.all)
    func complete(language: String) throws {
        let (words, named) = (try Self.words(language), try Self.named())
        #expect(named.count > 30)
        #expect(Set(words.owner.keys) == Set(OwnerWords.Key.allCases.map(\.rawValue)).union(named.subtracting(words.page.keys)))
        #expect(Set(words.consents.keys) == Set(OwnerWords.ConsentKey.allCases.map(\.rawValue)))
        #expect(Set(words.statuses.keys) == Set(Meeting.Status.allCases.map(\.rawValue)))
        #expect(Set(words.because.keys) == Set(Because.allCases.map(\.rawValue)))
        #expect(Set(words.unavailable.keys) == Set(Unavailability.allCases.map(\.rawValue)))
    }

    @Test("the words of every language have the placeholders of the English ones, and are not left in English", arguments: Language.all)
    func placeholders(language: String) throws {
        let (words, english) = (try Self.words(language), try Self.words("en"))
        func marks(_ text: String?) -> [String] { (text ?? "").matches(of: /\{[a-z]+\}/).map { String($0.0) }.sorted() }
        for (own, other) in [(words.owner, english.owner), (words.consents, english.consents), (words.page, english.page)] {
            for (key, text) in other { #expect(marks(own[key]) == marks(text), "\(key)") }
        }
        let same = words.owner.filter { $0.value == english.owner[$0.key] }.keys.sorted()
        #expect(language == "en" || same.count < 6, "\(same)")
    }

    @Test("a problem is told in the owner's language, and what the service said of it is not lost")
    func particulars() {
        let words = OwnerWords("de")
        let missing = Problem(.missingScope, "The Zoom app cannot move meetings.", remedy: "The admin adds the scopes.")
        #expect(words.lines(missing, service: "Zoom").last == "The Zoom app cannot move meetings.")
        #expect(words.lines(missing, service: "Zoom").first?.contains("Zoom") == true && words.lines(missing, service: "Zoom").count == 3)
        let plain = Problem(.notConnected, "Zoom is not connected.", remedy: "Connect Zoom.")
        #expect(words.lines(plain, service: "Zoom").count == 2)
        #expect(OwnerWords("en-GB").lines(missing, service: "Zoom") == [missing.message, missing.remedy])
    }
}
