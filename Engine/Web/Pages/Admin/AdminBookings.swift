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
                .text(booking.meeting.provider), .chip(Tone(booking.meeting.status), booking.meeting.status.rawValue),
            ]
        }
        let search: HTML =
            "<form method=get action=\"/admin/bookings\"><label for=q>A booking's or an owner's id, or an owner's or a guest's name or address</label><br><input id=q name=q value=\"\(text)\"> <button class=\"button plain\">Search</button></form>"
        let more = next.map { cursor -> HTML in "<p><a href=\"/admin/bookings?cursor=\(cursor)\">Later ones</a></p>" } ?? ""
        return Shown(
            title: text.isEmpty ? "Bookings to come" : "Bookings found",
            html: search + Page.table(["Start", "Booking", "Owner", "Guests", "Status", "Provider", "Room"], rows, empty: "None.") + more)
    }

    func booking(_ id: String, _ buttons: AdminButtons) async throws -> Shown {
        let view = try await service.view(id)
        let booking = view.booking
        let (rooms, timeline, told) = try await context.store.read { tx in
            (try tx.rooms(of: id), try tx.timeline(of: id), try tx.webhooks().flatMap { try tx.deliveries(of: $0.id, about: id) })
        }
        var html: HTML =
            "<p class=when>\(Cell.time(booking.start).html) to \(booking.end.rfc3339.dropFirst(11).prefix(5))</p>"
            + Page.details([
                ("Booking", "<code>\(id)</code>, revision \(booking.revision), \(booking.status.rawValue)"),
                ("Owner", "\(booking.terms.owner.name)"),
                ("Guests", "\(booking.attendees.map { "\($0.name) <\($0.email)>" }.joined(separator: ", "))"),
                (
                    "Room",
                    "\(booking.meeting.provider), because \(booking.meeting.because.rawValue) \(Page.chip(Tone(booking.meeting.status), booking.meeting.status.rawValue))"
                ),
            ])
        if let problem = booking.meeting.problem {
            html += "<div class=\"notice bad\"><p>\(problem.message) [\(problem.code.rawValue)]</p><p>\(problem.remedy)</p></div>"
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
            + "</section><section><h2>Timeline</h2>\(Self.way(timeline))</section>"
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

    /// A booking's way, equal events in a row folded into one line.
    private static func way(_ timeline: [TimelineEntry]) -> HTML {
        var lines: [(entry: TimelineEntry, count: Int)] = []
        for entry in timeline {
            if let last = lines.last, (last.entry.event, last.entry.detail, last.entry.actor) == (entry.event, entry.detail, entry.actor) {
                lines[lines.count - 1] = (entry, last.count + 1)
            } else {
                lines.append((entry, 1))
            }
        }
        let items = lines.map { entry, count -> HTML in
            let tone =
                entry.event.hasSuffix("failed") || entry.event.hasSuffix("refused")
                ? "bad" : entry.event.hasSuffix("blocked") ? "warn" : ["meeting.ready", "mail.sent"].contains(entry.event) ? "good" : ""
            let times: HTML = count > 1 ? " <span class=soft>×\(count)</span>" : ""
            return
                "<li class=\"\(tone)\"><span class=row><strong>\(entry.event)\(times)</strong><span class=\"soft small\">\(Cell.time(entry.at).html), \(entry.actor)</span></span>\(entry.detail.isEmpty ? "" : "<p class=small>\(entry.detail)</p>" as HTML)</li>"
        }
        return "<ol class=timeline>\(items.joined())</ol>"
    }
}
