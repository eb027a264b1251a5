import Foundation
import HTTPTypes
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// `/book`, `/book/{type}`, `/book/{type}/{owner}`: guests choose a time, which is held while they fill in a form. Every step works
/// without a script; the same addresses speak Markdown and JSON to agents.
struct BookPage: Sendable {
    let context: EngineContext
    let bookings: PageBookings
    private let slots: SlotService
    private let marks: VisitorMarks
    /// Times that are held from one address.
    private let choices: RateLimiter

    /// Months after the one that is shown in which a free day is looked for.
    private static let mostMonths = 3

    init(_ context: EngineContext, _ service: BookingService) {
        self.context = context
        bookings = PageBookings(context, service)
        slots = SlotService(context)
        marks = VisitorMarks(context)
        choices = context.limits.limiter("times chosen", burst: 30, perMinute: 6)
    }

    func add(to router: Router<WebContext>) {
        EmbedScript(publicURL: context.settings.publicURL).add(to: router)
        router.get("/book") { request, _ in try await list(request) }
        for path in ["/book/{type}", "/book/{type}/{owner}"] as [RouterPath] {
            router.get(path) { request, parameters in try await show(request, parameters.parameters) }
            router.post(path) { request, parameters in try await press(request, parameters.parameters) }
        }
        router.get("/book/confirm/{token}") { request, parameters in
            try await ask(request, try parameters.parameters.require("token"))
        }
        router.post("/book/confirm/{token}") { request, parameters in
            try await confirm(request, try parameters.parameters.require("token"))
        }
    }

    // MARK: Looks

    private func list(_ request: Request) async throws -> Response {
        let site = context.catalog.current.site
        let language = SiteFrame.current.language
        let types = bookings.listed
        if Self.wantsMarkdown(request) { return BookMarkdown.list(types, site, publicURL: context.settings.publicURL) }
        let words = PageWords(language)
        let offers = types.map { type in
            Offers.Offer(
                offerPath: "/book/\(type.id)?language=\(language)",
                offerName: Placeholders.fill(type.spoken(in: language).title, ["owner.name": site.name, "site.name": site.name]),
                offerLengths: type.durations.map { words.duration($0) }.joined(separator: words.comma))
        }
        let body = HTML(.offers, Offers(offers: offers, nothing: words(.invited)))
        return Page.response(.ok, words(.pages), body, words: words, isPublic: true)
    }

    /// The values of `offers.html.mustache`.
    private struct Offers {
        struct Offer { var offerPath, offerName, offerLengths: String }
        var offers: [Offer]
        var nothing: String
    }

    private func offer(_ parameters: Parameters) async throws -> (offer: PageBookings.Offer, isMarkdown: Bool)? {
        var (type, owner) = (try parameters.require("type"), parameters.get("owner"))
        var isMarkdown = false
        let last = owner ?? type
        if last.hasSuffix(".md") {
            isMarkdown = true
            if owner != nil { owner = String(last.dropLast(3)) } else { type = String(last.dropLast(3)) }
        }
        return try await bookings.offer(type, owner: owner).map { ($0, isMarkdown) }
    }

    private func show(_ request: Request, _ parameters: Parameters) async throws -> Response {
        guard let (offer, isMarkdown) = try await offer(parameters) else { return nothing(request) }
        let visit = BookVisit(offer, request, site: context.catalog.current.site, now: context.now)
        if isMarkdown || Self.wantsMarkdown(request) { return try await markdown(visit) }
        if let id = request.uri.queryParameters["hold"].map(String.init) {
            guard let visitor = marks.visitor(request, visit), let hold = try await bookings.held(id, offer, visitor),
                hold.expiresAt > context.now
            else {
                return Page.redirect(to: visit.url())
            }
            return page(.ok, visit, BookForm(visit: visit.of(hold), typed: visit.prefilled).body(hold))
        }
        return page(.ok, visit, try await month(visit).body, shownTo: .everyone)
    }

    private func month(_ visit: BookVisit) async throws -> BookMonth {
        let today = CalendarDate(WallTime(context.now, in: visit.zone))
        func found(_ month: CalendarDate) async throws -> [SlotService.Slot] {
            try await slots.slots(
                visit.question, from: month.beginning(in: visit.zone), to: month.firstOfNextMonth.beginning(in: visit.zone),
                timeZone: visit.zone
            ).slots
        }
        let shown = try await found(visit.month)
        var (next, later) = (CalendarDate?.none, visit.month)
        for _ in 0..<Self.mostMonths where shown.isEmpty && next == nil {
            later = later.firstOfNextMonth
            next = try await found(later).first.map { CalendarDate(WallTime($0.start, in: visit.zone)) }
        }
        return BookMonth(visit: visit, slots: shown, next: next, today: today)
    }

