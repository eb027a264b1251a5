import HTTPTypes
import Hummingbird
import NIOCore
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// `/join/{token}`: the one link that leads a reader in, whatever becomes of time, room and provider. A GET shows; a press makes
/// what is to be made on the click: a token for this visitor, or the room itself.
struct JoinPage: Sendable {
    private let context: EngineContext
    private let service: BookingService
    private let links: ReaderLinks

    /// So long before the start the page also says when it begins.
    private static let early = Duration.minutes(15)
    private static let grace = Duration.hours(2)

    init(_ context: EngineContext, _ service: BookingService) {
        self.context = context
        self.service = service
        links = ReaderLinks(context: context, service: service)
    }

    func add(to router: Router<WebContext>) {
        router.get("/join/{token}") { _, parameters in try await show(try parameters.parameters.require("token")) }
        router.post("/join/{token}") { _, parameters in try await press(try parameters.parameters.require("token")) }
        router.get("/join/{token}/invite.ics") { _, parameters in try await file(try parameters.parameters.require("token")) }
    }

    private func isOpen(_ booking: Booking) -> Bool { booking.status == .confirmed && !isOver(booking) }

    /// A room that nobody has entered is not made any more once the meeting has ended.
    private func isOver(_ booking: Booking) -> Bool {
        context.now > booking.end + (booking.meeting.status == .onJoin ? .zero : Self.grace)
    }

    // MARK: Presses

    private func press(_ token: String) async throws -> Response {
        let back = Page.redirect(to: "/join/\(token)")
        guard let visit = try await links.visit(token, .join), isOpen(visit.booking) else { return back }
        let booking = visit.booking
        if booking.meeting.status == .onJoin {
            _ = try await service.enter(booking.id)
            return back
        }
        guard let room = booking.meeting.room, let module = context.registry.module(booking.meeting.module) as? any EntryProvider.Type
        else { return back }
        do throws(ProviderError) {
            let call = try await ProviderResolver(context).call(
                booking.meeting.provider, owner: booking.terms.owner.id, deadline: context.now + .seconds(5)
            ).call
            return Page.onward(to: module.entry(room, visitor(visit), call), visit.booking.title, visit.words.join)
        } catch {
            return Page.response(
                .ok, "The room cannot be opened", "<p>\(error.message)</p><p>Ask \(booking.terms.owner.name).</p>"
            )
        }
    }

    private func visitor(_ visit: ReaderLinks.Visit) -> Visitor {
        let booking = visit.booking
        switch visit.reader {
        case .owner: return Visitor(name: booking.terms.owner.name, email: booking.terms.owner.email, isHost: true, end: booking.end)
        case .attendee(let index):
            return Visitor(name: booking.attendees[index].name, email: booking.attendees[index].email, isHost: false, end: booking.end)
        }
    }

    // MARK: The page

    private func show(_ token: String) async throws -> Response {
        guard let visit = try await links.visit(token, .join) else { return Page.deadLink }
        let booking = visit.booking
        var html = Page.head(of: visit)
        if booking.status == .cancelled {
            html += "<p class=\"notice warn\">\(visit.words(.cancelled))</p>"
        } else if isOver(booking) {
            html += "<p class=notice>\(visit.words(.over))</p>"
        } else {
            html += timing(visit) + room(visit, token) + calendar(visit, token)
        }
        return Page.response(.ok, booking.title, html, words: visit.words)
    }

    private func timing(_ visit: ReaderLinks.Visit) -> HTML {
        let booking = visit.booking
        let wait = booking.start - context.now
        let said: String
        if wait > Self.early {
            said = visit.words(.beginsIn, ["duration": visit.words.duration(wait)])
        } else if wait <= .zero, context.now < booking.end {
            said = visit.words(.running)
        } else {
            return ""
        }
        return "<p class=soft role=status>\(said)</p>"
    }

