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
