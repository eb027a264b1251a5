import Logging
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
            return Page.onward(to: module.entry(room, visitor(visit), call), visit.booking.title, visit.words.join, words: visit.words)
        } catch {
            context.logger.warning(
                "a room could not be opened",
                metadata: [
                    "booking": "\(booking.id)", "code": "\(error.code.rawValue)", "reason": "\(error.message)", "cause": "\(error.cause)",
                ])
            let title = booking.terms.title(of: booking.meeting.provider, in: context.catalog.current)
            let lines =
                visit.reader == .owner
                ? OwnerWords(visit.language).lines(error.problem, service: title)
                : [visit.words(.noEntryText, ["owner": booking.terms.owner.name])]
            let notice = NoticePart(.warn, lines, isUrgent: true)
            return Page.response(.ok, visit.words(.noEntry), MessagePart(notice: notice).html, words: visit.words)
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
        return Page.response(.ok, visit.booking.title, HTML(.join, try await values(visit, token)), words: visit.words)
    }

    private func values(_ visit: ReaderLinks.Visit, _ token: String) async throws -> JoinValues {
        let (booking, words) = (visit.booking, visit.words)
        var values = JoinValues(visit)
        if booking.status == .cancelled {
            values.notice = NoticePart(.warn, words(.cancelled))
            values.again = try await links.again(visit)
        } else if isOver(booking) {
            values.notice = NoticePart(.idle, words(.over))
        } else {
            values.begins = begins(visit)
            values.calendars = CalendarsPart(booking, joinPage: "\(context.settings.publicURL)/join/\(token)", words)
            values.showRoom(visit, token, now: context.now)
        }
        return values
    }

    /// How long it is until the meeting; a script counts on.
    private func begins(_ visit: ReaderLinks.Visit) -> JoinValues.Begins? {
        let booking = visit.booking
        let wait = booking.start - context.now
        if wait > .zero {
            let saying = visit.words(.beginsIn, ["duration": visit.words.duration(max(wait, .minutes(1)))])
            return .init(beginsAt: booking.start.rfc3339, saying: saying, counts: wait < .days(1) ? visit.words(.beginsIn) : nil)
        }
        return context.now < booking.end ? .init(beginsAt: booking.start.rfc3339, saying: visit.words(.running)) : nil
    }

    // MARK: The file

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
