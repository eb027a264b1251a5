/// How a meeting type is offered to guests on a page of its own.
public struct BookingPage: Hashable, Sendable, Codable {
    /// Who finds it.
    public enum Listing: String, Sendable, Codable, CaseIterable {
        /// Whoever opens `/book`.
        case listed = "public"
        /// Whoever has its address.
        case unlisted
    }

    /// Who finds it.
    public var listing: Listing
    /// Whether a guest proves the address that they give before they are booked.
    public var confirmsByMail: Bool

    /// Takes each property as it is.
    public init(listing: Listing, confirmsByMail: Bool) {
        self.listing = listing
        self.confirmsByMail = confirmsByMail
    }
}

/// What whoever books is asked beside name, address and time.
public struct Question: Hashable, Sendable, Codable {
    /// What an answer is.
    public enum Kind: String, Sendable, Codable, CaseIterable {
        /// Some words.
        case text
        /// One of ``Question/choices``.
        case choice
        /// Yes or no.
        case checkbox
    }

    /// As answers name it.
    public var id: String
    /// The question, in a line.
    public var ask: String
    /// What an answer is.
    public var kind: Kind
    /// Whether nobody is booked without an answer; of a checkbox, without yes.
    public var isRequired: Bool
    /// Of ``Kind/choice``.
    public var choices: [String]

    /// Takes each property as it is.
    public init(id: String, ask: String, kind: Kind = .text, required: Bool = false, choices: [String] = []) {
        self.id = id
        self.ask = ask
        self.kind = kind
        isRequired = required
        self.choices = choices
    }

    /// The answers of a checkbox.
    public static let (yes, no) = ("yes", "no")
    /// Characters of an answer.
    public static let longestAnswer = 1_000

    /// What is wrong with an answer, in a sentence's second half; `nil` for nothing.
    public func problem(_ answer: String?) -> String? {
        let answer = answer?.trimmingBlanks ?? ""
        if isRequired, answer.isEmpty || (kind == .checkbox && answer != Self.yes) {
            return kind == .checkbox ? "must be \"yes\"" : "is required"
        }
        guard !answer.isEmpty else { return nil }
        switch kind {
        case .text: return answer.unicodeScalars.count > Self.longestAnswer ? "must have at most \(Self.longestAnswer) characters" : nil
        case .choice: return choices.contains(answer) ? nil : "must be one of: \(choices.joined(separator: ", "))"
        case .checkbox: return [Self.yes, Self.no].contains(answer) ? nil : "must be \"yes\" or \"no\""
        }
    }
}
