import UsherCore

/// How something does: the colour and the shape of a mark beside the word for it.
enum Tone: String, Sendable {
    case good, warn, bad, idle

    init(_ status: Meeting.Status) {
        self =
            switch status {
            case .ready: .good
            case .failed: .bad
            case .blocked: .warn
            default: .idle
            }
    }
}

extension Page {
    /// A word for how something does, with its mark.
    static func chip(_ tone: Tone, _ word: String) -> HTML { HTML(.chip, ChipPart(tone, word)) }
}
