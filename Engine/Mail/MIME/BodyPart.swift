import Foundation

/// What a mail holds under its headers (RFC 2045, 2046): a leaf, or parts around parts.
indirect enum BodyPart {
    /// - Parameters:
    ///   - encoding: of `content`, which is encoded already.
    ///   - headers: further lines without line ends.
    case leaf(type: String, encoding: String, headers: [String], content: String)
    case multipart(String, [BodyPart])

    static func text(_ text: String) -> BodyPart {
        .leaf(type: "text/plain; charset=utf-8", encoding: "quoted-printable", headers: [], content: quotedPrintable(text))
    }

    static func html(_ html: String) -> BodyPart {
        .leaf(type: "text/html; charset=utf-8", encoding: "quoted-printable", headers: [], content: quotedPrintable(html))
    }

    /// What mail programs read as an invitation (RFC 6047).
    static func invitation(_ calendar: Invitation) -> BodyPart {
        .leaf(
            type: "text/calendar; charset=utf-8; method=\(calendar.method.rawValue)", encoding: "base64", headers: [],
            content: base64Lines(Data(calendar.text.utf8)))
    }

    /// The same as a file, for programs that do not.
    static func calendarFile(_ calendar: Invitation) -> BodyPart {
        .leaf(
            type: "application/ics; name=\"invite.ics\"", encoding: "base64",
            headers: ["Content-Disposition: attachment; filename=\"invite.ics\""], content: base64Lines(Data(calendar.text.utf8)))
    }

    /// A picture that the HTML beside it shows (RFC 2392).
    static func logo(_ logo: Logo) -> BodyPart {
        .leaf(
            type: "image/png; name=\"logo.png\"", encoding: "base64",
            headers: ["Content-ID: <\(Logo.contentID)>", "Content-Disposition: inline; filename=\"logo.png\""],
            content: base64Lines(Data(logo.bytes)))
    }

    /// - Parameter id: makes the boundaries, so that the same mail gives the same bytes.
    func write(to out: inout String, id: String) {
        switch self {
        case .leaf(let type, let encoding, let headers, let content):
            out += "Content-Type: \(type)\r\nContent-Transfer-Encoding: \(encoding)\r\n"
            for header in headers { out += "\(header)\r\n" }
            out += "\r\n"
            out += content
        case .multipart(let kind, let parts):
            let boundary = "=_\(kind)_\(id)"
            out += "Content-Type: multipart/\(kind); boundary=\"\(boundary)\"\r\n"
            for part in parts {
                out += "\r\n--\(boundary)\r\n"
                part.write(to: &out, id: id)
            }
            out += "\r\n--\(boundary)--\r\n"
        }
    }

    private static func base64Lines(_ data: Data) -> String {
        data.base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]) + "\r\n"
    }
}
