import UsherCore
import Yams

/// YAML text to a tree of nodes with their places.
enum Composer {
    /// Aliases may blow a small file up; a catalogue never comes near this.
    private static let nodeLimit = 3_000_000
    private static let duplicateLimit = 200
    /// What a key that stands twice is called after its first finding, so that parsing can go on: characters of Unicode's
    /// private use area, as many as the key had, so that nothing moves.
    private static let maskBase: UInt32 = 0xE000
    /// Stands for the `*` of an alias, from the same area.
    private static let inertStar: Unicode.Scalar = "\u{F8FF}"

    static func compose(_ text: String, _ report: Reporter) -> Node? {
        var source = text
        var doubled: [(name: String, place: Place)] = []
        for round in 0..<duplicateLimit {
            do {
                if let place = try keyToRefuse(source) {
                    report.error(.syntax, place, "a key must be a plain word, not an alias, a list or a mapping")
                    return nil
                }
                guard let root = try Yams.compose(yaml: source) else {
                    report.error(.empty, nil, "the file holds nothing but comments; it needs version, site, providers and meeting-types")
                    return nil
                }
                guard !hasAliases(text) || size(root, budget: nodeLimit) > 0 else {
                    report.error(
                        .aliasBomb, nil,
                        "the aliases in this file (`*name`) expand to more than \(nodeLimit) values; write it without nesting aliases")
                    return nil
                }
                reportDoubled(doubled, root, report)
                return root
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                doubled.append((names.first ?? "", Place(context.mark)))
                report.masked(names.first ?? "", round)
                guard let masked = mask(names.first ?? "", at: context.mark, in: source, round) else {
                    reportDoubled(doubled, nil, report)
                    return nil
                }
                source = masked
            } catch {
                reportDoubled(doubled, nil, report)
                syntax(error, report)
                return nil
            }
        }
        return nil
    }

    /// Says of each key that stands twice where the second one stands, and where the first does.
    private static func reportDoubled(_ doubled: [(name: String, place: Place)], _ root: Node?, _ report: Reporter) {
        for (round, key) in doubled.enumerated() {
            let other = root.flatMap { twin(ofRound: round, key.name, $0) } ?? key.place
            let (first, second) = (key.place.line, key.place.column) < (other.line, other.column) ? (key.place, other) : (other, key.place)
            report.error(
                .duplicate, second,
                "'\(key.name)' stands here once more; the first is in line \(first.line), and YAML would silently drop one: remove or rename one"
            )
        }
    }

    /// The place of the key that is in one mapping with the one that was masked in that round.
    private static func twin(ofRound round: Int, _ name: String, _ node: Node) -> Place? {
        switch node {
        case .mapping(let mapping):
            if mapping.contains(where: { $0.key.string.flatMap(maskRound) == round }) {
                return mapping.first { $0.key.string == name }?.key.place
            }
            return mapping.lazy.compactMap { twin(ofRound: round, name, $0.value) }.first
        case .sequence(let items): return items.lazy.compactMap { twin(ofRound: round, name, $0) }.first
        default: return nil
        }
    }

    /// The round in which a key was masked; `nil` for one that was not.
    static func maskRound(_ key: String) -> Int? {
        guard let first = key.unicodeScalars.first, (maskBase..<maskBase + UInt32(duplicateLimit)).contains(first.value) else { return nil }
        return Int(first.value - maskBase)
    }

    /// Replaces the key at `mark` by another of the same length.
    private static func mask(_ name: String, at mark: Mark, in source: String, _ round: Int) -> String? {
        var lines = source.split(separator: "\n", omittingEmptySubsequences: false).map { Substring($0) }
        guard lines.indices.contains(mark.line - 1), let stand = Unicode.Scalar(maskBase + UInt32(round)) else { return nil }
        var scalars = Array(lines[mark.line - 1].unicodeScalars)
        let start = mark.column - 1
        let quotes = scalars.indices.contains(start) && (scalars[start] == "\"" || scalars[start] == "'") ? 2 : 0
        let end = start + name.unicodeScalars.count + quotes
        guard start < end, end <= scalars.count else { return nil }
        for index in start..<end { scalars[index] = stand }
        var line = String.UnicodeScalarView()
        line.append(contentsOf: scalars)
        lines[mark.line - 1] = Substring(String(line))
        return lines.joined(separator: "\n")
    }

    private static func hasAliases(_ text: String) -> Bool {
        text.utf8.contains(UInt8(ascii: "*")) && text.utf8.contains(UInt8(ascii: "&"))
    }

    /// The place of a key that is an alias or a collection: comparing such keys, expanded, could take for ever. So the file is
    /// read once with its aliases made plain text, which expands nothing.
    private static func keyToRefuse(_ source: String) throws -> Place? {
        guard hasAliases(source), let root = try Yams.compose(yaml: source.replacing("*", with: String(inertStar))) else { return nil }
        return keyToRefuse(root)
    }

    private static func keyToRefuse(_ node: Node) -> Place? {
        switch node {
        case .scalar, .alias: return nil
        case .sequence(let items): return items.lazy.compactMap { keyToRefuse($0) }.first
        case .mapping(let pairs):
            return pairs.lazy.compactMap { key, value in
                guard case .scalar(let scalar) = key, !scalar.isPlain || scalar.string.unicodeScalars.first != inertStar else {
                    return key.place ?? Place(line: 1, column: 1)
                }
                return keyToRefuse(value)
            }.first
        }
    }

    /// How much of `budget` is left after counting `node` and all in it, aliases expanded.
    private static func size(_ node: Node, budget: Int) -> Int {
        guard budget > 0 else { return 0 }
        switch node {
        case .scalar, .alias: return budget - 1
        case .sequence(let items): return items.reduce(budget - 1) { size($1, budget: $0) }
        case .mapping(let pairs): return pairs.reduce(budget - 1) { size($1.value, budget: size($1.key, budget: $0)) }
        }
    }

    private static func syntax(_ error: any Error, _ report: Reporter) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let before = context.map { " (\($0.text.contains("\n") ? "" : $0.text))" } ?? ""
            report.error(.syntax, Place(mark), "\(plain(problem))\(before == " ()" ? "" : before)")
        case YamlError.reader(let problem, _, _, _): report.error(.encoding, nil, problem)
        default: report.error(.syntax, nil, "\(error)")
        }
    }

    /// libyaml's words with what they usually mean.
    private static func plain(_ problem: String) -> String {
        if problem.contains("cannot start any token") {
            return "\(problem): indent with blanks, not tabs, and put text that begins with @ or ` in quotes"
        }
        if problem.contains("mapping values are not allowed") {
            return "\(problem): put text that holds ': ' in quotes, or check the indentation"
        }
        if problem.contains("expected alphabetic or numeric") { return "\(problem): put text that begins with * or & in quotes" }
        if ["expected key", "expected ',' or", "expected '-' indicator"].contains(where: problem.contains) {
            return "\(problem): check the indentation, since lines of one level begin in the same column, and close each bracket and quote"
        }
        if problem.contains("undefined alias") { return "\(problem): an alias (*name) needs its anchor (&name) above it" }
        if problem.contains("max depth") || problem.contains("nest") { return "this is nested far too deep for a catalogue" }
        if problem.contains("another document") { return "a second document begins here (---): a catalogue is one document" }
        return problem
    }
}
