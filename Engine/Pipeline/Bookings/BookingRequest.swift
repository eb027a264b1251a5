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
    package enum Disambiguation: String, Hashable, Sendable, JSONChoice { case earlier, later }

    /// The id of a meeting type.
    package var meetingType: String
    /// The id of an owner; empty for whose turn it is among the hosts of the meeting type.
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
    /// What the caller says beside.
    package var details: BookingDetails
    /// A hold that is confirmed; what it says may be left out: then it is empty here.
    package var hold: String?
    /// Whether hours, grid, notice, horizon, limits, buffers and calendars are passed over.
    package var anyTime: Bool

    /// Takes each property as it is.
    package init(
        meetingType: String, owner: String, start: String, timeZone: String? = nil, disambiguation: Disambiguation? = nil,
        duration: String? = nil, attendees: [Person], provider: String? = nil, details: BookingDetails = BookingDetails(),
        hold: String? = nil,
        anyTime: Bool = false
    ) {
        self.meetingType = meetingType
        self.owner = owner
        self.start = start
        self.timeZone = timeZone
        self.disambiguation = disambiguation
        self.duration = duration
        self.attendees = attendees
        self.provider = provider
        self.details = details
        self.hold = hold
        self.anyTime = anyTime
    }
}

extension BookingRequest: JSONRequest {
    /// As generated clients know it.
    package static let schemaName = "BookingRequest"

    /// Reads the body of `POST /v1/bookings`.
    package init(_ reader: inout JSONReader) {
        hold = reader.text("hold", "A hold's id, hd_…: what the hold says may be left out.")
        meetingType = reader.required("meetingType", unless: hold != nil, "A meeting type's id; required without a hold.") ?? ""
        owner =
            reader.text("owner", "Whose booking it is: an owner's id. Whose turn it is where the meeting type has hosts and none is given.")
            ?? ""
        start =
            reader.required(
                "start", unless: hold != nil,
                "A whole minute: RFC 3339 with an offset, or a wall-clock time together with timeZone; required without a hold.") ?? ""
        timeZone = reader.text("timeZone", "IANA name; the owner's where it is not given.")
        disambiguation = reader.choice("disambiguation", Self.disambiguationRule)
        duration = reader.text("duration", "One of the meeting type's, such as 45m; its first where it is not given.")
        attendees = reader.objects(
            "attendees", "The same address twice is one attendee.",
            [.init("minItems", 1), .init("maxItems", .int(Int64(Limits.attendees)))], as: Person.self)
        provider = reader.text("provider", "A provider's name, where the meeting type lets callers choose.")
        details = BookingDetails(&reader)
        anyTime = reader.bool("anyTime", "Passes over hours, grid, notice, horizon, limits, buffers and calendars.") ?? false
    }

    /// When ``disambiguation`` is needed.
    package static let disambiguationRule = "Which one, where a change of the clocks shows the wall-clock time twice."

    /// A first visit.
    package static let examples: [JSON] = [
        [
            "meetingType": "consultation", "owner": "ana", "start": "2027-12-01T10:00:00+01:00", "timeZone": "Europe/Berlin",
            "duration": "45m",
            "attendees": [["name": "Bo Li", "email": "bo@example.org", "timeZone": "America/New_York", "language": "en"]],
            "provider": nil, "note": "first visit", "metadata": ["crmId": "42"], "source": "crm",
        ]
    ]
}

extension BookingRequest.Person: JSONRequest {
    /// As generated clients know it.
    package static let schemaName = "AttendeeRequest"

    /// Reads one of a booking's attendees.
    package init(_ reader: inout JSONReader) {
        name = reader.text("name", "As mails address them; the address where it is empty.", .length(0...Limits.name))
        email = reader.required("email", "Where the mail goes.", .length(0...Limits.mailAddress))
        timeZone = reader.text("timeZone", "IANA name; the booking's where it is not given.")
        language = reader.text("language", "The site's where it is not given.", Language.rules)
    }
}

/// Where a booking is to be moved.
package struct RescheduleRequest: JSONRequest {
    /// As in ``BookingRequest``.
    package var start: String
    /// The booking's where it is not given.
    package var timeZone: String?
    /// See ``BookingRequest/disambiguation``.
    package var disambiguation: BookingRequest.Disambiguation?
    /// See ``BookingRequest/anyTime``.
    package var anyTime: Bool

    /// As generated clients know it.
    package static let schemaName = "RescheduleRequest"
    /// A day later.
    package static let examples: [JSON] = [["start": "2027-12-02T10:00:00+01:00"]]

    /// Reads the body of `POST /v1/bookings/{id}/reschedule`.
    package init(_ reader: inout JSONReader) {
        start = reader.required("start", "As in BookingRequest.")
        timeZone = reader.text("timeZone", "The booking's where it is not given.")
        disambiguation = reader.choice("disambiguation", BookingRequest.disambiguationRule)
        anyTime = reader.bool("anyTime", "As in BookingRequest.") ?? false
    }
}
