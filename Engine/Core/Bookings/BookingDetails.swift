/// What a caller says of a booking beside time, people and provider, kept and shown as it came.
public struct BookingDetails: Hashable, Sendable {
    /// What the person who books wants to say; empty for nothing.
    public var note: String
    /// The caller's own names and values.
    public var metadata: [String: String]
    /// Where the booking comes from, in the caller's words; empty where it does not say.
    public var source: String
    /// By the ids of the meeting type's questions.
    public var answers: [String: String]

    /// Says nothing where nothing is given.
    public init(note: String = "", metadata: [String: String] = [:], source: String = "", answers: [String: String] = [:]) {
        self.note = note
        self.metadata = metadata
        self.source = source
        self.answers = answers
    }
}

extension BookingDetails {
    /// As a caller sends it, among the members of a booking.
    package init(_ reader: inout JSONReader) {
        note = reader.text("note", "What the guest wants to have known; it stands in the mails.", .length(0...Limits.note)) ?? ""
        metadata = reader.pairs(
            "metadata",
            [
                "type": ["object", "null"], "maxProperties": .int(Int64(Limits.metadataPairs)),
                "additionalProperties": ["type": "string", "maxLength": .int(Int64(Limits.metadataText))],
                "description": "Pairs of texts of the caller's own: nobody but the API shows them.",
            ])
        answers = reader.pairs(
            "answers",
            JSON.object([
                .init("type", ["object", "null"]),
                .init("additionalProperties", ["type": "string", "maxLength": .int(Int64(Question.longestAnswer))]),
                .init("description", "By the ids of the meeting type's questions; \"yes\" or \"no\" for a checkbox."),
            ]))
        source = reader.text("source", "Where the booking comes from.", .length(0...Limits.name)) ?? ""
    }

    /// As it is shown, among the members of a booking.
    package static let fields: [JSONField<BookingDetails>] = [
        .init("note", "What the guest wants to have known.") { $0.note },
        .init("metadata", "The caller's own pairs of texts.") { $0.metadata },
        .init("source", "Where the caller says that the booking comes from.") { $0.source },
        .init("answers", "By the ids of the meeting type's questions.") { $0.answers },
    ]
}
