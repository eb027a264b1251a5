import UsherCore

/// The file's bytes as text.
enum SourceText {
    /// Decodes UTF-8, with or without a byte order mark; anything else is reported with its place.
    static func decode(_ bytes: [UInt8], _ report: Reporter) -> String? {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            report.error(.encoding, nil, "the file is UTF-16; save it as UTF-8")
            return nil
        }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        if let zero = body.firstIndex(of: 0) {
            report.error(.encoding, mark(of: zero, in: body), "the file holds binary data; it must be YAML in UTF-8")
            return nil
        }
        guard let text = String(validating: body, as: UTF8.self) else {
            report.error(.encoding, mark(of: firstInvalid(body), in: body), "this is not UTF-8; save the file as UTF-8")
            return nil
        }
        guard text.contains(where: { !$0.isWhitespace }) else {
            report.error(
                .empty, nil, "the file is empty; it needs version, site, providers and meeting-types (`usher schema` describes them)")
            return nil
        }
        // A line end of two characters is one to Swift, and would hide from every search for a line's end.
        return text.replacing("\r\n", with: "\n")
    }

    private static func mark(of index: Int, in bytes: ArraySlice<UInt8>) -> Place {
        let before = bytes[..<index]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? bytes.startIndex
        let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
        return Place(line: before.count { $0 == 0x0A } + 1, column: column)
    }

    /// Where the longest valid beginning ends. It is looked for by halves: a cut inside a character moves its end by three bytes at most.
    private static func firstInvalid(_ bytes: ArraySlice<UInt8>) -> Int {
        func validEnd(before end: Int) -> Int? {
            (max(bytes.startIndex, end - 3)...end).reversed().first {
                String(validating: bytes[bytes.startIndex..<$0], as: UTF8.self) != nil
            }
        }
        var (low, high) = (bytes.startIndex, bytes.endIndex)
        while low < high {
            let middle = (low + high + 1) / 2
            if validEnd(before: middle) != nil { low = middle } else { high = middle - 1 }
        }
        return min(validEnd(before: low) ?? low, bytes.endIndex - 1)
    }
}
