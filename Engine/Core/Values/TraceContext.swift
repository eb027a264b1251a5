/// The trace that a caller's request belongs to, so that what follows from it can be found again in all systems that take part.
/// Source: https://www.w3.org/TR/trace-context/
package struct TraceContext: Hashable, Sendable {
    /// 32 hexadecimal digits, in lower case.
    package let traceID: String
    /// The caller's span, 16 digits.
    private let spanID: String
    private let flags: String
    /// What other systems add, handed on as it came.
    private let state: String

    /// Longer states are left out, as the source allows (§3.3.1.5).
    private static let longestState = 512

    /// Of the task at hand.
    @TaskLocal package static var current: TraceContext?

    /// `nil` for what is no `traceparent`; a later version is read as far as this one goes (§4.3).
    package init?(parent: String, state: String = "") {
        let parts = parent.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, Self.isHex(parts[0], 2), parts[0] != "ff", parts[0] != "00" || parts.count == 4, Self.isHex(parts[1], 32),
            Self.isHex(parts[2], 16), Self.isHex(parts[3], 2), parts[1].contains(where: { $0 != "0" }),
            parts[2].contains(where: { $0 != "0" })
        else { return nil }
        // Whether it is recorded; what other bits say is not known here, and goes no further (§3.2.2.5.2, §4.3).
        let isSampled = (Int(parts[3], radix: 16) ?? 0) & 1 == 1
        (traceID, spanID, flags) = (parts[1], parts[2], isSampled ? "01" : "00")
        self.state = state.utf8.count <= Self.longestState && state.utf8.allSatisfy { $0 >= 32 && $0 < 127 } ? state : ""
    }

    /// From what ``stored`` wrote; `nil` for nothing.
    package init?(stored: String) {
        let parts = stored.split(separator: " ", maxSplits: 1).map(String.init)
        guard let parent = parts.first else { return nil }
        self.init(parent: parent, state: parts.count > 1 ? parts[1] : "")
    }

    private static func isHex(_ text: String, _ count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// For a column.
    package var stored: String { parent(spanID) + (state.isEmpty ? "" : " " + state) }

    private func parent(_ span: String) -> String { "00-\(traceID)-\(span)-\(flags)" }

    /// The headers of a call that belongs to the trace.
    /// - Parameter span: 8 random bytes, for the call alone.
    package func headers(span: [UInt8]) -> [(name: String, value: String)] {
        let id = span.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return [("traceparent", parent(id))] + (state.isEmpty ? [] : [("tracestate", state)])
    }
}
