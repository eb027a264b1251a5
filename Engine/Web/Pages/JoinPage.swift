import Foundation
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore
import UsherVault

/// `/join/{token}`: what a reader's own link leads to. It shows; it changes nothing. `/manage/{token}` shows the same, until
/// rescheduling from a page is there.
struct JoinPage: Sendable {
    private let context: EngineContext
    private let desk: BookingDesk

    init(_ context: EngineContext, _ desk: BookingDesk) {
        self.context = context
        self.desk = desk
    }

    func add(to router: Router<BasicRequestContext>) {
        router.post("/join/{token}") { _, parameters in try await enter(try parameters.parameters.require("token")) }
        for purpose in StoredLink.Purpose.allCases {
            router.get("/\(purpose.rawValue)/{token}") { _, parameters in
                try await show(try parameters.parameters.require("token"), purpose)
            }
        }
    }

    /// What a link leads to; `nil` where it leads nowhere.
    private func lookUp(_ token: String, _ purpose: StoredLink.Purpose) async throws -> (booking: Booking, reader: Reader)? {
        let hash = Links.hash(token)
        let link = try await context.store.read { tx in try tx.link(hash: hash).map { ($0.booking, $0.reader, $0.purpose) } }
        guard let (id, reader, kind) = link, kind == purpose else { return nil }
        return (try await desk.view(id).booking, reader)
    }

    /// A press on Join where the room wants something made for this visitor now.
    private func enter(_ token: String) async throws -> Response {
        guard let (booking, reader) = try await lookUp(token, .join), isOpen(booking), let room = booking.meeting.room,
            let module = context.registry.module(booking.meeting.module) as? any EntryProvider.Type
        else { return Page.redirect(to: "/join/\(token)") }
        do throws(ProviderError) {
            let call = try await Provisioner(context).call(
                booking.meeting.provider, owner: booking.terms.owner.id, deadline: context.now + .seconds(5)
            ).call
            return Page.onward(to: module.entry(room, visitor(reader, booking), call), "Off to the meeting", "Join the meeting")
        } catch {
            return Page.response(
                .ok, "The room cannot be opened", "<p>\(escapedHTML(error.message))</p><p>Ask \(escapedHTML(booking.terms.owner.name)).</p>"
            )
        }
    }

    private func isOpen(_ booking: Booking) -> Bool { booking.status == .confirmed && context.now <= booking.end + .hours(2) }

    private func visitor(_ reader: Reader, _ booking: Booking) -> Visitor {
        let owner = booking.terms.owner
        switch reader {
        case .owner: return Visitor(name: owner.name, email: owner.email, isHost: true, end: booking.end)
        case .attendee(let index):
            return Visitor(name: booking.attendees[index].name, email: booking.attendees[index].email, isHost: false, end: booking.end)
        }
    }

    private func show(_ token: String, _ purpose: StoredLink.Purpose) async throws -> Response {
        guard let (booking, reader) = try await lookUp(token, purpose) else {
            return Page.response(
                .notFound, "This link does not lead anywhere", "<p>Check that you copied all of it, or use the link in the newest mail.</p>"
            )
        }
        return Page.response(.ok, booking.title, body(booking, reader, token: purpose == .join ? token : nil))
    }

    /// What is true of a room that is not there.
    private static func waiting(_ booking: Booking) -> String {
        let owner = escapedHTML(booking.terms.owner.name)
        switch booking.meeting.status {
        case .onJoin: return "<p role=status>The room is made shortly before the meeting. Open this page again then.</p>"
        case .blocked, .failed:
            return "<p role=status>There is no room yet, and \(owner) has been shown why. Ask them if the meeting is near.</p>"
        default:
            return "<p role=status>The room is not ready yet. This page looks again by itself.</p><meta http-equiv=refresh content=10>"
        }
    }

    /// - Parameter token: of the join link.
    private func body(_ booking: Booking, _ reader: Reader, token: String?) -> String {
        let (zone, language) =
            switch reader {
            case .owner: (booking.terms.owner.timeZone, booking.terms.owner.language)
            case .attendee(let index): (booking.attendees[index].timeZone, booking.attendees[index].language)
            }
        let time = ReaderTime(start: booking.start, end: booking.end, timeZone: zone, language: language)
        var html = "<p class=when>\(escapedHTML(time.date))<br>\(escapedHTML(time.range))</p><p class=zone>\(escapedHTML(time.zone))</p>"
        html += "<p>With \(escapedHTML(booking.terms.owner.name)), \(escapedHTML(booking.terms.site.name))</p>"
        if booking.status == .cancelled { return html + "<p><strong>This meeting is cancelled.</strong></p>" }
        if context.now > booking.end + .hours(2) { return html + "<p><strong>This meeting is over.</strong></p>" }
        guard let room = booking.meeting.room else {
            return html + Self.waiting(booking)
        }
        if !room.needsEntry {
            html += "<p><a class=button href=\"\(escapedHTML(room.joinURL))\" rel=noreferrer>Join the meeting</a></p>"
        } else if let token {
            html += Page.button("Join the meeting", action: "/join/\(token)", key: nil)
        }
        if !room.meetingID.isEmpty { html += "<p>Meeting ID: <code>\(escapedHTML(room.meetingID))</code></p>" }
        if let passcode = room.passcode { html += "<p>Passcode: <code>\(escapedHTML(passcode))</code></p>" }
        if !room.dialIn.isEmpty {
            let numbers = room.dialIn.map { number in
                "<li>\(escapedHTML(number.country)) <a href=\"\(escapedHTML(number.tapToCall))\">\(escapedHTML(number.number))</a>\(number.pin.map { ", PIN <code>\(escapedHTML($0))</code>" } ?? "")</li>"
            }
            html += "<h2>By phone</h2><ul>\(numbers.joined())</ul>"
        }
        return html
    }
}
