import Foundation
import Synchronization
import UsherCore

/// Turns letters into mails. Rendering is a pure function of the letter and of the look in force.
package final class MailRenderer: Sendable {
    private struct Templates {
        let html: LetterTemplate
        let text: LetterTemplate
        /// Of the same sources, for notices: a shape belongs to one kind of letter.
        let noticeHTML: LetterTemplate
        let noticeText: LetterTemplate
        let logo: Logo?
        let fingerprint: String
    }
    private let templates: Mutex<Templates>

    /// - Throws: when a template or a language's words are broken.
    package init(_ look: MailLook = MailLook()) throws {
        try Words.check()
        templates = Mutex(try Self.templates(look))
    }

    /// Puts another look in force; the one before stays when this one is broken.
    package func adopt(_ look: MailLook) throws {
        let new = try Self.templates(look)
        templates.withLock { $0 = new }
    }

    private static func templates(_ look: MailLook) throws -> Templates {
        Templates(
            html: try LetterTemplate(look.html, .html), text: try LetterTemplate(look.text, .text),
            noticeHTML: try LetterTemplate(look.html, .html), noticeText: try LetterTemplate(look.text, .text), logo: look.logo,
            fingerprint: look.fingerprint)
    }

    /// The same for as long as equal letters become equal mails.
    package var fingerprint: String { now.fingerprint }

    private var now: Templates { templates.withLock { $0 } }

    /// The parts of a mail before they are put together: what `usher preview` shows.
    package struct Parts: Sendable {
        /// The `Subject`, not encoded.
        package var subject: String
        /// In UTF-8, as the HTML.
        let plain: [UInt8]
        let rich: [UInt8]
        /// The part without markup.
        package var text: String { String(decoding: plain, as: UTF8.self) }
        /// The HTML part.
        package var html: String { String(decoding: rich, as: UTF8.self) }
        let invitation: Invitation?
        /// Empty where none belongs to it.
        package var calendar: String { invitation?.text ?? "" }
    }

    /// What a letter says, for a look at it.
    package func parts(_ letter: Letter) -> Parts { parts(legible: letter.legible) }

    private func parts(legible letter: Letter) -> Parts {
        let (words, language) = Words.of(letter.language)
        let now = now
        let model = LetterModel(letter, words, language)
        let shown = model.shown(logo: now.logo)
        return Parts(
            subject: model.subject, plain: now.text.render(shown), rich: now.html.render(shown),
            // Reminders bring none, nor do mails to whoever has the event on a connected calendar.
            invitation: letter.onCalendar || letter.kind == .reminder ? nil : Invitation(letter, words))
    }

    /// The letter as a mail, byte for byte.
    package func mail(_ letter: Letter) -> OutgoingMail {
        let letter = letter.legible
        let parts = parts(legible: letter)
        let from = letter.booking.terms.from
        let head = Message.Head(
            id: letter.outboxID, writtenAt: letter.writtenAt, messageID: letter.messageID, threadID: letter.threadID, from: from,
            to: letter.recipient, replyTo: letter.replyTo, subject: parts.subject)
        return OutgoingMail(
            sender: from.address, recipient: letter.recipient.address, bytes: Message(head, body(parts)).bytes,
            id: letter.outboxID)
    }

    /// Mail systems show no invitation to its own organiser: the owner's is a plain file.
    private func body(_ parts: Parts) -> BodyPart {
        var html = BodyPart.html(parts.rich)
        if let logo = now.logo { html = .multipart("related", [html, .logo(logo)]) }
        let readings = [BodyPart.text(parts.plain), html]
        guard let calendar = parts.invitation else { return .multipart("alternative", readings) }
        let lines = BodyPart.base64Lines(calendar.bytes)
        let invitations = calendar.method == .publish ? [] : [BodyPart.invitation(method: calendar.method.rawValue, lines)]
        return .multipart("mixed", [.multipart("alternative", readings + invitations), .calendarFile(lines)])
    }

    /// What a notice says, before it is put together.
    package func parts(_ notice: Notice) -> Parts {
        let (words, language) = Words.of(notice.owner.language)
        let now = now
        let shown = NoticeModel.shown(notice, words, language, logo: now.logo)
        return Parts(
            subject: NoticeModel.subject(notice, words, language), plain: now.noticeText.render(shown),
            rich: now.noticeHTML.render(shown), invitation: nil)
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
            sender: notice.site.from.address, recipient: notice.owner.email, bytes: Message(head, body(parts)).bytes, id: id)
    }

    /// The event as a file to be taken by hand: it invites nobody.
    package func eventFile(_ letter: Letter) -> String {
        Invitation(letter.legible, Words.of(letter.language).words, isPlain: true).text
    }

    /// What stands on a connected calendar: the link first, because calendars and assistants look for it there.
    package func calendarText(_ letter: Letter) -> (location: String, description: String) {
        let letter = letter.legible
        return (letter.entrance ?? letter.joinPage, Invitation.description(letter, Words.of(letter.language).words))
    }
}

/// A numeric meeting id in groups, as people read it out: 3-4-4 for eleven digits, 3-3-4 for ten.
package func readable(_ meetingID: String) -> String {
    let digits = meetingID.utf8
    guard (9...11).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return meetingID }
    let middle = digits.count == 11 ? 4 : 3
    return "\(meetingID.prefix(3)) \(meetingID.dropFirst(3).prefix(middle)) \(meetingID.dropFirst(3 + middle))"
}
