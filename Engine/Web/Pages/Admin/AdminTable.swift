import Foundation
import UsherCore

/// What is in a cell of a table.
enum Cell {
    case text(String)
    case link(String, String)
    case time(Instant)
    case chip(Tone, String)
    /// `nil`: one that the visitor may not press.
    case press(FormButton?)
}

/// `table.html.mustache`: a table whose cells name their columns where the window is narrow.
struct TablePart: Sendable {
    struct Filled: Sendable {
        var heads: [String]
        var rows: [Row]
    }
    struct Row: Sendable { var cells: [CellPart] }
    struct CellPart: Sendable {
        var column: String
        var cellPath, moment, words: String?
        var cellText = ""
        var state: ChipPart?
        var press: FormButton?

        init(_ column: String, _ cell: Cell) {
            self.column = column
            switch cell {
            case .text(let text): words = text
            case .link(let path, let text): (cellPath, cellText) = (path, text)
            case .time(let instant): (moment, cellText) = (instant.rfc3339, AdminTime.text(instant))
            case .chip(let tone, let word): state = ChipPart(tone, word)
            case .press(let button): press = button
            }
        }
    }

    var filled: Filled?
    /// What stands in place of an empty table.
    var nothing: String?

    init(_ heads: [String], _ rows: [[Cell]], empty: String) {
        if rows.isEmpty {
            nothing = empty
        } else {
            filled = Filled(heads: heads, rows: rows.map { row in Row(cells: zip(heads, row).map { CellPart($0, $1) }) })
        }
    }
}

/// Times for admins: the site's.
enum AdminTime {
    static var zone: String { SiteFrame.current.site?.timeZone ?? "UTC" }

    /// `2026-12-01 10:00`
    static func text(_ instant: Instant) -> String {
        guard instant != .never else { return "" }
        return String(WallTime(instant, in: TimeZone(iana: zone) ?? .gmt).text.prefix(16)).replacing("T", with: " ")
    }
}
