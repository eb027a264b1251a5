import UsherCore
import Yams

/// One mapping of the file, read key by key: merge keys are resolved, and what nobody asked for is reported.
struct Fields {
    struct Field {
        var key: String
        var mark: Place?
        var value: Node
    }

    let report: Reporter
    let mark: Place?
    /// For messages: `meeting-types.consultation`.
    let path: String
    private(set) var all: [Field] = []
    /// Those whose key stood here before: the file is refused for it, and what is wrong with them is said all the same.
    private var doubled: [Field] = []

    /// Every entry, for a mapping of names.
    var entries: [Field] { all + doubled }

    /// Reports, and gives `nil`, when `node` is not a mapping.
    init?(_ node: Node, _ path: String, _ report: Reporter) {
        guard case .mapping(let mapping) = node else {
            report.error(.type, node.place, "\(path.isEmpty ? "the file" : "'\(path)'") must be a mapping of keys to values")
            return nil
        }
        self.report = report
        self.path = path
        mark = mapping.place
        add(mapping, merging: false)
    }

    private mutating func add(_ mapping: Node.Mapping, merging: Bool) {
        var merges: [Node] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                report.error(.type, key.place, "a key must be a plain word")
                continue
            }
            if scalar.string == "<<", scalar.isPlain {
                merges.append(value)
            } else if let round = Composer.maskRound(scalar.string) {
                addDoubled(Field(key: report.maskedKey(round), mark: scalar.place, value: value))
            } else if !merging || !all.contains(where: { $0.key == scalar.string }) {
                all.append(Field(key: scalar.string, mark: scalar.place, value: value))
            }
        }
        // What stands here wins over what is merged in, and an earlier merge over a later one.
        for merge in merges {
            switch merge {
            case .mapping(let other): add(other, merging: true)
            case .sequence(let others):
                for case .mapping(let other) in others { add(other, merging: true) }
            default: report.error(.type, merge.place, "`<<` merges mappings: write `<<: *name`")
            }
        }
    }

    private mutating func addDoubled(_ field: Field) {
        doubled.append(field)
        if case .scalar(let scalar) = field.value, SecretDetector.isSecret(key: field.key) || SecretDetector.isSecret(value: scalar.string)
        {
            report.error(
                .secretInFile, field.mark,
                "'\(path(field.key))' looks like a secret, and no secret may stand in this file: set it in the environment, and change it if the file was ever shared"
            )
        }
    }

    subscript(key: String) -> Node? { all.first { $0.key == key }?.value }

    func path(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Reports every key that is not among `known`, with the nearest that is.
    func refuseUnknown(_ known: [String]) {
        for field in all where !known.contains(field.key) {
            if SecretDetector.isSecret(key: field.key) {
                report.error(
                    .secretInFile, field.mark,
                    "'\(field.key)' looks like a secret, and no secret may stand in this file: set it in the environment (`usher providers` names the variables), and change it if the file was ever shared"
                )
                continue
            }
            let near = hint(field.key, known, otherwise: "; known here: \(known.joined(separator: ", "))")
            report.error(.unknownKey, field.mark, "unknown key '\(field.key)'\(path.isEmpty ? "" : " in '\(path)'")\(near)")
        }
    }

    /// Whether a key that stands here is probably meant to be this one: that finding is enough.
    func isMisspelt(_ key: String) -> Bool { all.contains { nearest($0.key, [key]) != nil } }

    /// Reports every key of `keys` that is missing.
    func require(_ keys: [String]) {
        for key in keys where self[key] == nil && !isMisspelt(key) {
            report.error(.missingKey, mark, "\(path.isEmpty ? "the file" : "'\(path)'") needs '\(key)'")
        }
    }
}

