import Foundation
import UsherCore
import UsherPipeline
import UsherStore

/// What an agent can do here: the same services, schemas and scopes as the API's.
struct AgentTool: Sendable {
    let name: String
    let title: String
    let description: String
    let scope: Scope
    let input: JSON
    /// The name of a schema of the API.
    let output: String
    let hints: Hints
    let run: @Sendable (AgentCall) async throws -> JSON

    struct Hints: Sendable {
        var isReadOnly = false
        var isDestructive = false
        var isIdempotent = false
    }

    /// As `tools/list` shows it.
    var json: JSON {
        [
            "name": .string(name), "title": .string(title), "description": .string(description), "inputSchema": input,
            "outputSchema": OpenAPIDocument.selfContained(output),
            "annotations": [
                "title": .string(title), "readOnlyHint": .bool(hints.isReadOnly), "destructiveHint": .bool(hints.isDestructive),
                "idempotentHint": .bool(hints.isIdempotent), "openWorldHint": true,
            ],
        ]
    }
}

/// A tool's call as the work behind it sees it.
struct AgentCall: Sendable {
    let caller: Caller
    let arguments: JSON

    /// With the manage page for those alone who may move and cancel.
    func json(_ view: BookingView) -> JSON { view.json(showsManagePage: caller.may(.bookingsWrite)) }

    /// The text arguments, checked all at once.
    func texts(_ required: [String], _ optional: [String] = []) throws -> [String: String] {
        var fields = JSONFields(arguments)
        fields.refuseUnknown(required + optional)
        var texts: [String: String] = [:]
        for name in required { texts[name] = fields.required(name) }
        for name in optional { texts[name] = fields.text(name) }
        try fields.check("The arguments cannot be understood.")
        return texts
    }
}

/// The six tools.
struct AgentTools: Sendable {
    let context: EngineContext
    let service: BookingService
    /// Waits until a booking's room is there, or what keeps it from being there is known.
    let settle: @Sendable (String) async throws -> BookingView

    private static let id: JSON = ["type": "string", "description": "The booking's id, bk_…"]
    private static let start: JSON = [
        "type": "string", "description": "A whole minute: RFC 3339 with an offset, or a wall-clock time together with timeZone.",
    ]
    private static let zone: JSON = ["type": "string", "description": "IANA name, such as Europe/Berlin."]
    private static let disambiguation: JSON = [
        "type": "string", "enum": ["earlier", "later"],
        "description": "Which one, where a change of the clocks shows the wall-clock time twice.",
    ]
    private static let repeatKey = "idempotencyKey"

    var all: [AgentTool] { [list, explain, book, get, reschedule, cancel] }

    private var list: AgentTool {
        AgentTool(
            name: "list_meeting_types", title: "List meeting types",
            description: "What can be booked here, and the owners it can be booked with. Begin here.", scope: .bookingsRead,
            input: Self.object([:]), output: "Offer", hints: .init(isReadOnly: true, isIdempotent: true)
        ) { call in
            _ = try call.texts([])
            let owners = call.caller.may(.ownersRead) ? try await OwnerService(context).list().filter(\.isActive) : []
            return [
                "meetingTypes": .array(context.catalog.current.meetingTypes.map(\.json)),
                "owners": .array(
                    owners.map {
                        ["id": .string($0.owner.id), "name": .string($0.owner.name), "timeZone": .string($0.owner.timeZone)]
                    }),
            ]
        }
    }

    private var explain: AgentTool {
        AgentTool(
            name: "explain_provider", title: "Explain the provider",
            description: "Which video provider a booking would get now, why, and what keeps it from working if anything does.",
            scope: .bookingsRead,
            input: Self.object(
                [
                    "meetingType": ["type": "string", "description": "A meeting type's id."],
                    "owner": ["type": "string", "description": "An owner's id."],
                    "provider": ["type": "string", "description": "The provider that a booking would ask for."],
                ], required: ["meetingType", "owner"]), output: "Resolution", hints: .init(isReadOnly: true, isIdempotent: true)
        ) { call in
            let texts = try call.texts(["meetingType", "owner"], ["provider"])
            return try await service.json(
                of: service.resolve(texts["meetingType"] ?? "", owner: texts["owner"] ?? "", requested: texts["provider"]))
        }
    }

