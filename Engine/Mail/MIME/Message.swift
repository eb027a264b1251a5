import Foundation
import UsherCore

/// A mail as bytes (RFC 5322, 2045 to 2047, 6047): `multipart/mixed` of an alternative and the calendar file.
/// Boundaries and dates derive from the letter, so that the same letter gives the same bytes.
struct Message {
    let bytes: [UInt8]

    init(_ letter: Letter, _ parts: MailRenderer.Parts) {
        let site = letter.booking.terms.site
        let owner = letter.booking.terms.owner
        let method = letter.reader == .owner ? "PUBLISH" : (letter.kind == .cancellation ? "CANCEL" : "REQUEST")
        let (outer, inner) = ("=_mixed_\(letter.outboxID)", "=_alternative_\(letter.outboxID)")
        var out = ""
        func header(_ name: String, _ value: String) { out += "\(name): \(value)\r\n" }

        header("Date", Self.date(letter.writtenAt))
        header("Message-ID", "<\(letter.messageID)>")
        if let thread = letter.threadID {
            header("In-Reply-To", "<\(thread)>")
            header("References", "<\(thread)>")
        }
        header("From", Self.mailbox(site.from))
        header("To", Self.mailbox(letter.recipient))
        let replies =
            letter.reader == .owner
            ? letter.booking.attendees.map { Mailbox(name: $0.name, address: $0.email) } : [Mailbox(name: owner.name, address: owner.email)]
        header("Reply-To", replies.map(Self.mailbox).joined(separator: ",\r\n "))
        header("Subject", Self.unstructured(parts.subject))
        header("Auto-Submitted", "auto-generated")
        header("MIME-Version", "1.0")
        header("Content-Type", "multipart/mixed; boundary=\"\(outer)\"")
        out += "\r\n--\(outer)\r\nContent-Type: multipart/alternative; boundary=\"\(inner)\"\r\n"
        out += Self.part(inner, "text/plain; charset=utf-8", "quoted-printable", quotedPrintable(parts.text))
        out += Self.part(inner, "text/html; charset=utf-8", "quoted-printable", quotedPrintable(parts.html))
        let calendar = Self.base64Lines(parts.calendar)
        if letter.reader != .owner {
            out += Self.part(inner, "text/calendar; charset=utf-8; method=\(method)", "base64", calendar)
        }
        out += "\r\n--\(inner)--\r\n"
        out += Self.part(
            outer, "application/ics; name=\"invite.ics\"", "base64", calendar,
            "Content-Disposition: attachment; filename=\"invite.ics\"\r\n")
        out += "\r\n--\(outer)--\r\n"
        bytes = Array(out.utf8)
    }

    private static func part(_ boundary: String, _ type: String, _ encoding: String, _ body: String, _ extra: String = "") -> String {
        "\r\n--\(boundary)\r\nContent-Type: \(type)\r\nContent-Transfer-Encoding: \(encoding)\r\n\(extra)\r\n\(body)"
    }

    private static func base64Lines(_ text: String) -> String {
        Data(text.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]) + "\r\n"
    }

    /// `Tue, 01 Dec 2026 09:00:00 +0000`.
    private static func date(_ instant: Instant) -> String {
        let wall = WallTime(instant, offsetSeconds: 0)
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = days[Int((instant.seconds / 86_400) % 7)]
        return "\(day), \(padded(wall.day, 2)) \(months[Int(wall.month) - 1]) \(wall.year) \(wall.text.suffix(8)) +0000"
    }

    private static func mailbox(_ mailbox: Mailbox) -> String {
        guard !mailbox.name.isEmpty else { return mailbox.address }
        return "\(phrase(mailbox.name)) <\(mailbox.address)>"
    }

    /// A display name: quoted where ASCII, else in encoded words.
    private static func phrase(_ text: String) -> String {
        guard text.utf8.allSatisfy({ (32...126).contains($0) }), text.utf8.count <= 60 else { return encodedWords(text) }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    private static func unstructured(_ text: String) -> String {
        text.utf8.allSatisfy { (32...126).contains($0) } && text.utf8.count <= 66 && !text.contains("=?") ? text : encodedWords(text)
    }

    /// RFC 2047: words of at most 75 characters, each whole in its characters, folded onto lines of their own.
    private static func encodedWords(_ text: String) -> String {
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars where scalar.value >= 32 && scalar.value != 127 {
            let bytes = Array(String(scalar).utf8)
            if words[words.count - 1].count + bytes.count > 42 { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }
}

/// Quoted-printable (RFC 2045 §6.7) with CRLF line ends and lines of at most 76 characters.
func quotedPrintable(_ text: String) -> String {
    let hex: StaticString = "0123456789ABCDEF"
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count * 5 / 4)
    let bytes = Array(text.utf8)
    var column = 0
    for (index, byte) in bytes.enumerated() {
        if byte == 0x0A {
            out.append(0x0D)
            out.append(0x0A)
            column = 0
            continue
        }
        if byte == 0x0D { continue }
        let next = index + 1 < bytes.count ? bytes[index + 1] : 0x0A
        let isBlankAtEnd = (byte == 0x20 || byte == 0x09) && (next == 0x0A || next == 0x0D)
        // A dot or "From " at the start of a line means something to some mail systems.
        let isPlain =
            (byte >= 0x21 && byte <= 0x7E && byte != 0x3D && !(column == 0 && (byte == 0x2E || byte == 0x46)))
            || ((byte == 0x20 || byte == 0x09) && !isBlankAtEnd)
        let width = isPlain ? 1 : 3
        if column + width > 75 {
            out.append(0x3D)
            out.append(0x0D)
            out.append(0x0A)
            column = 0
        }
        if isPlain {
            out.append(byte)
        } else {
            out.append(0x3D)
            out.append(hex.utf8Start[Int(byte >> 4)])
            out.append(hex.utf8Start[Int(byte & 15)])
        }
        column += width
    }
    if column > 0 { out += [0x0D, 0x0A] }
    return String(decoding: out, as: UTF8.self)
}
