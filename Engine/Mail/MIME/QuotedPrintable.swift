/// Quoted-printable (RFC 2045 §6.7) with CRLF line ends and lines of at most 76 characters.
/// - Parameter text: in UTF-8.
package func quotedPrintable(_ text: [UInt8]) -> [UInt8] {
    text.withUnsafeBufferPointer { bytes in
        var lines = QuotedLines(bytes)
        return lines.encoded()
    }
}

private struct QuotedLines {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var out: [UInt8] = []
    private var index = 0
    private var column = 0

    private static let hex: StaticString = "0123456789ABCDEF"
    /// Without the sign for a line that goes on.
    private static let width = 75

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        out.reserveCapacity(bytes.count * 5 / 4 + 64)
    }

    mutating func encoded() -> [UInt8] {
        while index < bytes.count {
            copyRun()
            guard index < bytes.count else { break }
            switch bytes[index] {
            case 0x0A: endLine()
            case 0x0D: index += 1
            case let byte:
                // What may stand for itself and was not copied has no room left.
                if column + (isPlain(index) ? 1 : 3) > Self.width { wrap() } else { quote(byte) }
            }
        }
        if column > 0 { out += "\r\n".utf8 }
        return out
    }

    /// Takes over what stands for itself, as far as the line has room.
    private mutating func copyRun() {
        let limit = min(bytes.count, index + Self.width - column)
        var end = index
        while end < limit, Self.isAlwaysPlain(bytes[end]) || isPlain(end) { end += 1 }
        out += UnsafeBufferPointer(rebasing: bytes[index..<end])
        column += end - index
        index = end
    }

    /// Most of what there is.
    private static func isAlwaysPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != 0x2E && byte != 0x3D && byte != 0x46
    }

    private func isPlain(_ index: Int) -> Bool {
        switch bytes[index] {
        case 0x3D: false
        // A dot or "From " at the start of a line means something to some mail systems.
        case 0x2E, 0x46: column > 0 || index > self.index
        case 0x21...0x7E: true
        case 0x20, 0x09: index + 1 < bytes.count && bytes[index + 1] != 0x0A && bytes[index + 1] != 0x0D
        default: false
        }
    }

    private mutating func quote(_ byte: UInt8) {
        out.append(0x3D)
        out.append(Self.hex.utf8Start[Int(byte >> 4)])
        out.append(Self.hex.utf8Start[Int(byte & 15)])
        column += 3
        index += 1
    }

    private mutating func wrap() {
        out += "=\r\n".utf8
        column = 0
    }

    private mutating func endLine() {
        out += "\r\n".utf8
        column = 0
        index += 1
    }
}
