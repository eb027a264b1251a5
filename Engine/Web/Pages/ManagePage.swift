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
            return Page.response(
                .ok, visit.booking.title, body(visit, token, typed: typed, mayMove: mayMove, free: free), words: visit.words)
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
    private func body(_ visit: ReaderLinks.Visit, _ token: String, typed: String?, mayMove: Bool, free: [Instant]?) -> HTML {
        let booking = visit.booking
        let (head, words) = (Page.head(of: visit), visit.words)
        if booking.status == .cancelled { return head + "<p class=\"notice warn\">\(words(.cancelled))</p>" }
        guard context.now < booking.start else { return head + "<p class=notice>\(words(.begun))</p>" }
        let move: HTML = """
            <section><h2>\(words(.move))</h2>\(offered(free ?? [], visit, token))<form class=stack method=post action="/manage/\(token)/reschedule">
            <label for=start>\(words(.newStart, ["zone": visit.timeZone]))</label>
            <input id=start name=start type=datetime-local required min="\(local(context.now, visit.timeZone))"
            value="\(Self.shown(typed) ?? local(booking.start, visit.timeZone))">
            <button class=button>\(words(.moveButton))</button></form></section>
            """
        let cancel: HTML = """
            <section><h2>\(words(.cancel))</h2>\(Page.button(words(.cancelButton), action: "/manage/\(token)/cancel", key: nil, isPlain: true))</section>
            """
        let ask: HTML = "<p>\(words(.askOwner, ["owner": booking.terms.owner.name]))</p>"
        return head + (mayMove ? move : ask) + (booking.guestsMay(.cancel) ? cancel : "")
    }

    /// Free times that are asked about when they are pressed, a line a day.
    private func offered(_ free: [Instant], _ visit: ReaderLinks.Visit, _ token: String) -> HTML {
        guard !free.isEmpty else { return "" }
        let zone = TimeZone(iana: visit.timeZone) ?? .gmt
        let days = Dictionary(grouping: free) { CalendarDate(WallTime($0, in: zone)) }.sorted { $0.key < $1.key }
        let lines = days.map { day, starts -> HTML in
            let buttons = starts.map { start -> HTML in
                let time = ReaderTime.of(start: start, end: start, timeZone: visit.timeZone, language: visit.language).time
                return "<button class=\"button plain\" name=start value=\"\(start.rfc3339)\">\(time)</button> "
            }
            return "<p><strong>\(visit.words.day(day))</strong></p><p>\(buttons.joined())</p>"
        }
        return "<form class=times method=post action=\"/manage/\(token)/reschedule\">\(lines.joined())</form>"
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
            return Page.response(
                .ok, words(.sureCancel),
                Page.head(of: visit) + "<p>\(words(.told))</p>"
                    + Page.button(words(.yesCancel), action: "/manage/\(token)/cancel", key: nil, fields: [("sure", "yes")])
                    + Page.back(to: "/manage/\(token)", words(.no)), words: words)
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
            let near = offered(try await freeTimes(visit) ?? [], visit, token)
            return Page.response(
                .conflict, visit.words(.refused),
                "<p>\(visit.words(.taken, ["owner": visit.booking.terms.owner.name]))</p><p>\(visit.words(.unchanged))</p>\(near)"
                    + Page.back(to: form(token, typed: typed), visit.words(.back)), words: visit.words)
        }
        let buttons = instants.map { instant -> HTML in
            let time = ReaderTime.of(
                start: instant, end: instant + visit.booking.duration, timeZone: visit.timeZone, language: visit.language)
            return "<p class=when>\(time.date)<br>\(time.range)</p><p class=zone>\(time.zone)</p>"
                + Page.button(
                    visit.words(.yesMove), action: "/manage/\(token)/reschedule", key: nil,
                    fields: [("start", instant.rfc3339), ("sure", "yes")])
        }
        return Page.response(
            .ok, visit.words(.sureMove, ["title": visit.booking.title]),
            buttons.joined() + Page.back(to: form(token, typed: typed), visit.words(.no)), words: visit.words)
    }

    /// - Parameter action: as the audit calls it.
    private func act(
        _ action: String, _ visit: ReaderLinks.Visit, _ token: String, typed: String? = nil, _ change: () async throws -> BookingView
    ) async throws -> Response {
        do {
            _ = try await Actor.acting(visit.actor) { try await change() }
            return Page.redirect(to: "/manage/\(token)")
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
        return Page.response(
            status, words(.refused),
            "<div class=\"notice bad\" role=alert><p>\(why)</p><p>\(words(.unchanged))</p></div>"
                + Page.back(to: form(token, typed: typed), words(.back)),
            words: words)
    }
}
