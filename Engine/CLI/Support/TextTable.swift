/// Rows in columns for a terminal, or for whatever reads a pipe: there nothing is shortened.
struct TextTable {
    let rows: [[String]]
    /// The first row names the columns.
    let hasHeader: Bool
    private static let gap = 2
    private static let narrowest = 8

    /// - Parameter rows: whatever stands in them, it does not steer the terminal.
    init(_ rows: [[String]], hasHeader: Bool) {
        self.rows = rows.map { $0.map(Self.harmless) }
        self.hasHeader = hasHeader
    }

    private static func harmless(_ cell: String) -> String {
        guard cell.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return cell }
        return String(String.UnicodeScalarView(cell.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
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
                let blanks = column == row.count - 1 ? 0 : widths[column] - shown.count
                return paint(shown, isHeader ? .strong : .of(cell)) + String(repeating: " ", count: max(blanks, 0))
            }
            return cells.joined(separator: String(repeating: " ", count: Self.gap))
        }
    }

    /// Takes what is too much from the widest columns.
    private func fitted(_ width: Int?) -> [Int] {
        let columns = rows.map(\.count).max() ?? 0
        var widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        guard let width else { return widths }
        while widths.reduce(0, +) + Self.gap * (columns - 1) > width, let widest = widths.max(), widest > Self.narrowest {
            widths[widths.firstIndex(of: widest) ?? 0] -= 1
        }
        return widths
    }

    private static func cut(_ cell: String, _ width: Int) -> String { cell.count <= width ? cell : cell.prefix(max(width - 1, 0)) + "…" }
}
