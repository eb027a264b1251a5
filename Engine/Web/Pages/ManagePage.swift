import Foundation
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// Moves or cancels a meeting: by an attendee's own link, `/manage/{token}`, and from the owner's page. Every change is asked about first,
/// and done by a second press; a GET changes nothing, because mail scanners open links.
struct ManagePage: Sendable {
    private let context: EngineContext
    private let service: BookingService
    private let links: ReaderLinks
    private let slots: SlotService

    /// Free times that are offered, and how long before and after a time they are looked for.
    private static let (mostOffered, before, ahead) = (40, Duration.days(7), Duration.days(31))

    init(_ context: EngineContext, _ service: BookingService) {
        self.context = context
        self.service = service
        links = ReaderLinks(context: context, service: service)
        slots = SlotService(context)
    }

    func add(to router: Router<WebContext>) {
        router.get("/manage/{token}") { request, parameters in
            guard let managed = try await managed(parameters) else { return Page.deadLink }
            return try await show(managed, typed: request.uri.queryParameters.get("start"), done: request.uri.queryParameters.get("done"))
        }
        router.post("/manage/{token}/cancel") { request, parameters in
            guard let managed = try await managed(parameters) else { return Page.deadLink }
            return try await cancel(managed, try await request.form())
        }
        router.post("/manage/{token}/reschedule") { request, parameters in
            guard let managed = try await managed(parameters) else { return Page.deadLink }
            return try await reschedule(managed, try await request.form())
        }
    }

    private func managed(_ parameters: WebContext) async throws -> ManagedBooking? {
        let token = try parameters.parameters.require("token")
        return try await links.visit(token, .manage).map { ManagedBooking(visit: $0, page: "/manage/\(token)", action: "/manage/\(token)") }
    }

    /// - Parameters:
    ///   - typed: what the visitor had in the field before a refusal or a second thought.
    ///   - done: `moved` after a move.
    func show(_ managed: ManagedBooking, typed: String?, done: String?) async throws -> Response {
        let visit = managed.visit
        let mayMove = try await refusalOfMove(visit) == nil
        var values = values(
            managed, typed: typed, mayMove: mayMove, free: mayMove ? try await freeTimes(visit, near: visit.booking.start) : nil)
        if visit.booking.status == .cancelled { values.again = try await links.again(visit) }
        if done == "moved", visit.booking.status == .confirmed, context.now < visit.booking.start {
            values.notice = NoticePart(.good, visit.words(.moved))
        }
        return Page.response(.ok, visit.booking.title, HTML(.manage, values), words: visit.words)
    }

    private func refusalOfMove(_ visit: ReaderLinks.Visit) async throws -> UsherError? {
        try await Actor.acting(visit.actor) { try await service.refusalOfMove(visit.booking) }
    }

