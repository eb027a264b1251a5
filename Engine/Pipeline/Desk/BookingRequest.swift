import UsherCore

/// What a caller asks for, field by field as written; the desk checks all of it at once.
package struct BookingRequest: Hashable, Sendable {
    package struct Person: Hashable, Sendable {
        package var name: String?
        package var email: String
        package var timeZone: String?
        package var language: String?
        package init(name: String? = nil, email: String, timeZone: String? = nil, language: String? = nil) {
            self.name = name
            self.email = email
            self.timeZone = timeZone
            self.language = language
        }
    }
    package enum Disambiguation: String, Hashable, Sendable { case earlier, later }

    package var meetingType: String
    package var owner: String
    /// RFC 3339 with an offset, or a wall time in ``timeZone``.
    package var start: String
    package var timeZone: String?
    package var disambiguation: Disambiguation?
    /// As the catalogue writes it; `nil` takes the type's first.
    package var duration: String?
    package var attendees: [Person]
    package var provider: String?
    package var note: String
    package var metadata: [String: String]
    package var source: String

    package init(
        meetingType: String, owner: String, start: String, timeZone: String? = nil, disambiguation: Disambiguation? = nil,
        duration: String? = nil, attendees: [Person], provider: String? = nil, note: String = "", metadata: [String: String] = [:],
        source: String = ""
    ) {
        self.meetingType = meetingType
        self.owner = owner
        self.start = start
        self.timeZone = timeZone
        self.disambiguation = disambiguation
        self.duration = duration
        self.attendees = attendees
        self.provider = provider
        self.note = note
        self.metadata = metadata
        self.source = source
    }
}
