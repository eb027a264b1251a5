import Foundation
import UsherCore

/// Turns letters into mails. Rendering is a pure function of the letter.
package struct MailRenderer: Sendable {
    private let html: LetterTemplate
    private let text: LetterTemplate

    /// - Throws: when a template or a language's words are broken.
    package init() throws {
        try Words.check()
        html = try LetterTemplate(String(decoding: PackageResources.letter_html_mustache, as: UTF8.self), .html)
        text = try LetterTemplate(String(decoding: PackageResources.letter_txt_mustache, as: UTF8.self), .text)
    }

    /// The parts of a mail before they are put together: what `usher preview` shows.
    package struct Parts: Sendable {
        package var subject: String
        package var text: String
        package var html: String
        package var calendar: String
    }

    package func parts(_ letter: Letter) -> Parts {
        guard let (words, language) = Words.of(letter.language) else {
            return Parts(subject: letter.booking.title, text: "", html: "", calendar: "")
        }
        let booking = letter.booking
        let time = ReaderTime(start: booking.start, end: booking.end, timeZone: letter.timeZone, language: language)
        let shown = LetterModel.shown(letter, words, language, time)
        let subject = Placeholders.fill(
            words.subject[letter.kind.rawValue] ?? "{title}", ["title": booking.title, "date": time.date, "time": time.time])
        return Parts(
            subject: subject, text: text.render(shown), html: html.render(shown), calendar: Invitation(letter, words).text)
    }

    package func mail(_ letter: Letter) -> OutgoingMail {
        let parts = parts(letter)
        return OutgoingMail(
            sender: letter.booking.terms.site.from.address, recipient: letter.recipient.address,
            bytes: Message(letter, parts).bytes, id: letter.outboxID)
    }
}

/// A numeric meeting id in groups, as people read it out: 3-4-4 for eleven digits, 3-3-4 for ten.
func readable(_ meetingID: String) -> String {
    guard meetingID.allSatisfy({ $0.isASCII && $0.isNumber }), (9...11).contains(meetingID.count) else { return meetingID }
    let digits = Array(meetingID)
    let middle = digits.count == 11 ? 7 : 6
    return [digits[0..<3], digits[3..<middle], digits[middle...]].map { String($0) }.joined(separator: " ")
}
