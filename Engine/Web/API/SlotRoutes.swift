import Foundation
import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/slots` and `/v1/holds`: what can be booked, why not, and keeping a time while somebody decides.
struct SlotRoutes: Sendable {
    let service: SlotService
    let holds: HoldService
    let now: @Sendable () -> Instant

    /// What is answered for where no end is asked for, and the most.
    static let (usualDays, mostDays): (Int64, Int64) = (7, 31)

    var operations: [Operation] {
        [
            Operation(
                method: .get, path: "/v1/slots", id: "listSlots", access: .key(.bookingsRead),
                summary: "What can be booked: the slots of an owner, or of the hosts of a meeting type.",
                query: [
                    Self.type, Self.owner,
                    .init(name: "from", schema: String.schema, detail: "A date or a time; now where it is not given."),
                    .init(
                        name: "to", schema: String.schema,
                        detail: "A date, which is whole, or a time; seven days later where it is not given, 31 at most."),
                    .init(
                        name: "timeZone", schema: String.schema,
                        detail: "IANA name: in which dates and wall times are read and slots are written."),
                    Self.duration, .limit, .cursor,
                ], answers: .json(.ok, SlotPage.self), codes: [.notFound], run: slots),
            Operation(
                method: .get, path: "/v1/slots/explain", id: "explainSlot", access: .key(.bookingsRead),
                summary: "Host by host, why a time can be booked or cannot.",
                query: [
                    Self.type, Self.owner, .init(name: "start", schema: Instant.schema, detail: "RFC 3339.", isRequired: true),
                    Self.duration,
                ], answers: .json(.ok, SlotExplanation.self), codes: [.notFound], run: explain),
            Operation(
                method: .post, path: "/v1/holds", id: "createHold", access: .key(.bookingsWrite),
                summary: "Keep a slot while somebody decides. A booking that names the hold before it ends always succeeds.",
                takes: .json(HoldRequest.self), answers: .json(.created, StoredHold.self),
                codes: [.bookingUnavailable, .bookingConflict, .bookingInPast, .rateLimited], run: hold),
            Operation(
                method: .delete, path: "/v1/holds/{id}", id: "deleteHold", access: .key(.bookingsWrite), summary: "Give a held time free.",
                answers: .nothing, codes: [.notFound]
            ) { call in
                try await holds.release(try call.part("id"))
                return Response(status: .noContent)
            },
        ]
    }

    private static let type = Operation.Parameter(
        name: "meetingType", schema: ["type": "string"], detail: "The id of a meeting type with slots.", isRequired: true)
    private static let owner = Operation.Parameter(
        name: "owner", schema: ["type": "string"], detail: "An owner's id; the meeting type's hosts where it is not given.")
    private static let duration = Operation.Parameter(
        name: "duration", schema: ["type": "string"], detail: "One of the meeting type's, such as 45m; its first where it is not given.")

    private func question(_ query: QueryFields) -> SlotService.Question {
        SlotService.Question(meetingType: query.text("meetingType") ?? "", owner: query.text("owner"), duration: query.text("duration"))
    }

    private func slots(_ call: APICall) async throws -> Response {
        var query = call.query
        let zone = query.zone("timeZone")
        let asked = query.range(zone ?? .gmt, now: now(), usual: Self.usualDays, most: Self.mostDays)
        let (limit, after) = (query.limit(), query.cursor())
        try query.check()
        let from = after.map { max(asked.from, $0.start + .microseconds(1)) } ?? asked.from
        let found = try await service.slots(question(query), from: from, to: asked.to, timeZone: zone)
        let shown = Array(found.slots.prefix(limit))
        let next = found.slots.count > limit ? shown.last.map { QueryFields.cursor($0.start, "slot") } : nil
        return Response.json(.ok, SlotPage(items: shown, calendars: found.calendars, nextCursor: next))
    }

    private func explain(_ call: APICall) async throws -> Response {
        var query = call.query
        let start = query.instant("start")
        try query.check()
        guard let start else {
            throw UsherError(.validationFailed, "Say which start is meant.", findings: [.init("/start", "is required")])
        }
        let hosts = try await service.explain(question(query), start: start)
        return Response.json(.ok, SlotExplanation(start: start, hosts: hosts))
    }

    private func hold(_ call: APICall) async throws -> Response {
        let (request, findings) = try call.read(HoldRequest.self)
        let held = try await holds.hold(request, known: findings, repeating: try call.repeating)
        var response = Response.json(.created, held)
        response.headers[.location] = "/v1/holds/\(held.value.id)"
        return response
    }
}

/// Some slots in order.
struct SlotPage: JSONObject {
    var items: [SlotService.Slot]
    var calendars: [OwnerCalendars]
    var nextCursor: String?

    static let schemaName = "SlotPage"
    static let fields: [JSONField<SlotPage>] = [
        .init("items", "The slots, the earliest first.") { $0.items },
        .init("calendars", "How fresh is what is known of the hosts' calendars; hosts without calendars are left out.") { $0.calendars },
        .init("nextCursor", "For the next page; null on the last one.") { $0.nextCursor },
    ]
}

/// Why a time can be booked or not.
struct SlotExplanation: JSONObject {
    var start: Instant
    var hosts: [HostRefusal]

    static let schemaName = "SlotExplanation"
    static let fields: [JSONField<SlotExplanation>] = [
        .init("start", "The time that was asked about.") { $0.start },
        .init("free", "Whether a host can be booked.") { $0.hosts.contains { $0.reasons.isEmpty } },
        .init("hosts", "Each host, and what stands in the way.") { $0.hosts },
    ]
}

extension QueryFields {
    /// An IANA name.
    mutating func zone(_ name: String) -> TimeZone? {
        guard let text = text(name) else { return nil }
        guard let zone = TimeZone(iana: text) else {
            find(name, "must be a time zone's IANA name such as Europe/Berlin")
            return nil
        }
        return zone
    }

    /// A stretch of time: dates are whole days, wall times are read in a zone.
    mutating func range(_ zone: TimeZone, now: Instant, usual: Int64, most: Int64) -> (from: Instant, to: Instant) {
        let from = moment("from", zone, isEnd: false) ?? now
        let to = moment("to", zone, isEnd: true) ?? from + .days(usual)
        // A day of a change of the clocks has 25 hours.
        if to > from + .days(most) + .hours(1) { find("to", "must be at most \(most) days after from") }
        if to < from { find("to", "must not be before from") }
        return (from, to)
    }

    private mutating func moment(_ name: String, _ zone: TimeZone, isEnd: Bool) -> Instant? {
        guard let text = text(name)?.replacing(" ", with: "+") else { return nil }
        if let date = CalendarDate(text) { return (isEnd ? date + 1 : date).beginning(in: zone) }
        switch WrittenTime(text) {
        case .instant(let instant)?: return instant
        case .wall(let wall)?:
            switch WallTimeMeaning(wall, in: zone) {
            case .once(let instant), .twice(earlier: let instant, later: _): return instant
            case .skipped: find(name, "is a time that the clocks skip")
            }
        case nil: find(name, "must be a date such as 2026-12-01, or a time such as 2026-12-01T09:00:00Z")
        }
        return nil
    }
}
