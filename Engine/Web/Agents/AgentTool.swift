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
    /// What it answers, as in the API.
    let output: any JSONNamed.Type
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
    func shown(_ view: BookingView) -> BookingView { caller.may(.bookingsWrite) ? view : view.withoutManagePage() }
    func json(_ view: BookingView) -> JSON { shown(view).json }

    /// The arguments, checked all at once.
    func read<Content: JSONRequest>(_ content: Content.Type) throws -> Content {
        let (value, findings) = content.read(arguments)
        guard findings.isEmpty else {
            throw UsherError(.validationFailed, "The arguments cannot be understood.", findings: findings)
        }
        return value
    }
}

/// All tools.
struct AgentTools: Sendable {
    let context: EngineContext
    let service: BookingService
    /// Waits until a booking's room is there, or what keeps it from being there is known.
    let settle: @Sendable (String) async throws -> BookingView

    private static let repeatKey = "idempotencyKey"

    var all: [AgentTool] { [list, explain, slots, hold, book, bookings, get, reschedule, cancel] }

    private var list: AgentTool {
        AgentTool(
            name: "list_meeting_types", title: "List meeting types",
            description: "What can be booked here, and the owners it can be booked with. Begin here.", scope: .bookingsRead,
            input: OpenAPIDocument.selfContained(NoArguments.self), output: Offer.self, hints: .init(isReadOnly: true, isIdempotent: true)
        ) { call in
            _ = try call.read(NoArguments.self)
            let owners = call.caller.may(.ownersRead) ? try await OwnerService(context).list().filter(\.isActive).map(\.owner) : []
            return Offer(meetingTypes: context.catalog.current.meetingTypes, owners: owners.map(Offer.Host.init)).json
        }
    }

    private var explain: AgentTool {
        AgentTool(
            name: "explain_provider", title: "Explain the provider",
            description: "Which video provider a booking would get now, why, and what keeps it from working if anything does.",
            scope: .bookingsRead,
            input: OpenAPIDocument.selfContained(ExplainArguments.self), output: ExplainedResolution.self,
            hints: .init(isReadOnly: true, isIdempotent: true)
        ) { call in
            let asked = try call.read(ExplainArguments.self)
            let resolution = try await service.resolve(asked.meetingType, owner: asked.owner, requested: asked.provider)
            return try await service.explained(resolution).json
        }
    }

    private var slots: AgentTool {
        AgentTool(
            name: "list_slots", title: "List free times",
            description:
                "When a meeting type with slots can be booked, with one owner or with whoever hosts it: at most 200 starts in at most 31 days.",
            scope: .bookingsRead, input: OpenAPIDocument.selfContained(SlotArguments.self), output: SlotPage.self,
            hints: .init(isReadOnly: true, isIdempotent: true)
        ) { call in
            let asked = try call.read(SlotArguments.self)
            let range = try asked.range(now: context.now)
            let found = try await SlotService(context).slots(asked.question, from: range.from, to: range.to, timeZone: range.zone)
            return SlotPage(items: Array(found.slots.prefix(QueryFields.largestPage)), calendars: found.calendars, nextCursor: nil).json
        }
    }

    private var hold: AgentTool {
        AgentTool(
            name: "hold_slot", title: "Hold a free time",
            description: "Keep a slot for some minutes while the person decides; book_meeting with the hold's id then always succeeds.",
            scope: .bookingsWrite, input: OpenAPIDocument.selfContained(HoldRequest.self), output: StoredHold.self, hints: .init()
        ) { call in try await HoldService(context).hold(try call.read(HoldRequest.self)).value.json }
    }

    private var bookings: AgentTool {
        AgentTool(
            name: "list_bookings", title: "List bookings",
            description: "Bookings by start, of one owner or of all, 50 at a time: which one the person means, and what is to come.",
            scope: .bookingsRead, input: OpenAPIDocument.selfContained(BookingsArguments.self), output: AgentBookings.self,
            hints: .init(isReadOnly: true, isIdempotent: true)
        ) { call in
            let asked = try call.read(BookingsArguments.self).page()
            let page = try await service.page(asked.filter, after: asked.after, limit: QueryFields.usualPage)
            let views = page.views.map(call.shown)
            return AgentBookings(items: views, nextCursor: page.next.map { QueryFields.cursor($0.start, $0.id) }).json
        }
    }

    private var book: AgentTool {
        var schema = OpenAPIDocument.selfContained(BookingRequest.self)
        let key: JSON = [
            "type": ["string", "null"], "minLength": 1, "maxLength": 255,
            "description": "Any text of your own: the same one again, with the same arguments, answers with the same booking.",
        ]
        schema = schema.adding(key, as: Self.repeatKey, under: "properties")
        return AgentTool(
            name: "book_meeting", title: "Book a meeting",
            description:
                "Make a booking and its meeting room, and invite everyone by mail. The answer holds the join link as soon as the room is there. Send an idempotencyKey, so that a repeated call books nothing twice.",
            scope: .bookingsWrite, input: schema, output: BookingView.self, hints: .init(),
            run: makeBooking)
    }

    private func makeBooking(_ call: AgentCall) async throws -> JSON {
        let content = JSON.object((call.arguments.members ?? []).filter { $0.key != Self.repeatKey })
        let (request, formFindings) = BookingRequest.read(content)
        var findings = formFindings
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
            scope: .bookingsRead, input: OpenAPIDocument.selfContained(BookingArguments.self), output: BookingView.self,
            hints: .init(isReadOnly: true, isIdempotent: true)
        ) { call in call.json(try await service.view(try call.read(BookingArguments.self).id)) }
    }

    private var reschedule: AgentTool {
        AgentTool(
            name: "reschedule_booking", title: "Move a booking",
            description: "Move a booking to another time, and tell everyone. Its links stay the same.", scope: .bookingsWrite,
            input: OpenAPIDocument.selfContained(MoveArguments.self), output: BookingView.self,
            hints: .init(isDestructive: true, isIdempotent: true)
        ) { call in
            let asked = try call.read(MoveArguments.self)
            _ = try await service.reschedule(
                asked.id, to: asked.move.start, timeZone: asked.move.timeZone, disambiguation: asked.move.disambiguation,
                anyTime: asked.move.anyTime)
            return call.json(try await settle(asked.id))
        }
    }

    private var cancel: AgentTool {
        AgentTool(
            name: "cancel_booking", title: "Cancel a booking",
            description: "Cancel a booking, take its room away, and tell everyone. A second time changes nothing.", scope: .bookingsWrite,
            input: OpenAPIDocument.selfContained(BookingArguments.self), output: BookingView.self,
            hints: .init(isDestructive: true, isIdempotent: true)
        ) { call in
            let id = try call.read(BookingArguments.self).id
            _ = try await service.cancel(id)
            return call.json(try await settle(id))
        }
    }
}
