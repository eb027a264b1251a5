import UsherCore

/// What is to be held.
package struct HoldRequest: Hashable, Sendable {
    /// A meeting type's id.
    package var meetingType: String
    /// `nil` for whose turn it is among the type's hosts.
    package var owner: String?
    /// As in ``BookingRequest``.
    package var start: String
    /// As in ``BookingRequest``.
    package var timeZone: String?
    /// As in ``BookingRequest``.
    package var disambiguation: BookingRequest.Disambiguation?
    /// As in ``BookingRequest``.
    package var duration: String?

    /// Takes each property as it is.
    package init(
        meetingType: String, owner: String? = nil, start: String, timeZone: String? = nil,
        disambiguation: BookingRequest.Disambiguation? = nil, duration: String? = nil
    ) {
        self.meetingType = meetingType
        self.owner = owner
        self.start = start
        self.timeZone = timeZone
        self.disambiguation = disambiguation
        self.duration = duration
    }
}

extension HoldRequest: JSONRequest {
    /// As generated clients know it.
    package static let schemaName = "HoldRequest"
    /// A slot of a pool.
    package static let examples: [JSON] = [["meetingType": "visit", "start": "2027-12-01T11:00:00+01:00"]]

    /// Reads the body of `POST /v1/holds`.
    package init(_ reader: inout JSONReader) {
        meetingType = reader.required("meetingType", "The id of a meeting type with slots.")
        owner = reader.text("owner", "An owner's id; whose turn it is among the meeting type's hosts where it is not given.")
        start = reader.required("start", "A slot: RFC 3339 with an offset, or a wall-clock time together with timeZone.")
        timeZone = reader.text("timeZone", "IANA name; the owner's where it is not given.")
        disambiguation = reader.choice("disambiguation", BookingRequest.disambiguationRule)
        duration = reader.text("duration", "One of the meeting type's; its first where it is not given.")
    }
}