    /// - Parameters:
    ///   - mayMove: otherwise the page refers to the owner.
    ///   - free: where the meeting can be moved; `nil` where its type has no slots.
    private func values(_ managed: ManagedBooking, typed: String?, mayMove: Bool, free: [Instant]?) -> ManageValues {
        let visit = managed.visit
        let (booking, words) = (visit.booking, visit.words)
        var values = ManageValues(meeting: MeetingPart(visit), back: managed.back)
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
                moveName: words(.move), offered: offered(free ?? [], managed), moveAction: managed.action + "/reschedule",
                moveCarried: HiddenField.all(managed.carried),
                newStart: words(.newStart, ["zone": visit.timeZone]), earliest: local(context.now, visit.timeZone),
                shown: Self.shown(typed) ?? local(booking.start, visit.timeZone), moveButton: words(.moveButton))
        } else {
            values.ask = words(.askOwner, ["owner": booking.terms.owner.name])
        }
        if visit.reader == .owner || booking.guestsMay(.cancel) {
            values.cancel = .init(
                cancelName: words(.cancel),
                press: FormButton(
                    words(.cancelButton), action: managed.action + "/cancel", key: nil, fields: managed.carried, isPlain: true))
        }
        return values
    }

    /// Free times that are asked about when they are pressed, a line a day.
    private func offered(_ free: [Instant], _ managed: ManagedBooking) -> TimesPart? {
        guard !free.isEmpty else { return nil }
        let visit = managed.visit
        let zone = TimeZone(iana: visit.timeZone) ?? .gmt
        let days = Dictionary(grouping: free) { CalendarDate(WallTime($0, in: zone)) }.sorted { $0.key < $1.key }
        return TimesPart(
            timesAction: managed.action + "/reschedule", carried: HiddenField.all(managed.carried),
            days: days.map { day, starts in
                .init(
                    dayName: visit.words.day(day),
                    starts: starts.map { start in
                        let time = ReaderTime.of(start: start, end: start, timeZone: visit.timeZone, language: visit.language).time
                        return .init(startsAt: start.rfc3339, startName: time)
                    })
            })
    }

    /// The free times nearest to one, in their order; `nil` where the type has no slots.
    private func freeTimes(_ visit: ReaderLinks.Visit, near time: Instant) async throws -> [Instant]? {
        let from = max(context.now, time - Self.before)
        return try await slots.moves(of: visit.booking, from: from, to: from + Self.ahead).map { free in
            free.sorted { ($0.distance(to: time), $0) < ($1.distance(to: time), $1) }.prefix(Self.mostOffered).sorted()
        }
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
    private func form(_ managed: ManagedBooking, typed: String?) -> String {
        Self.shown(typed).map { managed.page("start", $0) } ?? managed.page
    }

    // MARK: Presses

    /// - Parameter form: what was posted.
    func cancel(_ managed: ManagedBooking, _ form: [String: String]) async throws -> Response {
        let (visit, words) = (managed.visit, managed.visit.words)
        guard form["sure"] == "yes" else {
            let booking = visit.booking
            let time = TimePart(booking.start, booking.end, zone: visit.timeZone, language: visit.language)
            let message = MessagePart(
                asked: [.init(time: time)], lines: [booking.title, words(.told)],
                buttons: [
                    FormButton(words(.yesCancel), action: managed.action + "/cancel", key: nil, fields: managed.carried + [("sure", "yes")])
                ], ways: [WayPart(wayPath: managed.page, wayName: words(.no))])
            return Page.response(.ok, words(.sureCancel), message.html, words: words)
        }
        return try await act("booking.cancel", managed) {
            guard context.now < visit.booking.start else {
                throw UsherError(.bookingInPast, "The meeting has begun, and cannot be cancelled here any more.")
            }
            return try await service.cancel(visit.booking.id).value
        }
    }

    /// - Parameter form: what was posted.
    func reschedule(_ managed: ManagedBooking, _ form: [String: String]) async throws -> Response {
        let visit = managed.visit
        let start = form["start"]?.trimmingBlanks ?? ""
        if let refusal = try await refusalOfMove(visit) { return try await refused(managed, refusal, of: "booking.reschedule") }
        guard form["sure"] == "yes" else {
            let zone = TimeZone(iana: visit.timeZone) ?? .gmt
            switch WrittenTime(Self.shown(start) ?? start) {
            case nil: return refused(managed, visit.words(.chooseTime))
            // One that was offered.
            case .instant(let instant)?: return try await confirm(managed, [instant], typed: local(instant, visit.timeZone))
            case .wall(let wall)?:
                switch WallTimeMeaning(wall, in: zone) {
                case .once(let instant): return try await confirm(managed, [instant], typed: start)
                case .twice(let earlier, let later): return try await confirm(managed, [earlier, later], typed: start)
                case .skipped: return refused(managed, visit.words(.skipped), typed: start)
                }
            }
        }
        var typed: String?
        if case .instant(let instant)? = WrittenTime(start) { typed = local(instant, visit.timeZone) }
        return try await act("booking.reschedule", managed, typed: typed) {
            guard context.now < visit.booking.start else {
                throw UsherError(.bookingInPast, "The meeting has begun, and cannot be moved here any more.")
            }
            return try await service.reschedule(visit.booking.id, to: start, anyTime: visit.reader == .owner).value
        }
    }

    /// One button for each instant that the written time can mean; only for a time that is free, where the type has slots.
    private func confirm(_ managed: ManagedBooking, _ instants: [Instant], typed: String) async throws -> Response {
        let visit = managed.visit
        if instants.allSatisfy({ $0 <= context.now }) { return refused(managed, visit.words(.past), typed: typed) }
        // An owner may host outside of what guests are offered; two meetings at a time are refused when it is done.
        if visit.reader != .owner, let first = instants.first, let last = instants.last, !instants.contains(visit.booking.start),
            let free = try await slots.moves(of: visit.booking, from: first, to: last + .microseconds(1)),
            Set(free).isDisjoint(with: instants)
        {
            let message = MessagePart(
                notice: NoticePart(
                    .bad, visit.words(.notOffered), visit.words(.unchanged), isUrgent: true),
                offered: offered(try await freeTimes(visit, near: first) ?? [], managed),
                ways: [WayPart(wayPath: form(managed, typed: typed), wayName: visit.words(.back))])
            return Page.response(.conflict, visit.words(.refused), message.html, words: visit.words)
        }
        let asked = instants.map { instant in
            MessagePart.Asked(
                time: TimePart(instant, instant + visit.booking.duration, zone: visit.timeZone, language: visit.language),
                press: FormButton(
                    visit.words(.yesMove), action: managed.action + "/reschedule", key: nil,
                    fields: managed.carried + [("start", instant.rfc3339), ("sure", "yes")]))
        }
        let message = MessagePart(asked: asked, ways: [WayPart(wayPath: form(managed, typed: typed), wayName: visit.words(.no))])
        return Page.response(.ok, visit.words(.sureMove, ["title": visit.booking.title]), message.html, words: visit.words)
    }

    /// - Parameter action: as the audit calls it.
    private func act(
        _ action: String, _ managed: ManagedBooking, typed: String? = nil, _ change: () async throws -> BookingView
    ) async throws -> Response {
        do {
            _ = try await Actor.acting(managed.visit.actor) { try await change() }
            return Page.redirect(to: action == "booking.reschedule" ? managed.page("done", "moved") : managed.page)
        } catch let error as UsherError {
            return try await refused(managed, error, of: action, typed: typed)
        }
    }

    private func refused(
        _ managed: ManagedBooking, _ error: UsherError, of action: String, typed: String? = nil
    ) async throws -> Response {
        let visit = managed.visit
        if error.code == .authForbidden {
            try await Actor.acting(visit.actor) { try await context.auditRefusal(action, outcome: error.code.rawValue) }
        }
        return refused(managed, words(for: error, visit), status: error.code.httpStatus, typed: typed)
    }

    private func words(for error: UsherError, _ visit: ReaderLinks.Visit) -> String {
        switch error.code {
        case .bookingUnavailable: visit.words(.notOffered)
        case .bookingConflict: visit.words(.taken, ["owner": visit.booking.terms.owner.name])
        case .bookingInPast: visit.words(context.now < visit.booking.start ? .past : .begun)
        case .authForbidden: visit.words(.askOwner, ["owner": visit.booking.terms.owner.name])
        case .bookingCancelled: visit.words(.cancelled)
        default: ([error.message] + error.findings.map(\.detail)).joined(separator: " ")
        }
    }

    private func refused(
        _ managed: ManagedBooking, _ why: String, status: HTTPTypes.HTTPResponse.Status = .unprocessableContent,
        typed: String? = nil
    ) -> Response {
        let words = managed.visit.words
        let message = MessagePart(
            notice: NoticePart(.bad, why, words(.unchanged), isUrgent: true),
            ways: [WayPart(wayPath: form(managed, typed: typed), wayName: words(.back))])
        return Page.response(status, words(.refused), message.html, words: words)
    }
}

/// The values of `manage.html.mustache`.
private struct ManageValues {
    struct Move {
        var moveName: String
        var offered: TimesPart?
        var moveAction: String
        var moveCarried: [HiddenField]
        var newStart, earliest, shown, moveButton: String
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
    var back: WayPart?
}

extension Instant {
    fileprivate func distance(to other: Instant) -> Duration { self < other ? other - self : self - other }
}
