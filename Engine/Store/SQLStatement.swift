import UsherCore

/// The statements of one table: the raw value is the SQL, with names in braces for lists of columns (see ``Column``), `{lock}` behind a
/// read that locks what it finds, `{skip locked}` behind one that passes over what others have locked, and `[[…]]` around the values of a row where any number of rows may be added.
protocol SQLStatement: RawRepresentable<String>, CaseIterable {
    /// By raw value, those statements that are not written out.
    static var texts: [String: StatementText] { get }
}

extension SQLStatement {
    static var texts: [String: StatementText] { [:] }

    /// The SQL as it is run.
    /// - Parameter locks: whether reads lock; not where a database has one writer.
    func text(locks: Bool) -> String {
        guard let text = Self.texts[rawValue] else { return rawValue }
        return locks ? text.locking : text.plain
    }

    /// The SQL that adds so many rows, ``StatementText/mostRows`` at most, and how many parameters each has.
    func text(rows: Int) -> String { Self.texts[rawValue]?.byRows[rows - 1] ?? rawValue }

    static var all: [String] { allCases.flatMap { Self.texts[$0.rawValue].map { [$0.locking] + $0.byRows.prefix(2) } ?? [$0.rawValue] } }

    /// The statements with the columns of these tables written out.
    static func texts(_ tables: any Column.Type...) -> [String: StatementText] {
        let statements = allCases.map(\.rawValue).filter { $0.contains("{") || $0.contains("[[") }
        return Dictionary(uniqueKeysWithValues: statements.map { ($0, StatementText($0, tables)) })
    }
}

/// A statement written out.
struct StatementText: Sendable {
    let plain: String
    let locking: String
    /// For one row, for two, and so on; empty for one that adds none.
    let byRows: [String]

    /// A statement adds so many rows at most.
    static let mostRows = 8

    init(_ statement: String, _ tables: [any Column.Type]) {
        let parameters = statement.replacing(/\{\$(\d+)\}/) { match in
            (1...(Int(match.1) ?? 1)).map { "$\($0)" }.joined(separator: ", ")
        }
        let text = tables.reduce(parameters) { text, table in
            text.replacing("{\(table.table)}", with: table.list())
                .replacing(/\{(\w)\.(\w+)\}/) { $0.2 == table.table ? table.list("\($0.1).") : String($0.0) }
        }
        let byRows = Self.byRows(text)
        let one = byRows.first ?? text
        plain = one.replacing("{lock}", with: "").replacing("{skip locked}", with: "")
        // Others may add rows that refer to it meanwhile.
        locking = one.replacing("{lock}", with: " FOR NO KEY UPDATE").replacing("{skip locked}", with: " FOR NO KEY UPDATE SKIP LOCKED")
        self.byRows = byRows
    }

    private static func byRows(_ text: String) -> [String] {
        guard let start = text.firstRange(of: "[["), let end = text.firstRange(of: "]]") else { return [] }
        let row = String(text[start.upperBound..<end.lowerBound])
        let width = row.matches(of: /\$(\d+)/).compactMap { Int($0.1) }.max() ?? 0
        return (1...mostRows).map { count in
            let rows = (0..<count).map { index in
                "(" + row.replacing(/\$(\d+)/) { "$\((Int($0.1) ?? 0) + index * width)" }.replacing("{row}", with: "\(index + 1)") + ")"
            }
            return text[..<start.lowerBound] + rows.joined(separator: ", ") + text[end.upperBound...]
        }
    }
}