extension Fields {
    /// A text; `nil` when the key is missing or, reported, holds something else.
    /// - Parameter prose: what people write: there `5` and `yes` are a number and a truth value, and meant as text need quotes.
    func text(_ key: String, limit: Int = 200, lines: Bool = false, prose: Bool = false) -> (value: String, mark: Place?)? {
        guard let node = self[key] else { return nil }
        guard case .scalar(let scalar) = node, !scalar.isNull else {
            report.error(.type, node.place, "'\(path(key))' must be text")
            return nil
        }
        if prose, scalar.isPlain, scalar.isNumberOrFlag {
            report.error(.type, node.place, "'\(path(key))' must be text: put \(scalar.string) in quotes")
            return nil
        }
        if SecretDetector.isSecret(value: scalar.string) {
            report.error(
                .secretInFile, node.place,
                "the value of '\(path(key))' looks like a secret, and no secret may stand in this file: set it in the environment, and change it if the file was ever shared"
            )
            return nil
        }
        if scalar.string.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }) {
            report.error(.value, node.place, "'\(path(key))' is empty; write something, or leave it out")
            return nil
        }
        if scalar.string.count > limit {
            report.error(.value, node.place, "'\(path(key))' has \(scalar.string.count) characters, and at most \(limit) are allowed")
        }
        if !lines, scalar.string.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
            report.error(.value, node.place, "'\(path(key))' must be one line without control characters")
        }
        return (scalar.string, node.place)
    }

    /// One of a fixed set of words.
    func choice<Value: RawRepresentable<String> & CaseIterable>(_ key: String, _ fallback: Value) -> Value {
        guard let (text, mark) = text(key) else { return fallback }
        if let value = Value(rawValue: text) { return value }
        let known = Value.allCases.map(\.rawValue)
        let near = hint(text, known)
        report.error(.value, mark, "'\(path(key))' must be one of: \(known.joined(separator: ", "))\(near)")
        return fallback
    }

    func bool(_ key: String, _ fallback: Bool) -> Bool {
        guard let node = self[key] else { return fallback }
        guard let value = node.flag else {
            report.error(.type, node.place, "'\(path(key))' must be true or false")
            return fallback
        }
        return value
    }

    /// A whole number; `nil` when it is missing or, found, something else.
    func number(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let node = self[key] else { return nil }
        guard case .scalar(let scalar) = node, let value = Int(scalar.string), range.contains(value) else {
            report.error(.value, node.place, "'\(path(key))' must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// `inherit` (which is `nil`), true or false.
    func inheritable(_ key: String) -> Bool? {
        guard let node = self[key], node.string != "inherit" else { return nil }
        guard let value = node.flag else {
            report.error(.value, node.place, "'\(path(key))' must be inherit, true or false")
            return nil
        }
        return value
    }

    /// A list of texts, each once; an empty list is an error, since it says nothing that leaving it out would not say.
    func list(_ key: String) -> [(value: String, mark: Place?)] {
        guard let node = self[key] else { return [] }
        guard case .sequence(let items) = node else {
            report.error(.type, node.place, "'\(path(key))' must be a list: [one, two]")
            return []
        }
        if items.isEmpty, key != "fallback", key != "reminders", key != "alternative-hosts" {
            report.error(.value, node.place, "'\(path(key))' is an empty list; name something, or leave it out")
        }
        var seen: Set<String> = []
        return items.compactMap { item in
            guard case .scalar(let scalar) = item, !scalar.isNull else {
                report.error(.type, item.place, "'\(path(key))' must be a list of texts")
                return nil
            }
            guard seen.insert(scalar.string).inserted else {
                report.error(.duplicate, item.place, "'\(scalar.string)' stands twice in '\(path(key))'")
                return nil
            }
            return (scalar.string, item.place)
        }
    }

    func duration(_ text: String, _ mark: Place?, _ key: String) -> Duration? {
        if let duration = Duration(written: text) { return duration }
        let hint =
            text.allSatisfy { $0.isASCII && $0.isNumber } ? "'\(text)' has no unit; did you mean '\(text)m'?" : "'\(text)' is no duration"
        // A meeting lasts whole minutes, so no seconds are offered for one.
        let forms = key.hasPrefix("duration") ? "15m, 1h30m, 1d or PT30M" : "90s, 15m, 1h30m, 1d or PT30M"
        report.error(.value, mark, "\(hint); '\(path(key))' is written like \(forms)")
        return nil
    }
}

extension Node {
    /// A YAML truth value, plain or not.
    fileprivate var flag: Bool? {
        guard case .scalar(let scalar) = self, scalar.isPlain else { return nil }
        switch scalar.string.lowercased() {
        case "true", "yes", "on": return true
        case "false", "no", "off": return false
        default: return nil
        }
    }
}

extension Node.Scalar {
    /// `~`, `null` or nothing at all, written plain.
    var isNull: Bool { isPlain && (string.isEmpty || string == "~" || string == "null") }

    /// What YAML takes for a number or a truth value.
    var isNumberOrFlag: Bool {
        Double(string) != nil || ["true", "false", "yes", "no", "on", "off"].contains(string.lowercased())
    }

    /// Written without quotes.
    var isPlain: Bool { style == .plain || style == .any }
}

/// What to write in place of a mark that nobody knows.
private func hint(_ name: String, marks: [String]) -> String {
    if let near = nearest(name, marks) { return "did you mean '{\(near)}'?" }
    return marks.isEmpty ? "none may stand here" : "known here: \(marks.map { "{\($0)}" }.joined(separator: ", "))"
}

extension Reporter {
    /// Finds `{marks}` in a text that are not among `marks`, and braces that hold none.
    /// - Returns: whether there is nothing of that.
    @discardableResult
    func checkMarks(_ text: String, among marks: [String], _ mark: Place?) -> Bool {
        let isOpen = Placeholders.hasOpenBrace(text)
        if isOpen {
            error(
                .placeholder, mark, "a '{' has no '}' of its own; a mark stands in one pair of braces, as {\(marks.first ?? "mark")} does")
        }
        let unknown = Placeholders.names(in: text).filter { !marks.contains($0) }
        for name in unknown { error(.placeholder, mark, "unknown mark '{\(name)}'; \(hint(name, marks: marks))") }
        return !isOpen && unknown.isEmpty
    }
}
