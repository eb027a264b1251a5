import Foundation
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// `/manage/{token}`: an attendee moves or cancels the meeting. Every change is asked about first, and done by a second press; a GET
/// changes nothing, because mail scanners open links.
struct ManagePage: Sendable {
    private let context: EngineContext
    private let service: BookingService
    private let links: ReaderLinks
    private let slots: SlotService

    /// Free times that are offered, and how far ahead they are looked for.
    private static let (mostOffered, ahead) = (40, Duration.days(31))

    init(_ context: EngineContext, _ service: BookingService) {
        self.context = context
        self.service = service
        links = ReaderLinks(context: context, service: service)
        slots = SlotService(context)
    }

    func add(to router: Router<WebContext>) {
        router.get("/manage/{token}") { request, parameters in
            let token = try parameters.parameters.require("token")
            guard let visit = try await links.visit(token, .manage) else { return Page.deadLink }
            let typed = request.uri.queryParameters.get("start")
            let mayMove = try await refusalOfMove(visit) == nil
            let free = mayMove ? try await freeTimes(visit) : nil
            var values = values(visit, token, typed: typed, mayMove: mayMove, free: free)
            if visit.booking.status == .cancelled { values.again = try await links.again(visit) }
            if request.uri.queryParameters["done"] == "moved", visit.booking.status == .confirmed, context.now < visit.booking.start {
                values.notice = NoticePart(.good, visit.words(.moved))
            }
            return Page.response(.ok, visit.booking.title, HTML(.manage, values), words: visit.words)
        }
        router.post("/manage/{token}/cancel") { request, parameters in
            try await cancel(request, try parameters.parameters.require("token"))
        }
        router.post("/manage/{token}/reschedule") { request, parameters in
            try await reschedule(request, try parameters.parameters.require("token"))
        }
    }

    private func refusalOfMove(_ visit: ReaderLinks.Visit) async throws -> UsherError? {
        try await Actor.acting(visit.actor) { try await service.refusalOfMove(visit.booking) }
    }

    /// - Parameters:
    ///   - typed: what the visitor had in the field before a refusal or a second thought.
    ///   - mayMove: otherwise the page refers to the owner.
    ///   - free: where the meeting can be moved; `nil` where its type has no slots.
    private func values(_ visit: ReaderLinks.Visit, _ token: String, typed: String?, mayMove: Bool, free: [Instant]?) -> ManageValues {
        let (booking, words) = (visit.booking, visit.words)
        var values = ManageValues(meeting: MeetingPart(visit))
        if booking.status == .cancelled {
            values.notice = NoticePart(.warn, words(.cancelled))
            return values
        }
        guard context.now < booking.start else {
            values.notice = NoticePart(.idle, words(.begun))
            return values
        }
        if mayMove {
            values.move = .init(
                moveName: words(.move), offered: offered(free ?? [], visit, token), moveAction: "/manage/\(token)/reschedule",
                newStart: words(.newStart, ["zone": visit.timeZone]), earliest: local(context.now, visit.timeZone),
                shown: Self.shown(typed) ?? local(booking.start, visit.timeZone), moveButton: words(.moveButton))
        } else {
            values.ask = words(.askOwner, ["owner": booking.terms.owner.name])
        }
        if booking.guestsMay(.cancel) {
            values.cancel = .init(
                cancelName: words(.cancel),
                press: FormButton(words(.cancelButton), action: "/manage/\(token)/cancel", key: nil, isPlain: true))
        }
        return values
    }

    /// Free times that are asked about when they are pressed, a line a day.
    private func offered(_ free: [Instant], _ visit: ReaderLinks.Visit, _ token: String) -> TimesPart? {
        guard !free.isEmpty else { return nil }
        let zone = TimeZone(iana: visit.timeZone) ?? .gmt
        let days = Dictionary(grouping: free) { CalendarDate(WallTime($0, in: zone)) }.sorted { $0.key < $1.key }
        return TimesPart(
            timesAction: "/manage/\(token)/reschedule", carried: [],
            days: days.map { day, starts in
                .init(
                    dayName: visit.words.day(day),
                    starts: starts.map { start in
                        let time = ReaderTime.of(start: start, end: start, timeZone: visit.timeZone, language: visit.language).time
                        return .init(startsAt: start.rfc3339, startName: time)
                    })
            })
    }

