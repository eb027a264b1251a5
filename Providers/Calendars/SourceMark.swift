import Foundation

/// What a source remembers of an answer, as text for ``BusyQuestion/mark``.
protocol SourceMark: Codable {}

extension SourceMark {
    /// `nil` for what another version wrote: then all is read again.
    init?(_ text: String) {
        guard let mark = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }
        self = mark
    }

    /// JSON. A mark that could not be written would only be read as none.
    var text: String { (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
}
