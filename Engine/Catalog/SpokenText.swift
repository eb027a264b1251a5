import UsherCore
import Yams

/// A text that may be written once, or by language: `title: Visit`, `title: { en: Visit, de: Termin }`.
struct SpokenText {
    /// In the site's language.
    let base: String
    /// By the tags of other languages.
    let others: [String: String]
    let mark: Place?
    /// For messages.
    let path: String
    /// The languages that it is written in; `nil` where it is written once, for all.
    let languages: Set<String>?

    /// - Parameter site: the site's language, which a text by language must have.
    init?(_ fields: Fields, _ key: String, site: String, _ report: Reporter, limit: Int = 200, lines: Bool = false) {
        path = fields.path(key)
        guard let node = fields[key] else { return nil }
        guard case .mapping = node, let texts = Fields(node, path, report) else {
            guard let text = fields.text(key, limit: limit, lines: lines, prose: true) else { return nil }
            (base, others, mark, languages) = (text.value, [:], text.mark, nil)
            return
        }
        var found: [String: String] = [:]
        for field in texts.entries {
            let language = Language.normalized(field.key)
            if language == nil { report.error(.value, field.mark, "'\(field.key)' in '\(path)' \(Language.choices)") }
            guard let text = texts.text(field.key, limit: limit, lines: lines, prose: true) else { continue }
            report.checkMarks(text.value, among: Placeholders.known, text.mark)
            if let language { found[language] = text.value }
        }
        guard let own = found[site] ?? found[Language.base(site)] else {
            report.error(.missingKey, node.place, "'\(path)' has no text in the site's language: add '\(site): …'")
            return nil
        }
        languages = Set(found.keys)
        (base, mark) = (own, node.place)
        found[site] = nil
        others = found
    }

    /// Warns of languages that some of these texts have, and others of them have not.
    static func compare(_ texts: [SpokenText], _ report: Reporter) {
        let all = texts.compactMap(\.languages).reduce(Set()) { $0.union($1) }
        for text in texts where !all.isEmpty {
            let missing = text.languages.map { all.subtracting($0) } ?? []
            guard !missing.isEmpty else { continue }
            report.warning(
                .value, text.mark,
                "'\(text.path)' has no text in \(missing.sorted().joined(separator: ", ")), which others of this meeting type have: readers get the site's"
            )
        }
    }
}
