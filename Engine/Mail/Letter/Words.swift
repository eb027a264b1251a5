import Foundation
import UsherCore

/// What the mail says, in one language. One file a language: `Templates/words.{language}.json`.
struct Words: Decodable, Sendable {
    var subject: [String: String]
    var headline: [String: String]
    /// Between a label and what it names.
    var colon: String
    /// Before the join page's address, while there is no room.
    var late: String
    var roomReady: String
    var roomChanged: String
    var previously: String
    var when: String
    var with: String
    var join: String
    var meetingID: String
    var passcode: String
    var phone: String
    var moreNumbers: String
    var pin: String
    var tollFree: String
    var joinPage: String
    var manage: String
    var note: String
    var description: String
    var heldBy: String
    /// Under an attendee's mail, whose replies reach the owner.
    var footer: String
    /// Under the others.
    var footerPlain: String
    /// By ``PageWords/Key``.
    var page: [String: String]
    /// By ``Notice/Kind``.
    var notices: [String: NoticeWords]
    /// By ``ErrorCode``: what is the matter with `{service}`, and what to do.
    var problems: [String: ProblemWords]

    struct NoticeWords: Decodable, Sendable {
        var subject: String
        var headline: String
        var body: String
        var action: String
    }

    struct ProblemWords: Decodable, Sendable {
        var cause: String
        var remedy: String
    }

    private static let files = [
        "ar": PackageResources.words_ar_json, "de": PackageResources.words_de_json, "en": PackageResources.words_en_json,
        "es": PackageResources.words_es_json, "fr": PackageResources.words_fr_json, "it": PackageResources.words_it_json,
        "ja": PackageResources.words_ja_json, "nl": PackageResources.words_nl_json, "pl": PackageResources.words_pl_json,
        "pt": PackageResources.words_pt_json, "uk": PackageResources.words_uk_json,
    ]
    private static let known = files.compactMapValues { try? JSONDecoder().decode(Words.self, from: Data($0)) }
    private static let english = known["en"]

    /// - Throws: when a language's file cannot be read, so that no mail goes out in another language, or empty, unnoticed.
    static func check() throws(UsherError) {
        let missing = Language.all.filter { files[$0] == nil }
        guard missing.isEmpty else { throw UsherError(.internalError, "There are no words for: \(missing.joined(separator: ", ")).") }
        for (language, words) in known {
            let missing = PageWords.Key.allCases.filter { words.page[$0.rawValue] == nil }
            guard missing.isEmpty else {
                throw UsherError(.internalError, "words.\(language).json has no page.\(missing[0].rawValue).")
            }
        }
        for language in files.keys where known[language] == nil {
            throw UsherError(
                .internalError, "The words of the language '\(language)' cannot be read: a key is missing in words.\(language).json.")
        }
    }

    /// The words of a language, whatever its region; English where there are none yet.
    /// - Returns: the words, and the tag of what they are in.
    static func of(_ language: String) -> (words: Words, language: String) {
        if let words = known[Language.base(language)] { return (words, language) }
        guard let english else { preconditionFailure("MailRenderer is made after Words.check()") }
        return (english, "en")
    }
}
