import UsherCore

/// What is in a cell of a table.
enum Cell {
    case text(String)
    case link(String, String)
    case time(Instant)
    case chip(Tone, String)
    case html(HTML)

    var html: HTML {
        switch self {
        case .text(let text): HTML(text: text)
        case .link(let path, let text): "<a href=\"\(path)\">\(text)</a>"
        case .time(let instant): "<time datetime=\"\(instant.rfc3339)\">\(instant.rfc3339.prefix(16).replacing("T", with: " "))</time>"
        case .chip(let tone, let word): Page.chip(tone, word)
        case .html(let html): html
        }
    }
}

extension Page {
    /// A table whose cells name their columns where the window is narrow.
    static func table(_ heads: [String], _ rows: [[Cell]], empty: String) -> HTML {
        guard !rows.isEmpty else { return "<div class=empty><p>\(empty)</p></div>" }
        let head = heads.map { head -> HTML in "<th scope=col>\(head)</th>" }.joined()
        let body = rows.map { row -> HTML in
            let cells = zip(heads, row).map { head, cell -> HTML in "<td data-label=\"\(head)\">\(cell.html)</td>" }
            return "<tr>\(cells.joined())</tr>"
        }.joined()
        return "<div class=wide tabindex=0><table><thead><tr>\(head)</tr></thead><tbody>\(body)</tbody></table></div>"
    }
}
