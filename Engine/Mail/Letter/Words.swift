import Foundation
import UsherCore

/// What the mail says, in one language. One file a language: see ``Language/words``.
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

    /// What the owner's pages say, by ``OwnerWords/Key`` and by the names that their templates use.
    var owner: [String: String]
    /// How far a room has come, by ``Meeting/Status``.
    var statuses: [String: String]
    /// Why a provider is chosen, by ``Because``.
    var because: [String: String]
    /// Why no meeting can begin at a time, by the name of the reason.
    var unavailable: [String: ProblemWords]
    /// What the pages around a consent say, by ``OwnerWords/ConsentKey``.
    var consents: [String: String]

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

    private static let known = Dictionary(
        uniqueKeysWithValues: Language.words.compactMap { language, file in
            (try? JSONDecoder().decode(Words.self, from: Data(file))).map { (language, $0) }
        })
    private static let english = known["en"]

    /// - Throws: when a language's file cannot be read, so that no mail goes out in another language, or empty, unnoticed.
    static func check() throws(UsherError) {
        for (language, words) in known {
            let missing = PageWords.Key.allCases.filter { words.page[$0.rawValue] == nil }
            guard missing.isEmpty else {
                throw UsherError(.internalError, "words.\(language).json has no page.\(missing[0].rawValue).")
            }
            guard english?.ownersKeys == words.ownersKeys else {
                throw UsherError(.internalError, "words.\(language).json has other keys for the owner's pages than words.en.json.")
            }
        }
        for language in Language.all where known[language] == nil {
            throw UsherError(
                .internalError, "The words of the language '\(language)' cannot be read: a key is missing in words.\(language).json.")
        }
    }

    private var ownersKeys: [Set<String>] {
        [Set(owner.keys), Set(statuses.keys), Set(because.keys), Set(unavailable.keys), Set(consents.keys)]
    }

    /// The words of a language, whatever its region; English where there are none yet.
    /// - Returns: the words, and the tag of what they are in.
    static func of(_ language: String) -> (words: Words, language: String) {
        if let words = known[Language.base(language)] { return (words, language) }
        guard let english else { preconditionFailure("MailRenderer is made after Words.check()") }
        return (english, "en")
    }
}