    private func markdown(_ visit: BookVisit) async throws -> Response {
        let now = context.now
        let offer = try await slots.slots(visit.question, from: now, to: now + .days(31), timeZone: visit.zone)
        return BookMarkdown(visit: visit, publicURL: context.settings.publicURL, slots: offer.slots).response
    }

    static func wantsMarkdown(_ request: Request) -> Bool { request.headers[.accept]?.contains("text/markdown") == true }

    /// Who may come upon a page.
    private enum Audience {
        /// Search engines too, where it is listed.
        case everyone
        /// Whoever books, in a frame too.
        case visitor
        /// Whoever has the link of a mail, which no other site may frame and have pressed.
        case reader
    }

    private func page(
        _ status: HTTPTypes.HTTPResponse.Status, _ visit: BookVisit, _ body: HTML, title: String? = nil, cookies: [Cookie] = [],
        shownTo audience: Audience = .visitor
    ) -> Response {
        var response = Page.response(
            status, title ?? visit.title, body, words: visit.words, cookies: cookies,
            isPublic: audience == .everyone && visit.offer.page.listing == .listed,
            framedBy: audience == .reader ? [] : context.catalog.current.embedOrigins)
        response.headers[.vary] = "Accept, Accept-Language"
        if let name = HTTPField.Name("Link") { response.headers[name] = "<\(visit.path).md>; rel=\"alternate\"; type=\"text/markdown\"" }
        return response
    }

    private func nothing(_ request: Request) -> Response {
        let words = PageWords(SiteFrame.current.language)
        return Page.response(
            .notFound, words(.refused),
            MessagePart(lines: [words(.deadLinkText)], ways: [WayPart(wayPath: "/book", wayName: words(.pages))]).html, words: words)
    }

    // MARK: Presses

    private func press(_ request: Request, _ parameters: Parameters) async throws -> Response {
        let isAgent = request.mediaType == "application/json"
        guard let (offer, _) = try await offer(parameters) else {
            guard isAgent else { return nothing(request) }
            throw UsherError(.notFound, "Nothing can be booked here. \(context.settings.publicURL)/book says what can.")
        }
        if isAgent { return try await BookAgent(context: context, bookings: bookings, choices: choices).book(request, offer) }
        guard request.mediaType == "application/x-www-form-urlencoded" else {
            throw UsherError(.requestMediaType, "Send JSON, with Content-Type: application/json, or the page's form.")
        }
        let form = try await request.form()
        let query = form.filter { BookVisit.names.contains($0.key) }
        let typed = Request(head: withQuery(request, query), body: request.body)
        let visit = BookVisit(offer, typed, site: context.catalog.current.site, now: context.now)
        return form["step"] == "form" ? try await submit(form, visit, request) : try await choose(form, visit, request)
    }

    /// A form carries the choices that an address does.
    private func withQuery(_ request: Request, _ fields: [String: String]) -> HTTPRequest {
        var head = request.head
        head.path = request.uri.path + "?" + fields.map { "\($0.key)=\(Page.encoded($0.value))" }.joined(separator: "&")
        return head
    }

    private func choose(_ form: [String: String], _ visit: BookVisit, _ request: Request) async throws -> Response {
        let known = marks.visitor(request, visit)
        let visitor = known ?? marks.newVisitor()
        // What the browser keeps for us does not go into an address.
        let visit = visit.framed == nil || known != nil ? visit : visit.known(as: marks.mark(visitor))
        let kept = marks.cookie(visitor)
        guard choices.take(visitor.address).isAllowed else {
            return tooMany(visit)
        }
        do {
            let hold = try await bookings.hold(visit.offer, start: form["start"] ?? "", duration: visit.duration.inWords, visitor)
            let typed = BookVisit.typed(form)
            // What was typed before goes on in the page, not in an address, which others log.
            guard typed.isEmpty else {
                return page(.ok, visit, BookForm(visit: visit.of(hold), typed: typed).body(hold), cookies: [kept])
            }
            return Page.redirect(to: visit.url([("hold", hold.id)]), cookies: [kept])
        } catch let error as UsherError where error.code == .rateLimited {
            return tooMany(visit, cookies: [kept])
        } catch let error as UsherError
            where [.bookingUnavailable, .bookingConflict, .bookingInPast, .validationFailed].contains(error.code)
        {
            return page(.conflict, visit, BookForm(visit: visit, typed: form).taken(error.nearest), cookies: [kept])
        }
    }

