import Foundation

/// What a mail holds under its headers (RFC 2045, 2046): a leaf, or parts around parts.
indirect enum BodyPart {
    /// - Parameters:
    ///   - encoding: of `content`, which is encoded already, and ASCII.
    ///   - headers: further lines without line ends.
    case leaf(type: String, encoding: String, headers: [String], content: [UInt8])
    case multipart(String, [BodyPart])

    /// - Parameter text: in UTF-8.
    static func text(_ text: [UInt8]) -> BodyPart {
        .leaf(type: "text/plain; charset=utf-8", encoding: "quoted-printable", headers: [], content: quotedPrintable(text))
    }

    /// - Parameter html: in UTF-8.
    static func html(_ html: [UInt8]) -> BodyPart {
        .leaf(type: "text/html; charset=utf-8", encoding: "quoted-printable", headers: [], content: quotedPrintable(html))
    }

    /// What mail programs read as an invitation (RFC 6047).
    /// - Parameters:
    ///   - method: `REQUEST` or `CANCEL` (RFC 5546).
    ///   - lines: from ``base64Lines(_:)``.
    static func invitation(method: String, _ lines: [UInt8]) -> BodyPart {
        .leaf(
            type: "text/calendar; charset=utf-8; method=\(method)", encoding: "base64", headers: [], content: lines)
    }

    /// The same as a file, for programs that do not.
    static func calendarFile(_ lines: [UInt8]) -> BodyPart {
        .leaf(
            type: "application/ics; name=\"invite.ics\"", encoding: "base64",
            headers: ["Content-Disposition: attachment; filename=\"invite.ics\""], content: lines)
    }

    /// A picture that the HTML beside it shows (RFC 2392).
    static func logo(_ logo: Logo) -> BodyPart {
        .leaf(
            type: "image/png; name=\"logo.png\"", encoding: "base64",
            headers: ["Content-ID: <\(Logo.contentID)>", "Content-Disposition: inline; filename=\"logo.png\""],
            content: base64Lines(logo.bytes))
    }

    /// - Parameter id: makes the boundaries, so that the same mail gives the same bytes.
    func write(to out: inout [UInt8], id: String) {
        switch self {
        case .leaf(let type, let encoding, let headers, let content):
            out += "Content-Type: \(type)\r\nContent-Transfer-Encoding: \(encoding)\r\n".utf8
            for header in headers { out += "\(header)\r\n".utf8 }
            out += "\r\n".utf8
            out += content
        case .multipart(let kind, let parts):
            let boundary = "=_\(kind)_\(id)"
            out += "Content-Type: multipart/\(kind); boundary=\"\(boundary)\"\r\n".utf8
            for part in parts {
                out += "\r\n--\(boundary)\r\n".utf8
                part.write(to: &out, id: id)
            }
            out += "\r\n--\(boundary)--\r\n".utf8
        }
    }

    /// Lines of 76 characters (RFC 2045 §6.8).
    static func base64Lines(_ bytes: [UInt8]) -> [UInt8] {
        let options: Data.Base64EncodingOptions = [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]
        return Array(Data(bytes).base64EncodedData(options: options)) + "\r\n".utf8
    }
}
