import UsherCore

/// What a caller asks for, field by field as written; ``BookingValidator`` checks all of it at once.
package struct BookingRequest: Hashable, Sendable {
    /// A person who is to be invited.
    package struct Person: Hashable, Sendable {
        /// The address where none is given.
        package var name: String?
        /// As it was written; checked with the rest.
        package var email: String
        /// IANA name; the booking's own where none is given.
        package var timeZone: String?
        /// A tag; the owner's where none is given.
        package var language: String?
        /// Takes each property as it is.
        package init(name: String? = nil, email: String, timeZone: String? = nil, language: String? = nil) {
            self.name = name
            self.email = email
            self.timeZone = timeZone
            self.language = language
        }
    }
    /// Which of two instants a wall-clock time means where a clock is set back.
    package enum Disambiguation: String, Hashable, Sendable { case earlier, later }

    /// The id of a meeting type.
    package var meetingType: String
    /// The id of an owner.
    package var owner: String
    /// RFC 3339 with an offset, or a wall time in ``timeZone``.
    package var start: String
    /// IANA name; the owner's where none is given.
    package var timeZone: String?
    /// Needed only where ``start`` names two instants.
    package var disambiguation: Disambiguation?
    /// As the catalogue writes it; `nil` takes the type's first.
    package var duration: String?
    /// At least one.
    package var attendees: [Person]
    /// A provider's name, where the type leaves a choice.
    package var provider: String?
    /// What the person who books wants to say.
    package var note: String
    /// The caller's own names and values.
    package var metadata: [String: String]
    /// Where the booking comes from, in the caller's words.
    package var source: String

    /// Takes each property as it is.
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
