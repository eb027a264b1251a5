import Foundation

/// What standard output or standard error leads to.
struct Terminal: Sendable {
    private let descriptor: Int32
    /// Whether a person looks, and not a program.
    let isTerminal: Bool
    private let isColoured: Bool

    static let output = Terminal(STDOUT_FILENO)
    static let errors = Terminal(STDERR_FILENO)

    /// Source: https://no-color.org
    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        let environment = ProcessInfo.processInfo.environment
        isColoured = isTerminal && environment["NO_COLOR"]?.isEmpty != false && environment["TERM"] != "dumb"
    }

    /// Columns; `nil` where nobody looks, and nothing need fit.
    var width: Int? {
        var size = winsize()
        guard isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// How a piece of text stands out; never the only thing that says it.
    enum Tone: String {
        case strong = "1"
        case quiet = "2"
        case bad = "31"
        case good = "32"
        case warn = "33"

        /// Of a word that says how something does; `nil` for any other.
        static func of(_ word: String) -> Tone? {
            switch word {
            case "ready", "confirmed", "ok", "sent", "fresh": .good
            case "failed", "reauthorize", "stale", "inactive": .bad
            case "pending", "blocked", "missing-scope": .warn
            case "cancelled": .quiet
            default: nil
            }
        }
    }

    func paint(_ text: String, _ tone: Tone?) -> String {
        guard isColoured, let tone, !text.isEmpty else { return text }
        return "\u{1B}[\(tone.rawValue)m\(text)\u{1B}[0m"
    }
}