    private func submit(_ form: [String: String], _ visit: BookVisit, _ request: Request) async throws -> Response {
        guard let visitor = marks.visitor(request, visit), let hold = try await bookings.held(form["hold"] ?? "", visit.offer, visitor)
        else {
            return page(.conflict, visit, BookForm(visit: visit, typed: form).taken(try await nearest(visit)))
        }
        let visit = visit.of(hold)
        // Before anything is counted. It is told what a person is told.
        guard (form[BookForm.trap] ?? "").isEmpty else { return mailed(form["email"] ?? "", until: hold.expiresAt, visit) }
        do {
            switch try await bookings.submit(BookForm.read(form, visit), hold, visitor) {
            case .mailed(let end): return mailed(form["email"] ?? "", until: end, visit)
            case .booked(let view): return booked(view, visit)
            }
        } catch let error as UsherError where error.code == .validationFailed {
            return page(
                .unprocessableContent, visit, BookForm(visit: visit, typed: form, findings: error.findings).body(hold))
        } catch let error as UsherError where error.code == .rateLimited {
            return tooMany(visit)
        } catch let error as UsherError where [.holdExpired, .bookingUnavailable, .bookingConflict].contains(error.code) {
            return page(.conflict, visit, BookForm(visit: visit, typed: form).taken(try await nearest(visit)))
        }
    }

    private func nearest(_ visit: BookVisit) async throws -> [Instant] {
        let now = context.now
        return Array(
            try await slots.slots(visit.question, from: now, to: now + .days(31), timeZone: visit.zone).slots.prefix(5).map(\.start))
    }

    private func mailed(_ address: String, until end: Instant, _ visit: BookVisit) -> Response {
        let text = visit.words(.mailed, ["address": address, "time": visit.time(end, end).time])
        return page(.ok, visit, MessagePart(notice: NoticePart(.good, text)).html, title: visit.words(.look))
    }

    private func tooMany(_ visit: BookVisit, cookies: [Cookie] = []) -> Response {
        page(
            .tooManyRequests, visit, MessagePart(notice: NoticePart(.warn, visit.words(.tooMany), isUrgent: true)).html, cookies: cookies)
    }

    private func booked(_ view: BookingView, _ visit: BookVisit, shownTo audience: Audience = .visitor) -> Response {
        let booking = view.booking
        let message = MessagePart(
            asked: [.init(time: visit.part(booking.start, booking.end))], notice: NoticePart(.good, visit.words(.bookedText)),
            ways: [WayPart(wayPath: view.joinPage, wayName: visit.words(.toPage), isMain: true)],
            calendars: CalendarsPart(booking, joinPage: view.joinPage, visit.words))
        return page(.ok, visit, message.html, title: visit.words(.booked), shownTo: audience)
    }

    // MARK: The mail's link

    private func visit(_ waiting: PageBookings.Waiting, _ request: Request) async throws -> BookVisit? {
        let site = context.catalog.current.site
        let owner = try await context.store.read { try $0.owner(waiting.hold.ownerID) }?.owner
        let page = waiting.hold.type.page ?? BookingPage(listing: .unlisted, confirmsByMail: true)
        let offer = PageBookings.Offer(type: waiting.hold.type, page: page, owner: owner)
        let fields = waiting.guest.map { ["timeZone": $0.timeZone, "language": $0.language] } ?? [:]
        return BookVisit(offer, Request(head: withQuery(request, fields), body: request.body), site: site, now: context.now)
    }

    /// A mail scanner opens links: only a press books.
    private func ask(_ request: Request, _ token: String) async throws -> Response {
        guard let waiting = try await bookings.waiting(token), let visit = try await visit(waiting, request) else {
            return nothing(request)
        }
        guard waiting.stored.state == .waiting else { return try await confirmed(waiting, visit) }
        let message = MessagePart(
            asked: [.init(time: visit.part(waiting.hold.start, waiting.hold.end))], lines: [visit.title],
            buttons: [FormButton(visit.words(.yesBook), action: "/book/confirm/\(token)", key: nil)])
        return page(.ok, visit, message.html, title: visit.words(.sureBook), shownTo: .reader)
    }

    private func confirm(_ request: Request, _ token: String) async throws -> Response {
        guard let waiting = try await bookings.waiting(token), let visit = try await visit(waiting, request) else {
            return nothing(request)
        }
        return try await confirmed(waiting, visit)
    }

    private func confirmed(_ waiting: PageBookings.Waiting, _ visit: BookVisit) async throws -> Response {
        do { return booked(try await bookings.confirm(waiting), visit, shownTo: .reader) } catch let error as UsherError
            where [.holdExpired, .bookingUnavailable, .bookingConflict, .bookingInPast, .notFound].contains(error.code)
        {
            let message = MessagePart(
                notice: NoticePart(.warn, visit.words(.ended), isUrgent: true),
                ways: [WayPart(wayPath: visit.url(), wayName: visit.words(.otherTime))])
            return page(.conflict, visit, message.html, shownTo: .reader)
        }
    }
}

extension UsherError {
    /// The free starts that a refusal names.
    var nearest: [Instant] { details?["nearest"]?.array?.compactMap { $0.string.flatMap(Instant.init(rfc3339:)) } ?? [] }
}
