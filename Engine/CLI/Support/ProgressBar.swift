import Foundation

/// How far something has come, in one line of the terminal that is written over and over.
final class ProgressBar {
    private let isShown: Bool
    private var percent = -1
    private static let width = 30

    /// - Parameter isShown: not where standard error is no terminal.
    init(isShown: Bool) { self.isShown = isShown }

    func show(_ what: String, _ done: Int64, of total: Int64) {
        let now = total > 0 ? Int(done * 100 / total) : 100
        guard isShown, now != percent else { return }
        percent = now
        let full = now * Self.width / 100
        let bar = String(repeating: "#", count: full) + String(repeating: ".", count: Self.width - full)
        FileHandle.standardError.write(Data("\r[\(bar)] \(now) % \(what)\u{1B}[K".utf8))
    }

    func end() { if isShown, percent >= 0 { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }
}
