import Foundation

/// A name and a mail address: `Northwind Clinic <bookings@northwind.example>`.
public struct Mailbox: Hashable, Sendable, Codable {
    /// Empty where there is none.
    public var name: String
    /// `local@domain`, in ASCII.
    public var address: String

    /// Takes each property as it is, unchecked.
    public init(name: String, address: String) {
        self.name = name
        self.address = address
    }

    /// The address's part after the `@`.
    public var domain: String {
        guard let at = address.utf8.lastIndex(of: UInt8(ascii: "@")) else { return "localhost" }
        return String(address[at...].dropFirst())
    }

    /// Reads `Name <address>`, `"Name" <address>` or a bare address; `nil` if the address cannot be one.
    public init?(_ text: String) {
        let trimmed = text.trimmingBlanks
        guard let open = trimmed.lastIndex(of: "<") else {
            guard let address = asciiMailAddress(trimmed) else { return nil }
            self.init(name: "", address: address)
            return
        }
        guard trimmed.hasSuffix(">") else { return nil }
        let address = String(trimmed[trimmed.index(after: open)...].dropLast())
        var name = String(trimmed[..<open]).trimmingBlanks
        if name.count >= 2, name.hasPrefix("\""), name.hasSuffix("\"") {
            name = String(name.dropFirst().dropLast())
        } else if name.contains(where: { "<>@,;\"".contains($0) }) {
            return nil  // more than one address
        }
        guard let address = asciiMailAddress(address), !name.unicodeScalars.contains(where: \.isControl) else { return nil }
        self.init(name: name, address: address)
    }
}

/// Whether `text` can stand as an address in an envelope and a header: `local@domain` in ASCII, with the characters of
/// RFC 5322 §3.2.3 (dot-atom) alone, so that no address can say anything to a header or to SMTP.
public func isMailAddress(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    guard parts.count == 2, text.utf8.count <= Limits.mailAddress, parts[0].count <= 64 else { return false }
    let isAtom = { (byte: UInt8) in isLetterOrDigit(byte) || "!#$%&'*+-/=?^_`|~".utf8.contains(byte) }
    let isHost = { (byte: UInt8) in isLetterOrDigit(byte) || byte == UInt8(ascii: "-") }
    let dot = UInt8(ascii: ".")
    return parts[0].split(separator: dot, omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && $0.allSatisfy(isAtom) }
        && parts[1].split(separator: dot, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.allSatisfy(isHost) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
        }
}

/// The address with its domain in ASCII (IDNA, UTS 46): `bo@bücher.example` is `bo@xn--bcher-kva.example` in mail.
/// - Returns: `nil` where it cannot be an address.
public func asciiMailAddress(_ text: String) -> String? {
    if isMailAddress(text) { return text }
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].unicodeScalars.allSatisfy({ isHostScalar($0) }),
        let host = URL(string: "https://\(parts[1])/")?.host
    else { return nil }
    let address = "\(parts[0])@\(host)"
    return isMailAddress(address) ? address : nil
}

private func isHostScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber: true
    default: scalar == "-" || scalar == "."
    }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
}

extension StringProtocol {
    /// Without blanks, tabs and line ends on either side.
    public var trimmingBlanks: String {
        var part = Substring(self)
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return String(part)
    }
}

extension Unicode.Scalar {
    /// A control character or a line end, ASCII or not: it has no place in a name or a header.
    public var isControl: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }
}
