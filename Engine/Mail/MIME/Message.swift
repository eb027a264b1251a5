import Foundation
import UsherCore

/// A mail as bytes (RFC 5322, 2047). Date and boundaries derive from what is written, so that the same mail gives the same bytes.
struct Message {
    /// What is in the headers.
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
        func header(_ name: String, _ value: String) {
            out += name.utf8
            out += ": ".utf8
            out += value.utf8
            out += "\r\n".utf8
        }
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
        let quoted = text.rewritten { byte in
            switch byte {
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: "\""): "\\\""
            default: nil
            }
        }
        return "\"\(quoted)\""
    }

    private static func unstructured(_ text: String) -> String {
        isPlain(text) && text.utf8.count <= 66 ? text : encodedWords(text)
    }

    /// Printable ASCII without what looks like the start of an encoded word.
    private static func isPlain(_ text: String) -> Bool {
        var before: UInt8 = 0
        for byte in text.utf8 {
            if byte < 32 || byte > 126 || before == UInt8(ascii: "=") && byte == UInt8(ascii: "?") { return false }
            before = byte
        }
        return true
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
