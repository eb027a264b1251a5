import HTTPTypes
import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/bookings`
struct BookingRoutes: Sendable {
    let service: BookingService

    private static let path = "/v1/bookings"
    private static let longestWait: Int64 = 60

    var operations: [Operation] {
        [
            Operation(
                method: .post, path: Self.path, id: "createBooking", access: .key(.bookingsWrite),
                summary: "Make a booking. With Prefer: wait=20 the answer holds the join link.", takes: .json(BookingRequest.self),
                mayWait: true, answers: .json(.created, BookingView.self),
                codes: [.bookingConflict, .bookingUnavailable, .holdExpired, .bookingInPast, .notFound], run: create
            ),
            Operation(
                method: .get, path: Self.path, id: "listBookings", access: .key(.bookingsRead),
                summary: "Bookings by start, a page at a time.",
                query: [
                    .init(name: "owner", schema: ["type": "string"], detail: "An owner's id."),
                    .init(name: "status", schema: Booking.Status.schema, detail: "All where it is not given."),
                    .init(name: "from", schema: Instant.schema, detail: "Starts at this instant or later."),
                    .init(name: "to", schema: Instant.schema, detail: "Starts before this instant."), .limit, .cursor,
                ], answers: .page(BookingView.self), run: list),
            Operation(
                method: .get, path: Self.path + "/{id}", id: "getBooking", access: .key(.bookingsRead), summary: "One booking.",
                answers: .json(.ok, BookingView.self)
            ) { call in Response.json(.ok, call.json(try await service.view(try call.part("id")))) },
            Operation(
                method: .post, path: Self.path + "/{id}/cancel", id: "cancelBooking", access: .key(.bookingsWrite),
                summary: "Cancel a booking, its room and tell everyone. A second time changes nothing.",
                answers: .json(.ok, BookingView.self)
            ) { call in call.changed(try await service.cancel(try call.part("id"), repeating: call.repeating)) },
            Operation(
                method: .post, path: Self.path + "/{id}/reschedule", id: "rescheduleBooking", access: .key(.bookingsWrite),
                summary: "Move a booking; its links stay the same. The same time again changes nothing.",
                takes: .json(RescheduleRequest.self),
                answers: .json(.ok, BookingView.self), codes: [.bookingConflict, .bookingUnavailable, .bookingInPast, .bookingCancelled],
                run: reschedule),
            Operation(
                method: .post, path: Self.path + "/{id}/retry", id: "retryBooking", access: .key(.bookingsWrite),
                summary: "Try again at once what failed, is blocked or waits.", answers: .json(.ok, BookingView.self),
                codes: [.bookingCancelled, .bookingInPast]
            ) { call in call.changed(try await service.retry(try call.part("id"), repeating: call.repeating)) },
            Operation(
                method: .get, path: Self.path + "/{id}/timeline", id: "getTimeline", access: .key(.bookingsRead),
                summary: "All that happened to a booking, in order.", query: [.limit, .cursor], answers: .page(TimelineEntry.self)
            ) { call in try Response.list(try await service.timeline(try call.part("id")).map(\.json), call) },
        ]
    }

    private func list(_ call: APICall) async throws -> Response {
        var query = call.query
        let filter = Self.filter(&query)
        let (limit, after) = (query.limit(), query.cursor())
        try query.check()
        let page = try await service.page(filter, after: after, limit: limit)
        return Response.page(page.views.map(call.json), next: page.next)
    }

    /// Which bookings are asked for.
    static func filter(_ query: inout QueryFields) -> BookingService.Filter {
        var filter = BookingService.Filter()
        filter.owner = query.text("owner")
        filter.status = query.choice("status", Booking.Status.allCases)
        filter.from = query.instant("from") ?? filter.from
        filter.to = query.instant("to") ?? filter.to
        return filter
    }

    private func reschedule(_ call: APICall) async throws -> Response {
        let (move, findings) = try call.read(RescheduleRequest.self)
        guard findings.isEmpty else {
            throw UsherError(.validationFailed, "The booking cannot be moved as it is written.", findings: findings)
        }
        return call.changed(
            try await service.reschedule(
                try call.part("id"), to: move.start, timeZone: move.timeZone, disambiguation: move.disambiguation,
                anyTime: move.anyTime, repeating: call.repeating))
    }

    private func create(_ call: APICall) async throws -> Response {
        let (booking, findings) = try call.read(BookingRequest.self)
        let accepted = try await service.book(booking, known: findings, repeating: try call.repeating)
        let id = accepted.value.booking.id
        let wait = Self.wait(call.request)
        var view = accepted.value
        if let wait { view = try await Admission.waiting { try await service.settled(id, within: wait) } }
        var response = Response.json(.created, call.json(view), isReplay: accepted.isReplay)
        if let wait, let name = HTTPField.Name("Preference-Applied") { response.headers[name] = "wait=\(wait.wholeSeconds)" }
        response.headers[.location] = "\(Self.path)/\(id)"
        return response
    }

    /// `Prefer: wait=20` (RFC 7240 §4.3), at most a minute.
    private static func wait(_ request: Request) -> Duration? {
        guard let name = HTTPField.Name("Prefer") else { return nil }
        let preferences = request.headers[values: name].flatMap { $0.split(separator: ",") }.map { $0.trimmingBlanks.lowercased() }
        let seconds = preferences.lazy.compactMap { $0.hasPrefix("wait=") ? Int64($0.dropFirst(5)) : nil }.first
        return seconds.map { .seconds(min(max($0, 0), longestWait)) }
    }
}

extension APICall {
    /// The manage page moves and cancels: it is shown to those alone who may do so themselves.
    fileprivate func json(_ view: BookingView) -> JSON { (caller.may(.bookingsWrite) ? view : view.withoutManagePage()).json }
    fileprivate func changed(_ view: IdempotentResult<BookingView>) -> Response { .json(.ok, json(view.value), isReplay: view.isReplay) }
}

extension Operation.Parameter {
    static let limit = Operation.Parameter(
        name: "limit",
        schema: [
            "type": "integer", "minimum": 1, "maximum": .int(Int64(QueryFields.largestPage)), "default": .int(Int64(QueryFields.usualPage)),
        ], detail: "How many items a page holds.")
    static let cursor = Operation.Parameter(name: "cursor", schema: ["type": "string"], detail: "nextCursor of the page before.")
}