    private func freeTimes(_ visit: ReaderLinks.Visit) async throws -> [Instant]? {
        let now = context.now
        return try await slots.moves(of: visit.booking, from: now, to: now + Self.ahead).map { Array($0.prefix(Self.mostOffered)) }
    }

    /// `2026-12-01T10:00`, as the field shows it.
    private func local(_ instant: Instant, _ zone: String) -> String {
        String(WallTime(instant, offsetSeconds: Int64((TimeZone(iana: zone) ?? .gmt).offset(at: instant))).text.prefix(16))
    }

    /// The time that was typed, as the field shows it; `nil` for what is none.
    private static func shown(_ typed: String?) -> String? {
        guard let typed, case .wall(let wall)? = WrittenTime(typed) else { return nil }
        return String(wall.text.prefix(16))
    }

    /// The way back to the form, with what was typed.
    private func form(_ token: String, typed: String?) -> String {
        "/manage/\(token)" + (Self.shown(typed).map { "?start=\(Page.encoded($0))" } ?? "")
    }

    // MARK: Presses

    private func cancel(_ request: Request, _ token: String) async throws -> Response {
        guard let visit = try await links.visit(token, .manage) else { return Page.deadLink }
        let (form, words) = (try await request.form(), visit.words)
        guard form["sure"] == "yes" else {
            let booking = visit.booking
            let time = TimePart(booking.start, booking.end, zone: visit.timeZone, language: visit.language)
            let message = MessagePart(
                asked: [.init(time: time)], lines: [booking.title, words(.told)],
                buttons: [FormButton(words(.yesCancel), action: "/manage/\(token)/cancel", key: nil, fields: [("sure", "yes")])],
                ways: [WayPart(wayPath: "/manage/\(token)", wayName: words(.no))])
            return Page.response(.ok, words(.sureCancel), message.html, words: words)
        }
        return try await act("booking.cancel", visit, token) {
            guard context.now < visit.booking.start else {
                throw UsherError(.bookingInPast, "The meeting has begun, and cannot be cancelled here any more.")
            }
            return try await service.cancel(visit.booking.id).value
        }
    }

    private func reschedule(_ request: Request, _ token: String) async throws -> Response {
        guard let visit = try await links.visit(token, .manage) else { return Page.deadLink }
        let form = try await request.form()
        let start = form["start"]?.trimmingBlanks ?? ""
        if let refusal = try await refusalOfMove(visit) { return try await refused(visit, token, refusal, of: "booking.reschedule") }
        guard form["sure"] == "yes" else {
            let zone = TimeZone(iana: visit.timeZone) ?? .gmt
            switch WrittenTime(Self.shown(start) ?? start) {
            case nil: return refused(visit, token, visit.words(.chooseTime))
            // One that was offered.
            case .instant(let instant)?: return try await confirm(visit, token, [instant], typed: local(instant, visit.timeZone))
            case .wall(let wall)?:
                switch WallTimeMeaning(wall, in: zone) {
                case .once(let instant): return try await confirm(visit, token, [instant], typed: start)
                case .twice(let earlier, let later): return try await confirm(visit, token, [earlier, later], typed: start)
                case .skipped: return refused(visit, token, visit.words(.skipped), typed: start)
                }
            }
        }
        var typed: String?
        if case .instant(let instant)? = WrittenTime(start) { typed = local(instant, visit.timeZone) }
        return try await act("booking.reschedule", visit, token, typed: typed) {
            guard context.now < visit.booking.start else {
                throw UsherError(.bookingInPast, "The meeting has begun, and cannot be moved here any more.")
            }
            return try await service.reschedule(visit.booking.id, to: start).value
        }
    }

