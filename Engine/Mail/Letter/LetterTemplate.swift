import Mustache
import UsherCore

/// A Mustache template for letters.
///
/// Mustache looks every name up by a row of dynamic casts, which would cost more than all else about a mail. So it renders each
/// *shape* of letter once, with marks where texts go; after that a letter's texts are put in between the pieces.
///
/// `{{name}}` shows a text, escaped for HTML in an HTML template; `{{#hasName}}…{{/hasName}}` and `{{#name}}…{{/name}}` stand where
/// it is not empty.
final class LetterTemplate: Sendable {
    enum Form: Sendable { case html, text }

    private let template: MustacheTemplate
    private let form: Form
    /// By shape; more of them do not occur, and a flood must not fill the memory.
    private let outlines = Memo<[UInt8], [Piece]>(limit: 2_000)

    private enum Piece: Sendable {
        case literal([UInt8])
        case text(Int, escaped: Bool)
    }

    /// Around the number of a text, from Unicode's private use area. The ampersand shows whether the template escapes it.
    private static let (open, close): (Character, Character) = ("\u{F0000}", "\u{F0001}")

    /// - Throws: when the template is broken.
    init(_ source: String, _ form: Form) throws {
        template = try MustacheTemplate(string: (form == .text ? "{{% CONTENT_TYPE:TEXT}}" : "") + source)
        self.form = form
    }

    /// - Returns: UTF-8.
    func render(_ shown: TemplateContext) -> [UInt8] {
        let texts = shown.texts
        var out: [UInt8] = []
        out.reserveCapacity(8_192)
        for piece in outline(shown) {
            switch piece {
            case .literal(let text): out += text
            case .text(let index, let isEscaped): out += (isEscaped ? escapedHTML(texts[index]) : texts[index]).utf8
            }
        }
        return out
    }

    private func outline(_ shown: TemplateContext) -> [Piece] {
        outlines.value(shown.shape) {
            var count = 0
            return pieces(template.render(Self.marked(shown, &count)), count)
        }
    }

    /// The values with marks in place of texts.
    private static func marked(_ shown: TemplateContext, _ count: inout Int) -> [String: Any] {
        var values: [String: Any] = [:]
        for entry in shown.values {
            let name = entry.name
            switch entry.value {
            case .text(let text):
                values[name] = Mark(renderText: text.isEmpty ? "" : "\(open)&\(count)\(close)")
                values["has" + name.prefix(1).uppercased() + name.dropFirst()] = !text.isEmpty
                count += 1
            case .flag(let isTrue): values[name] = isTrue
            case .list(let items): values[name] = items.map { marked($0, &count) }
            }
        }
        return values
    }

    private func pieces(_ rendered: String, _ count: Int) -> [Piece] {
        var pieces: [Piece] = []
        for (index, part) in rendered.split(separator: Self.open, omittingEmptySubsequences: false).enumerated() {
            guard index > 0, let end = part.firstIndex(of: Self.close),
                let number = part[..<end].split(separator: ";").last.flatMap({ Int($0.drop { $0 == "&" }) }), number < count
            else {
                pieces.append(.literal(Array(part.utf8)))
                continue
            }
            pieces.append(.text(number, escaped: form == .html && part.hasPrefix("&amp;")))
            pieces.append(.literal(Array(part[part.index(after: end)...].utf8)))
        }
        return pieces
    }

    private struct Mark: MustacheCustomRenderable {
        let renderText: String
        var isNull: Bool { renderText.isEmpty }
    }
}

/// Text for HTML, in content and in quoted attributes.
package func escapedHTML(_ text: String) -> String {
    text.rewritten { byte in
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }
}
