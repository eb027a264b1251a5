import UsherCore

/// What a guest fills in on a booking page.
package struct PageForm: Hashable, Sendable, Codable {
    /// As the guest wrote it.
    package var name: String
    /// As the guest wrote it.
    package var email: String
    /// What else the owner should know; may be empty.
    package var note: String
    /// IANA name.
    package var timeZone: String
    /// A tag.
    package var language: String
    /// By the ids of the meeting type's questions.
    package var answers: [String: String]

    /// Takes each property as it is.
    package init(name: String, email: String, note: String = "", timeZone: String, language: String, answers: [String: String] = [:]) {
        self.name = name
        self.email = email
        self.note = note
        self.timeZone = timeZone
        self.language = language
        self.answers = answers
    }

    /// Where bookings of pages come from.
    package static let source = "page"

    func request(_ hold: StoredHoldID) -> BookingRequest {
        BookingRequest(
            meetingType: "", owner: "", start: "", timeZone: timeZone,
            attendees: [.init(name: name, email: email, timeZone: timeZone, language: language)],
            details: BookingDetails(note: note, source: Self.source, answers: answers), hold: hold)
    }

    typealias StoredHoldID = String

    /// What addresses of one mailbox have in common: small letters, without a tag, and at Gmail without dots.
    var mailbox: String { Self.mailbox(of: email) }

    static func mailbox(of email: String) -> String {
        let parts = email.lowercased().split(separator: "@", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return email.lowercased() }
        let name = String(parts[0].prefix { $0 != "+" })
        let host = parts[1].hasSuffix(".") ? String(parts[1].dropLast()) : parts[1]
        return ["gmail.com", "googlemail.com"].contains(host) ? name.filter { $0 != "." } + "@gmail.com" : name + "@" + host
    }
}