    /// One button for each instant that the written time can mean; only for a time that is free, where the type has slots.
    private func confirm(_ visit: ReaderLinks.Visit, _ token: String, _ instants: [Instant], typed: String) async throws -> Response {
        if instants.allSatisfy({ $0 <= context.now }) { return refused(visit, token, visit.words(.past), typed: typed) }
        if let first = instants.first, let last = instants.last, !instants.contains(visit.booking.start),
            let free = try await slots.moves(of: visit.booking, from: first, to: last + .microseconds(1)),
            Set(free).isDisjoint(with: instants)
        {
            let message = MessagePart(
                notice: NoticePart(
                    .bad, visit.words(.taken, ["owner": visit.booking.terms.owner.name]), visit.words(.unchanged), isUrgent: true),
                offered: offered(try await freeTimes(visit) ?? [], visit, token),
                ways: [WayPart(wayPath: form(token, typed: typed), wayName: visit.words(.back))])
            return Page.response(.conflict, visit.words(.refused), message.html, words: visit.words)
        }
        let asked = instants.map { instant in
            MessagePart.Asked(
                time: TimePart(instant, instant + visit.booking.duration, zone: visit.timeZone, language: visit.language),
                press: FormButton(
                    visit.words(.yesMove), action: "/manage/\(token)/reschedule", key: nil,
                    fields: [("start", instant.rfc3339), ("sure", "yes")]))
        }
        let message = MessagePart(asked: asked, ways: [WayPart(wayPath: form(token, typed: typed), wayName: visit.words(.no))])
        return Page.response(.ok, visit.words(.sureMove, ["title": visit.booking.title]), message.html, words: visit.words)
    }

    /// - Parameter action: as the audit calls it.
    private func act(
        _ action: String, _ visit: ReaderLinks.Visit, _ token: String, typed: String? = nil, _ change: () async throws -> BookingView
    ) async throws -> Response {
        do {
            _ = try await Actor.acting(visit.actor) { try await change() }
            return Page.redirect(to: "/manage/\(token)" + (action == "booking.reschedule" ? "?done=moved" : ""))
        } catch let error as UsherError {
            return try await refused(visit, token, error, of: action, typed: typed)
        }
    }

    private func refused(
        _ visit: ReaderLinks.Visit, _ token: String, _ error: UsherError, of action: String, typed: String? = nil
    ) async throws -> Response {
        if error.code == .authForbidden {
            try await Actor.acting(visit.actor) { try await context.auditRefusal(action, outcome: error.code.rawValue) }
        }
        return refused(visit, token, words(for: error, visit), status: error.code.httpStatus, typed: typed)
    }

    private func words(for error: UsherError, _ visit: ReaderLinks.Visit) -> String {
        switch error.code {
        case .bookingConflict, .bookingUnavailable: visit.words(.taken, ["owner": visit.booking.terms.owner.name])
        case .bookingInPast: visit.words(context.now < visit.booking.start ? .past : .begun)
        case .authForbidden: visit.words(.askOwner, ["owner": visit.booking.terms.owner.name])
        case .bookingCancelled: visit.words(.cancelled)
        default: ([error.message] + error.findings.map(\.detail)).joined(separator: " ")
        }
    }

    private func refused(
        _ visit: ReaderLinks.Visit, _ token: String, _ why: String, status: HTTPTypes.HTTPResponse.Status = .unprocessableContent,
        typed: String? = nil
    ) -> Response {
        let words = visit.words
        let message = MessagePart(
            notice: NoticePart(.bad, why, words(.unchanged), isUrgent: true),
            ways: [WayPart(wayPath: form(token, typed: typed), wayName: words(.back))])
        return Page.response(status, words(.refused), message.html, words: words)
    }
}

/// The values of `manage.html.mustache`.
private struct ManageValues {
    struct Move {
        var moveName: String
        var offered: TimesPart?
        var moveAction, newStart, earliest, shown, moveButton: String
    }
    struct Cancel {
        var cancelName: String
        var press: FormButton
    }

    var meeting: MeetingPart
    var notice: NoticePart?
    var again: AgainPart?
    var ask: String?
    var move: Move?
    var cancel: Cancel?
}
