import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// The admin's look at bookings.
extension AdminViews {
    func bookings(_ text: String, _ query: QueryFields, _ buttons: AdminButtons) async throws -> Shown {
        var query = query
        var (found, next): ([Booking], String?) = ([], nil)
        if text.isEmpty {
            var filter = BookingService.Filter()
            (filter.from, filter.status) = (context.now - Tx.longestBooking, .confirmed)
            let page = try await service.page(filter, after: query.cursor(), limit: Self.shown)
            found = page.views.map(\.booking)
            next = page.next.map { QueryFields.cursor($0.start, $0.id) }
        } else {
            found = try await context.store.read { try $0.bookings(matching: text, limit: Self.shown) }
        }
        let rows = found.map { booking -> [Cell] in
            [
                .time(booking.start), .link("/admin/bookings/\(booking.id)", booking.title), .text(booking.terms.owner.name),
                .text(booking.attendees.map(\.email).joined(separator: ", ")), .text(booking.status.rawValue),
                .text("\(booking.meeting.provider): \(booking.meeting.status.rawValue)"),
            ]
        }
        let search: HTML =
            "<form method=get action=\"/admin/bookings\"><label for=q>A booking's or an owner's id, or an owner's or a guest's name or address</label><br><input id=q name=q value=\"\(text)\"> <button class=\"button plain\">Search</button></form>"
        let more = next.map { cursor -> HTML in "<p><a href=\"/admin/bookings?cursor=\(cursor)\">Later ones</a></p>" } ?? ""
        return Shown(
            title: text.isEmpty ? "Bookings to come" : "Bookings found",
            html: search + Page.table(["Start", "Booking", "Owner", "Guests", "Status", "Room"], rows, empty: "None.") + more)
    }

    func booking(_ id: String, _ buttons: AdminButtons) async throws -> Shown {
        let view = try await service.view(id)
        let booking = view.booking
        let (rooms, timeline, told) = try await context.store.read { tx in
            (try tx.rooms(of: id), try tx.timeline(of: id), try tx.webhooks().flatMap { try tx.deliveries(of: $0.id, about: id) })
        }
        var html: HTML =
            "<p><code>\(id)</code>, revision \(booking.revision), \(booking.status.rawValue)</p><p>\(booking.start.rfc3339) to \(booking.end.rfc3339), \(booking.terms.owner.name) with \(booking.attendees.map { "\($0.name) <\($0.email)>" }.joined(separator: ", "))</p>"
            + "<p>\(booking.meeting.provider), because \(booking.meeting.because.rawValue): \(booking.meeting.status.rawValue)</p>"
        if let problem = booking.meeting.problem {
            html += "<p class=bad>\(problem.message) [\(problem.code.rawValue)]</p><p>\(problem.remedy)</p>"
        }
        if booking.status == .confirmed, buttons.allow("/admin/cancel") {
            html +=
                buttons("Retry", action: "/admin/retry", fields: [("booking", id)])
                + "<p><a href=\"/admin/bookings/\(id)/cancel\">Cancel the booking</a></p>"
        }
        html +=
            "<section><h2>Rooms</h2>"
            + Page.table(
                ["Provider", "State", "Room", "Host"],
                rooms.map { [.text($0.provider), .text($0.state.rawValue), .text($0.roomID), .text($0.host)] }, empty: "None yet.")
            + "</section><section><h2>Mail</h2>"
            + Page.table(
                ["To", "Kind", "State", "Problem"],
                view.mails.map {
                    [.text(view.address(of: $0.reader)), .text($0.kind.rawValue), .text($0.state.rawValue), .text($0.problem ?? "")]
                }, empty: "None yet.")
            + "</section><section><h2>Webhooks</h2>" + deliveries(told, nil)
            + "</section><section><h2>Timeline</h2>"
            + Page.table(
                ["At", "Event", "By", ""], timeline.map { [.time($0.at), .text($0.event), .text($0.actor), .text($0.detail)] }, empty: "")
            + "</section>"
        return Shown(title: booking.title, html: html)
    }

    func askToCancel(_ id: String, _ buttons: AdminButtons) async throws -> Shown {
        let booking = try await service.view(id).booking
        return Shown(
            title: "Cancel \(booking.title)?",
            html:
                "<p>\(booking.start.rfc3339), \(booking.attendees.map(\.email).joined(separator: ", "))</p><p>Everyone who was invited is told.</p>"
                + buttons("Yes, cancel it", action: "/admin/cancel", fields: [("booking", id)])
                + Page.back(to: "/admin/bookings/\(id)", "No, leave it"))
    }
}
