import Mustache
import UsherCore

/// Looks at a template that a site has written, before anything is rendered by it.
package enum TemplateCheck {
    /// What keeps it from being read; `nil` for nothing.
    package static func syntax(_ source: String) -> String? {
        do { _ = try MustacheTemplate(string: source) } catch { return "it cannot be read: \(words(error))" }
        return nil
    }

    /// Names that nothing fills, with their lines.
    package static func unknown(in source: String, _ known: Set<String>) -> [String] {
        names(in: source).subtracting(known).sorted().map { name in
            "line \(line(of: name, in: source)): nothing fills {{\(name)}}"
                + (nearest(name, known.sorted()).map { "; did you mean {{\($0)}}?" } ?? "")
        }
    }

    /// The names between double braces, without their signs.
    package static func names(in source: String) -> Set<String> {
        Set(source.matches(of: /\{\{[#^\/&{]?\s*([A-Za-z]+)\s*\}?\}\}/).map { String($0.1) })
    }

    /// The names of parts, `{{> name}}`.
    package static func parts(in source: String) -> Set<String> {
        Set(source.matches(of: /\{\{>\s*([A-Za-z]+)\s*\}\}/).map { String($0.1) })
    }

    private static func line(of name: String, in source: String) -> Int {
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        return (lines.firstIndex { names(in: String($0)).contains(name) } ?? 0) + 1
    }

    /// A parser's complaint, with the place where it noticed.
    private static func words(_ error: any Error) -> String {
        guard let error = error as? MustacheTemplate.ParserError else { return "\(error)" }
        let what =
            switch error.error as? MustacheTemplate.Error {
            case .sectionCloseNameIncorrect: "a section is closed under another name than it was opened under"
            case .unfinishedName: "a {{ has no }}"
            case .expectedSectionEnd: "a section ({{#…}} or {{^…}}) is never closed"
            default: "\(error.error)"
            }
        return "line \(error.context.lineNumber), column \(error.context.columnNumber): \(what)"
    }
}
