/// Rows in columns for a terminal, or for whatever reads a pipe: there nothing is shortened.
struct TextTable {
    private let rows: [[String]]
    /// The first row names the columns.
    private let hasHeader: Bool
    private static let gap = 2
    private static let narrowest = 8
    /// What may be shortened: names and the like. Ids, times and variables are copied from a table, and stay whole.
    private static let prose: Set = ["NAME", "TITLE", "OWNER", "ACCOUNT"]
    /// Words that say how something does.
    private static let states: Set = ["STATUS", "MEETING", "STATE", "HEALTH"]

    /// - Parameter rows: whatever stands in them, it does not steer the terminal.
    init(_ rows: [[String]], hasHeader: Bool) {
        self.rows = rows.map { $0.map(\.harmless) }
        self.hasHeader = hasHeader
    }

    /// - Parameters:
    ///   - width: columns of the terminal; `nil`: as many as it takes.
    ///   - paint: gives the cells of the header, and words for how something does, their colour.
    func lines(within width: Int?, _ paint: (String, Terminal.Tone?) -> String) -> [String] {
        let widths = fitted(width)
        return rows.enumerated().map { number, row in
            let isHeader = hasHeader && number == 0
            let cells = row.enumerated().map { column, cell in
                let shown = Self.cut(cell, widths[column])
                let blanks = column == row.count - 1 ? 0 : widths[column] - shown.columns
                let tone = isHeader ? .strong : belongs(column, to: Self.states) ? Terminal.Tone.of(cell) : nil
                return paint(shown, tone) + String(repeating: " ", count: max(blanks, 0))
            }
            return cells.joined(separator: String(repeating: " ", count: Self.gap))
        }
    }

    private func belongs(_ column: Int, to names: Set<String>) -> Bool {
        guard hasHeader, let header = rows.first, column < header.count else { return false }
        return names.contains(header[column])
    }

    /// Takes what is too much from the widest of the columns that may be shortened.
    private func fitted(_ width: Int?) -> [Int] {
        let columns = rows.map(\.count).max() ?? 0
        var widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].columns : 0 }.max() ?? 0 }
        guard let width else { return widths }
        let elastic = widths.indices.filter { belongs($0, to: Self.prose) }
        while widths.reduce(0, +) + Self.gap * (columns - 1) > width, let widest = elastic.max(by: { widths[$0] < widths[$1] }),
            widths[widest] > Self.narrowest
        {
            widths[widest] -= 1
        }
        return widths
    }

    private static func cut(_ cell: String, _ width: Int) -> String {
        guard cell.columns > width else { return cell }
        var (shown, taken) = ("", 1)
        for character in cell {
            taken += String(character).columns
            guard taken <= width else { break }
            shown.append(character)
        }
        return shown + "…"
    }
}

extension String {
    /// Without what could steer a terminal, the direction of writing among it.
    fileprivate var harmless: String {
        func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
            // The joiner holds emoji together.
            [.control, .format].contains(scalar.properties.generalCategory) && scalar != "\u{200D}"
        }
        guard unicodeScalars.contains(where: isHarmful) else { return self }
        return String(UnicodeScalarView(unicodeScalars.map { isHarmful($0) ? "\u{FFFD}" : $0 }))
    }

    /// How many columns of a terminal it takes: two for each character of East Asian scripts and each emoji.
    /// Source: https://www.unicode.org/reports/tr11/
    fileprivate var columns: Int {
        reduce(0) { sum, character in
            let isWide = character.unicodeScalars.first.map { Self.isWide($0.value) } ?? false
            return sum + (isWide ? 2 : 1)
        }
    }

    private static func isWide(_ scalar: UInt32) -> Bool { wide.contains { $0.contains(scalar) } }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
        0x1F300...0x1FAFF, 0x20000...0x3FFFD,
    ]
}
