import Foundation
import UsherCore

/// Turns letters into mails. Rendering is a pure function of the letter.
package struct MailRenderer: Sendable {
    private let html: LetterTemplate
    private let text: LetterTemplate
    /// Of the same sources, for notices: a shape belongs to one kind of letter.
    private let noticeHTML: LetterTemplate
    private let noticeText: LetterTemplate

    /// - Throws: when a template or a language's words are broken.
    package init() throws {
        try Words.check()
        let html = String(decoding: PackageResources.letter_html_mustache, as: UTF8.self)
        let text = String(decoding: PackageResources.letter_txt_mustache, as: UTF8.self)
        self.html = try LetterTemplate(html, .html)
        self.text = try LetterTemplate(text, .text)
        noticeHTML = try LetterTemplate(html, .html)
        noticeText = try LetterTemplate(text, .text)
    }

    /// The parts of a mail before they are put together: what `usher preview` shows.
    package struct Parts: Sendable {
        package var subject: String
        package var text: String
        package var html: String
        /// Empty where none belongs to it.
        package var calendar: String
    }

    package func parts(_ letter: Letter) -> Parts {
        let (words, language) = Words.of(letter.language)
        let booking = letter.booking
        let time = ReaderTime(start: booking.start, end: booking.end, timeZone: letter.timeZone, language: language)
        let shown = LetterModel.shown(letter, words, language, time)
        let subject = Placeholders.fill(
            words.subject[letter.kind.rawValue] ?? "{title}", ["title": booking.title, "date": time.date, "time": time.time])
        return Parts(
            subject: subject, text: text.render(shown), html: html.render(shown), calendar: calendar(letter)?.text ?? "")
    }

    private func calendar(_ letter: Letter) -> Invitation? {
        letter.onCalendar ? nil : Invitation(letter, Words.of(letter.language).words)
    }

    package func mail(_ letter: Letter) -> OutgoingMail {
        let parts = parts(letter)
        let from = letter.booking.terms.site.from
        let head = Message.Head(
            id: letter.outboxID, writtenAt: letter.writtenAt, messageID: letter.messageID, threadID: letter.threadID, from: from,
            to: letter.recipient, replyTo: letter.replyTo, subject: parts.subject)
        return OutgoingMail(
            sender: from.address, recipient: letter.recipient.address, bytes: Message(head, body(parts, calendar(letter))).bytes,
            id: letter.outboxID)
    }

    /// Mail systems show no invitation to its own organiser: the owner's is a plain file.
    private func body(_ parts: Parts, _ calendar: Invitation?) -> BodyPart {
        let readings = [BodyPart.text(parts.text), .html(parts.html)]
        guard let calendar else { return .multipart("alternative", readings) }
        let invitations = calendar.method == .publish ? [] : [BodyPart.invitation(calendar)]
        return .multipart("mixed", [.multipart("alternative", readings + invitations), .calendarFile(calendar)])
    }

    /// What a notice says, before it is put together.
    package func parts(_ notice: Notice) -> Parts {
        let (words, language) = Words.of(notice.owner.language)
        let shown = NoticeModel.shown(notice, words, language)
        return Parts(
            subject: NoticeModel.subject(notice, words, language), text: noticeText.render(shown), html: noticeHTML.render(shown),
            calendar: "")
    }

    /// - Parameters:
    ///   - id: the same for every try.
    ///   - messageID: without angle brackets.
    package func mail(_ notice: Notice, id: String, messageID: String, writtenAt: Instant) -> OutgoingMail {
        let parts = parts(notice)
        let head = Message.Head(
            id: id, writtenAt: writtenAt, messageID: messageID, threadID: nil, from: notice.site.from,
            to: Mailbox(name: notice.owner.name, address: notice.owner.email), replyTo: [], subject: parts.subject)
        return OutgoingMail(
            sender: notice.site.from.address, recipient: notice.owner.email, bytes: Message(head, body(parts, nil)).bytes, id: id)
    }

    /// What stands on a connected calendar: the link first, because calendars and assistants look for it there.
    package func calendarText(_ letter: Letter) -> (location: String, description: String) {
        (letter.entrance ?? letter.joinPage, Invitation.description(letter, Words.of(letter.language).words))
    }
}

/// A numeric meeting id in groups, as people read it out: 3-4-4 for eleven digits, 3-3-4 for ten.
func readable(_ meetingID: String) -> String {
    guard meetingID.allSatisfy({ $0.isASCII && $0.isNumber }), (9...11).contains(meetingID.count) else { return meetingID }
    let digits = Array(meetingID)
    let middle = digits.count == 11 ? 7 : 6
    return [digits[0..<3], digits[3..<middle], digits[middle...]].map { String($0) }.joined(separator: " ")
}
