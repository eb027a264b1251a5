import Foundation
import UsherCore

/// A mail as bytes (RFC 5322, 2047). Date and boundaries derive from what is written, so that the same mail gives the same bytes.
struct Message {
    /// What stands in the headers.
    struct Head {
        /// Makes the boundaries.
        var id: String
        var writtenAt: Instant
        /// Without angle brackets.
        var messageID: String
        /// The Message-ID of the thread's first mail.
        var threadID: String?
        var from: Mailbox
        var to: Mailbox
        /// Empty where answers reach nobody.
        var replyTo: [Mailbox]
        var subject: String
    }

    let bytes: [UInt8]

    init(_ head: Head, _ body: BodyPart) {
        var out: [UInt8] = []
        out.reserveCapacity(32_768)
        func header(_ name: String, _ value: String) { out += "\(name): \(value)\r\n".utf8 }
        header("Date", Self.date(head.writtenAt))
        header("Message-ID", "<\(head.messageID)>")
        if let thread = head.threadID {
            header("In-Reply-To", "<\(thread)>")
            header("References", "<\(thread)>")
        }
        header("From", Self.mailbox(head.from))
        header("To", Self.mailbox(head.to))
        if !head.replyTo.isEmpty { header("Reply-To", head.replyTo.map(Self.mailbox).joined(separator: ",\r\n ")) }
        header("Subject", Self.unstructured(head.subject))
        header("Auto-Submitted", "auto-generated")
        header("MIME-Version", "1.0")
        body.write(to: &out, id: head.id)
        bytes = out
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
        guard isPlain(text), text.utf8.count <= 60 else { return encodedWords(text) }
        return "\"" + text.unicodeScalars.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : String($0) }.joined() + "\""
    }

    private static func unstructured(_ text: String) -> String {
        isPlain(text) && text.utf8.count <= 66 ? text : encodedWords(text)
    }

    /// Printable ASCII without what looks like the start of an encoded word.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { (32...126).contains($0) } && !zip(text.utf8, text.utf8.dropFirst()).contains { $0 == 0x3D && $1 == 0x3F }
    }

    /// RFC 2047: words of at most 75 characters, each whole in its characters, folded onto lines of their own.
    private static func encodedWords(_ text: String) -> String {
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars where scalar.value >= 32 && scalar.value != 127 {
            let bytes = Array(String(scalar).utf8)
            if words[words.count - 1].count + bytes.count > 39 { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }
}

/// Quoted-printable (RFC 2045 §6.7) with CRLF line ends and lines of at most 76 characters.
func quotedPrintable(_ text: String) -> [UInt8] {
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
    return out
}
