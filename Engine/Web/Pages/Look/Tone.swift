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

/// `chip.html.mustache`: a word for how something does, with its mark.
struct ChipPart: Sendable {
    var tone, chipWord: String

    init(_ tone: Tone, _ word: String) { (self.tone, chipWord) = (tone.rawValue, word) }
}
