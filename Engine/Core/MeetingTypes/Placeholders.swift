/// The `{name}` marks that a meeting type's title, description and intro may hold.
public enum Placeholders {
    public static let known = ["owner.name", "attendee.name", "site.name", "duration"]

    /// The names between braces in `text`, in order.
    public static func names(in text: String) -> [String] {
        text.split(separator: "{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { String(part[..<$0]) }
        }
    }

    /// `text` with each known mark replaced; the values are never searched for marks again.
    public static func fill(_ text: String, _ values: [String: String]) -> String { fill(text) { values[$0] } }

    /// `text` with each mark replaced that `value` knows.
    public static func fill(_ text: String, _ value: (String) -> String?) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        var out = ""
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            out += rest[..<open]
            let after = rest.index(after: open)
            guard let close = rest[after...].firstIndex(of: "}"), let value = value(String(rest[after..<close])) else {
                out.append("{")
                rest = rest[after...]
                continue
            }
            out += value
            rest = rest[rest.index(after: close)...]
        }
        return out + rest
    }
}