    private var book: AgentTool {
        var schema = OpenAPIDocument.selfContained("BookingRequest")
        let key: JSON = [
            "type": "string", "minLength": 1, "maxLength": 255,
            "description": "Any text of your own: the same one again, with the same arguments, answers with the same booking.",
        ]
        schema = schema.adding(key, as: Self.repeatKey, under: "properties")
        return AgentTool(
            name: "book_meeting", title: "Book a meeting",
            description:
                "Make a booking and its meeting room, and invite everyone by mail. The answer holds the join link as soon as the room is there. Send an idempotencyKey, so that a repeated call books nothing twice.",
            scope: .bookingsWrite, input: schema, output: "Booking", hints: .init(),
            run: makeBooking)
    }

    private func makeBooking(_ call: AgentCall) async throws -> JSON {
        let content = JSON.object((call.arguments.members ?? []).filter { $0.key != Self.repeatKey })
        var reader = BookingJSON(content)
        let request = reader.request()
        var findings = reader.findings
        let key = call.arguments[Self.repeatKey]
        if let key, !key.isNull, key.string.map({ !(1...255).contains($0.utf8.count) }) ?? true {
            findings.append(.init("/\(Self.repeatKey)", "must be a text of 1 to 255 characters"))
        }
        let repeating = key?.string.map {
            IdempotencyKey(scope: "\(call.caller.id) book_meeting", key: $0, fingerprint: fingerprint(content))
        }
        let made = try await service.book(request, known: findings, repeating: repeating)
        return call.json(try await settle(made.value.booking.id))
    }

    private var get: AgentTool {
        AgentTool(
            name: "get_booking", title: "Look at a booking", description: "A booking as it now stands: time, room, mails, problems.",
            scope: .bookingsRead, input: Self.object(["id": Self.id], required: ["id"]), output: "Booking",
            hints: .init(isReadOnly: true, isIdempotent: true)
        ) { call in call.json(try await service.view(try call.texts(["id"])["id"] ?? "")) }
    }

    private var reschedule: AgentTool {
        AgentTool(
            name: "reschedule_booking", title: "Move a booking",
            description: "Move a booking to another time, and tell everyone. Its links stay the same.", scope: .bookingsWrite,
            input: Self.object(
                ["id": Self.id, "start": Self.start, "timeZone": Self.zone, "disambiguation": Self.disambiguation],
                required: ["id", "start"]),
            output: "Booking", hints: .init(isDestructive: true, isIdempotent: true)
        ) { call in
            let texts = try call.texts(["id", "start"], ["timeZone", "disambiguation"])
            let which = texts["disambiguation"].map(BookingRequest.Disambiguation.init)
            if case .some(.none) = which {
                throw UsherError(
                    .validationFailed, "The booking cannot be moved as it is written.",
                    findings: [.init("/disambiguation", "must be \"earlier\" or \"later\"")])
            }
            let id = texts["id"] ?? ""
            _ = try await service.reschedule(
                id, to: texts["start"] ?? "", timeZone: texts["timeZone"], disambiguation: which ?? nil)
            return call.json(try await settle(id))
        }
    }

    private var cancel: AgentTool {
        AgentTool(
            name: "cancel_booking", title: "Cancel a booking",
            description: "Cancel a booking, take its room away, and tell everyone. A second time changes nothing.", scope: .bookingsWrite,
            input: Self.object(["id": Self.id], required: ["id"]), output: "Booking",
            hints: .init(isDestructive: true, isIdempotent: true)
        ) { call in
            let id = try call.texts(["id"])["id"] ?? ""
            _ = try await service.cancel(id)
            return call.json(try await settle(id))
        }
    }

    private static func object(_ properties: KeyValuePairs<String, JSON>, required: [String] = []) -> JSON {
        [
            "type": "object", "properties": .object(properties.map { JSON.Member($0.key, $0.value) }),
            "required": .array(required.map(JSON.string)), "additionalProperties": false,
        ]
    }
}
