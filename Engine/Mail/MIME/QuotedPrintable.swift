/// Quoted-printable (RFC 2045 §6.7) with CRLF line ends and lines of at most 76 characters.
/// - Parameter text: in UTF-8.
package func quotedPrintable(_ text: [UInt8]) -> [UInt8] {
    // A byte takes three places at most, and a line of 73 or more another three for its end.
    [UInt8](unsafeUninitializedCapacity: text.count * 3 + text.count / 8 + 8) { out, count in
        text.withUnsafeBufferPointer { bytes in
            var lines = QuotedLines(bytes: bytes, out: out)
            lines.encode()
            count = lines.count
        }
    }
}

private struct QuotedLines {
    let bytes: UnsafeBufferPointer<UInt8>
    let out: UnsafeMutableBufferPointer<UInt8>
    /// How much of `out` is written.
    private(set) var count = 0
    private var index = 0
    private var column = 0

    private static let hex: StaticString = "0123456789ABCDEF"
    /// Without the sign for a line that goes on.
    private static let width = 75

    init(bytes: UnsafeBufferPointer<UInt8>, out: UnsafeMutableBufferPointer<UInt8>) {
        self.bytes = bytes
        self.out = out
    }

    mutating func encode() {
        while index < bytes.count {
            if column > 0 || !startsLine(bytes[index]) { copyRun() }
            guard index < bytes.count else { break }
            switch bytes[index] {
            case 0x0A: endLine()
            case 0x0D: index += 1
            // What may stand for itself and was not copied has no room left.
            case _ where isPlain(index) && column > 0: wrap()
            case let byte:
                if column + 3 > Self.width { wrap() }
                quote(byte)
            }
        }
        if column > 0 {
            put(0x0D)
            put(0x0A)
        }
    }

    /// Takes over what stands for itself, as far as the line has room.
    private mutating func copyRun() {
        let limit = min(bytes.count, index + Self.width - column)
        let start = index
        var (from, to) = (index, count)
        while from < limit, isPlain(from) {
            out[to] = bytes[from]
            from += 1
            to += 1
        }
        (index, count) = (from, to)
        column += from - start
    }

    /// A dot or "From " at the start of a line means something to some mail systems.
    private func startsLine(_ byte: UInt8) -> Bool { byte == 0x2E || byte == 0x46 }

    private func isPlain(_ index: Int) -> Bool {
        let byte = bytes[index]
        if byte > 0x20 { return byte < 0x7F && byte != 0x3D }
        // Not at the end of a line.
        guard byte == 0x20 || byte == 0x09, index + 1 < bytes.count else { return false }
        return bytes[index + 1] != 0x0A && bytes[index + 1] != 0x0D
    }

    private mutating func quote(_ byte: UInt8) {
        put(0x3D)
        put(Self.hex.utf8Start[Int(byte >> 4)])
        put(Self.hex.utf8Start[Int(byte & 15)])
        column += 3
        index += 1
    }

    private mutating func wrap() {
        put(0x3D)
        put(0x0D)
        put(0x0A)
        column = 0
    }

    private mutating func endLine() {
        put(0x0D)
        put(0x0A)
        column = 0
        index += 1
    }

    private mutating func put(_ byte: UInt8) {
        out[count] = byte
        count += 1
    }
}
