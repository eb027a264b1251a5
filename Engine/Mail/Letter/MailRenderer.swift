import Foundation
import Mustache
import UsherCore

/// Turns letters into mails. Rendering is a pure function of the letter.
package struct MailRenderer: Sendable {
    private let html: MustacheTemplate
    private let text: MustacheTemplate

    /// - Throws: when a template or a language's words are broken.
    package init() throws {
        try Words.check()
        html = try MustacheTemplate(string: String(decoding: PackageResources.letter_html_mustache, as: UTF8.self))
        text = try MustacheTemplate(string: String(decoding: PackageResources.letter_txt_mustache, as: UTF8.self))
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
        let model = Model(letter, words, language, time).values
        let subject = Placeholders.fill(
            words.subject[letter.kind.rawValue] ?? "{title}", ["title": booking.title, "date": time.date, "time": time.time])
        return Parts(
            subject: subject, text: text.render(model), html: html.render(model), calendar: Invitation(letter, words).text)
    }

    package func mail(_ letter: Letter) -> OutgoingMail {
        let parts = parts(letter)
        return OutgoingMail(
            sender: letter.booking.terms.site.from.address, recipient: letter.recipient.address,
            bytes: Message(letter, parts).bytes, id: letter.outboxID)
    }
}

/// The values that the templates show.
private struct Model {
    private(set) var values: [String: Any] = [:]

    init(_ letter: Letter, _ words: Words, _ language: String, _ time: ReaderTime) {
        let booking = letter.booking
        let site = booking.terms.site
        values = [
            "language": language, "site": site.name, "color": site.color, "title": booking.title,
            "headline": words.headline[letter.kind.rawValue] ?? "", "when": words.when, "date": time.date, "time": time.range,
            "zone": time.zone, "withLabel": words.with, "joinLabel": words.join, "meetingIDLabel": words.meetingID,
            "passcodeLabel": words.passcode, "phoneLabel": words.phone, "pinLabel": words.pin, "descriptionLabel": words.description,
            "noteLabel": words.note, "cancelled": letter.kind == .cancellation,
            "footer": Placeholders.fill(
                letter.reader == .owner || letter.kind == .cancellation ? words.footerPlain : words.footer, ["site": site.name]),
            "joinPageLabel": letter.room == nil ? words.late : words.joinPage,
        ]
        set("with", Self.company(letter))
        set("note", letter.reader == .owner ? booking.note : "")
        for flag in ["hasRoom", "hasIntro", "hasDescription", "hasJoinPage"] { values[flag] = false }
        guard letter.kind != .cancellation else { return }
        set("intro", letter.reader == .owner ? "" : booking.intro)
        set("description", booking.description)
        set("joinPage", letter.joinPage)
        if let room = letter.room { setRoom(room, booking, words) }
    }

    /// A value and whether it is there. Sections are flags, because a section over a value would have Mustache search that value
    /// first for every name inside, which costs most of the rendering.
    private mutating func set(_ key: String, _ value: String) {
        values[key] = value
        values["has" + key.prefix(1).uppercased() + key.dropFirst()] = !value.isEmpty
    }

    private static func company(_ letter: Letter) -> String {
        let booking = letter.booking
        let names = booking.attendees.map { $0.name.isEmpty ? $0.email : $0.name }
        switch letter.reader {
        case .owner: return names.joined(separator: ", ")
        case .attendee(let index):
            let others = booking.terms.type.showAttendees ? names.enumerated().filter { $0.offset != index }.map(\.element) : []
            return ([booking.terms.owner.name] + others).joined(separator: ", ")
        }
    }

    private mutating func setRoom(_ room: Room, _ booking: Booking, _ words: Words) {
        values["hasRoom"] = true
        values["hasDialIn"] = !room.dialIn.isEmpty
        values["url"] = room.joinURL
        set("meetingID", readable(room.meetingID))
        set("passcode", room.passcode ?? "")
        let isElsewhere = booking.meeting.because == .fallback
        set("heldBy", isElsewhere ? Placeholders.fill(words.heldBy, ["provider": booking.meeting.provider]) : "")
        values["dialIn"] = room.dialIn.map { number -> [String: Any] in
            [
                "country": number.country, "number": number.number, "tel": number.tapToCall, "hasPin": number.pin != nil,
                "pin": number.pin ?? "",
                "pinLabel": words.pin, "hasCity": number.city != nil, "city": number.city ?? "", "isTollFree": number.tollFree,
                "tollFree": words.tollFree, "color": booking.terms.site.color,
            ]
        }
    }
}

/// A numeric meeting id in groups, as people read it out: 3-4-4 for eleven digits, 3-3-4 for ten.
func readable(_ meetingID: String) -> String {
    guard meetingID.allSatisfy({ $0.isASCII && $0.isNumber }), (9...11).contains(meetingID.count) else { return meetingID }
    let digits = Array(meetingID)
    let middle = digits.count == 11 ? 7 : 6
    return [digits[0..<3], digits[3..<middle], digits[middle...]].map { String($0) }.joined(separator: " ")
}
