/// The `{name}` marks that a meeting type's title, description and intro may hold.
public enum Placeholders {
    /// The names that may stand between braces.
    public static let known = ["owner.name", "attendee.name", "site.name", "duration"]

    /// The names between braces in `text`, in order.
    public static func names(in text: String) -> [String] {
        text.split(separator: "{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }
    }

    /// Whether a brace opens and another one opens, or the text ends, before it is closed.
    public static func hasOpenBrace(_ text: String) -> Bool {
        text.split(separator: "{", omittingEmptySubsequences: false).dropFirst().contains { !$0.contains("}") }
    }

    /// `text` with each known mark replaced; the values are never searched for marks again.
    public static func fill(_ text: String, _ values: [String: String]) -> String { fill(text) { values[$0] } }

    /// `text` with each mark replaced that `value` knows.
    public static func fill(_ text: String, _ value: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        let (open, close) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
        var out = ""
        var rest = text[...]
        while let start = rest.utf8.firstIndex(of: open) {
            out += rest[..<start]
            let after = rest.utf8.index(after: start)
            guard let end = rest[after...].utf8.firstIndex(of: close), let value = value(String(rest[after..<end])) else {
                out += "{"
                rest = rest[after...]
                continue
            }
            out += value
            rest = rest[rest.utf8.index(after: end)...]
        }
        return out + rest
    }
}
