import Foundation
import Synchronization

/// How far something has come, in one line of the terminal that is written over and over.
final class ProgressBar: Sendable {
    /// Not where standard error is no terminal.
    private let isShown = Terminal.errors.isTerminal
    private let percent = Mutex(-1)
    private static let width = 30

    func show(_ what: String, _ done: Int64, of total: Int64) {
        let now = total > 0 ? Int(done * 100 / total) : 100
        guard isShown else { return }
        percent.withLock { percent in
            guard now != percent else { return }
            percent = now
            let full = now * Self.width / 100
            let bar = String(repeating: "#", count: full) + String(repeating: ".", count: Self.width - full)
            FileHandle.standardError.write(Data("\r[\(bar)] \(now) % \(what)\u{1B}[K".utf8))
        }
    }

    /// Where nobody knows how much there is.
    func count(_ what: String, _ done: Int) {
        guard isShown else { return }
        percent.withLock { $0 = 0 }
        FileHandle.standardError.write(Data("\r\(done) \(what)\u{1B}[K".utf8))
    }

    func end() {
        percent.withLock { percent in
            guard isShown, percent >= 0 else { return }
            percent = -1
            FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
        }
    }
}
