import UsherCore
import UsherPipeline

/// For tools that take none.
struct NoArguments: JSONRequest {
    static let schemaName = "NoArguments"
    init(_ reader: inout JSONReader) {}
}

/// Which provider a booking would get.
struct ExplainArguments: JSONRequest {
    var meetingType: String
    var owner: String
    var provider: String?

    static let schemaName = "ExplainArguments"
    init(_ reader: inout JSONReader) {
        meetingType = reader.required("meetingType", "A meeting type's id.")
        owner = reader.required("owner", "An owner's id.")
        provider = reader.text("provider", "The provider that a booking would ask for.")
    }
}

/// Which booking.
struct BookingArguments: JSONRequest {
    var id: String

    static let schemaName = "BookingArguments"
    init(_ reader: inout JSONReader) { id = reader.required("id", "The booking's id, bk_…") }
}

/// Which bookings.
struct BookingsArguments: JSONRequest {
    private var fields: [(String, String?)]

    static let schemaName = "BookingsArguments"
    init(_ reader: inout JSONReader) {
        fields = [
            ("owner", reader.text("owner", "An owner's id.")),
            ("status", reader.text("status", "confirmed or cancelled; both where it is not given.")),
            ("from", reader.text("from", "Starts at this time or later: 2026-12-01T00:00:00Z.")),
            ("to", reader.text("to", "Starts before this time.")), ("cursor", reader.text("cursor", "nextCursor of the answer before.")),
        ]
    }

    /// - Throws: ``ErrorCode/validationFailed``
    func page() throws -> (filter: BookingService.Filter, after: (start: Instant, id: String)?) {
        var query = QueryFields(fields.compactMap { name, value in value.map { (name, $0) } })
        let (filter, after) = (BookingRoutes.filter(&query), query.cursor())
        try query.check()
        return (filter, after)
    }
}

/// Some bookings, and where the next ones begin.
struct AgentBookings: JSONObject {
    var items: [BookingView]
    var nextCursor: String?

    static let schemaName = "AgentBookings"
    static let about = "Bookings by start."
    static let fields: [JSONField<AgentBookings>] = [
        .init("items", "The bookings.") { $0.items },
        .init("nextCursor", "For the next call; null where these are the last.") { $0.nextCursor },
    ]
}

/// Which booking, and where it is to be moved.
struct MoveArguments: JSONRequest {
    var id: String
    var move: RescheduleRequest

    static let schemaName = "MoveArguments"
    init(_ reader: inout JSONReader) {
        id = BookingArguments(&reader).id
        move = RescheduleRequest(&reader)
    }
}

/// What can be booked, and with whom.
struct Offer: JSONObject {
    var meetingTypes: [MeetingType]
    var owners: [Host]

    static let schemaName = "Offer"
    static let about = "What can be booked, and with whom."
    static let fields: [JSONField<Offer>] = [
        .init("meetingTypes", "Those of meeting-types.yaml.") { $0.meetingTypes },
        .init("owners", "Empty for a key that may not read owners.") { $0.owners },
    ]

    /// Whom it can be booked with.
    struct Host: JSONObject {
        var owner: Owner

        static let schemaName = "Host"
        static let fields: [JSONField<Host>] = [
            .init("id", "For owner in other calls.") { $0.owner.id }, .init("name", "To read.") { $0.owner.name },
            .init("timeZone", "An IANA name.") { $0.owner.timeZone },
        ]
    }
}

/// A message of JSON-RPC 2.0. Source: https://www.jsonrpc.org/specification
enum AgentMessage: JSONNamed {
    static let schemaName = "AgentMessage"
    static let definition: JSON = [
        "type": "object", "required": ["jsonrpc", "method"],
        "properties": [
            "jsonrpc": ["const": "2.0", "description": "The protocol's version."],
            "id": ["type": ["string", "integer"], "description": "Comes back with the answer; a notification has none."],
            "method": ["type": "string", "description": "Such as tools/call."],
            "params": ["type": "object", "description": "Of the method."],
        ], "examples": [["jsonrpc": "2.0", "id": 1, "method": "tools/list"]],
    ]
}

/// What it is answered with.
enum AgentAnswer: JSONNamed {
    static let schemaName = "AgentAnswer"
    static let definition: JSON = [
        "type": "object", "required": ["jsonrpc", "id"],
        "properties": [
            "jsonrpc": ["const": "2.0", "description": "The protocol's version."],
            "id": ["type": ["string", "integer", "null"], "description": "Of the message that is answered."],
            "result": ["type": "object", "description": "Where it went well."],
            "error": [
                "type": "object", "description": "Where it did not.", "required": ["code", "message"],
                "properties": [
                    "code": ["type": "integer", "description": "JSON-RPC's."], "message": ["type": "string", "description": "To read."],
                    "data": ["type": "object", "description": "The problem, as the API tells it."],
                ],
            ],
        ],
    ]
}