    private func room(_ visit: ReaderLinks.Visit, _ token: String) -> HTML {
        let (booking, words) = (visit.booking, visit.words)
        if booking.meeting.status == .onJoin { return Page.button(words(.start), action: "/join/\(token)", key: nil) }
        guard let room = booking.meeting.room else { return Self.waiting(visit) }
        let way =
            room.needsEntry
            ? Page.button(words.join, action: "/join/\(token)", key: nil)
            : "<a class=button href=\"\(room.joinURL)\" rel=noreferrer>\(words.join)</a>"
        var html: HTML = "<p class=main-action>\(way)</p>"
        let values = [(words.meetingID, room.meetingID), (words.passcode, room.passcode ?? "")].filter { !$0.1.isEmpty }
        if !values.isEmpty { html += Page.details(values.map { ($0, Self.copied($0, $1, words)) }) }
        if !room.dialIn.isEmpty {
            let numbers = words.numbers(room, zone: visit.timeZone).map { Self.number($0, words) }
            html += "<section><h2>\(words.phone)</h2><ul class=list>\(numbers.joined())</ul></section>"
        }
        return html
    }

    /// As the mail writes it: `Germany: +49 30 5679 5800 (Berlin), toll-free, PIN 482913`.
    private static func number(_ number: DialIn, _ words: PageWords) -> HTML {
        var line: HTML = "\(words.country(number.country) + words.colon)"
        line += " <a dir=ltr href=\"\(number.tapToCall)\">\(number.number)</a>"
        if let city = number.city { line += " (<bdi>\(city)</bdi>)" }
        if number.tollFree { line += HTML(text: words.comma + words.tollFree) }
        if let pin = number.pin { line += "\(words.comma + words.pin) <code dir=ltr>\(pin)</code>" }
        return "<li>\(line)</li>"
    }

    /// A value that a script gives a copy button.
    private static func copied(_ label: String, _ value: String, _ words: PageWords) -> HTML {
        let button = [("copy", words(.copy)), ("copied", words(.copied)), ("what", label)]
            .map { name, value -> HTML in " data-\(name)=\"\(value)\"" }.joined()
        return "<code dir=ltr\(button)>\(value)</code>"
    }

    /// What is true of a room that is not there.
    private static func waiting(_ visit: ReaderLinks.Visit) -> HTML {
        let booking = visit.booking
        if visit.reader == .owner, let problem = booking.meeting.problem {
            return
                "<div class=\"notice bad\" role=status><p>There is no room yet: \(problem.message)</p><p>\(problem.remedy)</p></div>\(Page.back(to: "/owners/me", "Open my page"))<meta http-equiv=refresh content=30>"
        }
        switch booking.meeting.status {
        case .blocked, .failed:
            return
                "<p class=\"notice warn\" role=status>\(visit.words(.blocked, ["owner": booking.terms.owner.name]))</p><meta http-equiv=refresh content=30>"
        default:
            return
                "<p class=waiting role=status><span class=spinner aria-hidden=true></span>\(visit.words(.making))</p><meta http-equiv=refresh content=5>"
        }
    }

    // MARK: Calendars

    private func calendar(_ visit: ReaderLinks.Visit, _ token: String) -> HTML {
        CalendarLinks(booking: visit.booking, joinPage: "\(context.settings.publicURL)/join/\(token)").html(visit.words)
    }

    /// A plain event: a file that is taken by hand invites nobody.
    private func file(_ token: String) async throws -> Response {
        guard let visit = try await links.visit(token, .join) else { return Page.deadLink }
        guard visit.booking.status == .cancelled || !isOver(visit.booking) else { return Page.redirect(to: "/join/\(token)") }
        let letter = Letter(
            booking: visit.booking, reader: visit.reader, kind: visit.booking.status == .cancelled ? .cancellation : .confirmation,
            outboxID: "", messageID: "", threadID: nil, writtenAt: visit.booking.changedAt,
            joinPage: "\(context.settings.publicURL)/join/\(token)",
            calendarPage: visit.reader == .owner ? context.ownersPage : nil)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/calendar; charset=utf-8; method=PUBLISH", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"invite.ics\"",
            ], body: .init(byteBuffer: ByteBuffer(string: context.renderer.eventFile(letter))))
    }
}
