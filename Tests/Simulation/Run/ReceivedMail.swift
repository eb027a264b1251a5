import Foundation
import UsherCore

/// A mail read back: no more of MIME than our own mails use; Python's parser reads them in other tests.
struct ReceivedMail {
    let id: String
    /// When it came, counted in mails.
    var order = 0
    /// The plain text, lines ended by LF.
    let text: String
    /// The properties of the event that came with it, by name, `METHOD` of the calendar among them; `nil` where none came.
    let event: [String: String]?
    private let headers: [String: String]

    init(_ mail: OutgoingMail) {
        id = mail.id
        let lines = mail.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
        let whole = Part(lines[...])
        headers = whole.headers
        let leaves = whole.leaves
        text = leaves.first { $0.type.hasPrefix("text/plain") }?.content ?? ""
        event = leaves.first { $0.type.hasPrefix("text/calendar") }.map { Self.properties($0.content) }
    }

    /// - Parameter name: in small letters.
    func header(_ name: String) -> String? { headers[name] }

    private static func properties(_ calendar: String) -> [String: String] {
        var found: [String: String] = [:]
        for line in calendar.replacing("\n ", with: "").split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = String(line[..<colon].prefix { $0 != ";" })
            found[name] = found[name] ?? String(line[line.index(after: colon)...])
        }
        return found
    }

    private struct Part {
        var headers: [String: String] = [:]
        var body: ArraySlice<String>

        init(_ lines: ArraySlice<String>) {
            let end = lines.firstIndex(of: "") ?? lines.endIndex
            body = lines[end...].dropFirst()
            var last = ""
            for line in lines[..<end] {
                if line.first == " " || line.first == "\t" {
                    headers[last]? += line
                } else if let colon = line.firstIndex(of: ":") {
                    last = line[..<colon].lowercased()
                    headers[last] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                }
            }
        }

        var type: String { headers["content-type"] ?? "" }

        var leaves: [Part] {
            guard let start = type.range(of: "boundary=\"")?.upperBound else { return [self] }
            let boundary = "--" + type[start...].prefix { $0 != "\"" }
            return body.split { $0.hasPrefix(boundary) }.dropFirst(body.first?.hasPrefix(boundary) == true ? 0 : 1).flatMap {
                Part($0).leaves
            }
        }

        /// Decoded.
        var content: String {
            switch headers["content-transfer-encoding"] {
            case "base64":
                let bytes = Data(base64Encoded: body.joined()) ?? Data()
                return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
            case "quoted-printable": return quotedPrintable
            default: return body.joined(separator: "\n")
            }
        }

        private var quotedPrintable: String {
            var bytes: [UInt8] = []
            for line in body {
                var rest = Array(line.utf8)[...]
                let isSoft = rest.last == UInt8(ascii: "=")
                if isSoft { rest.removeLast() }
                while let byte = rest.popFirst() {
                    if byte == UInt8(ascii: "="), let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                        bytes.append(code)
                        rest = rest.dropFirst(2)
                    } else {
                        bytes.append(byte)
                    }
                }
                if !isSoft { bytes.append(UInt8(ascii: "\n")) }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}
