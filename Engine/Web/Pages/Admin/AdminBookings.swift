import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// The admin's look at bookings.
extension AdminViews {
    func bookings(_ text: String, _ query: QueryFields) async throws -> Shown {
        var query = query
        let status = query.text("status").flatMap(Booking.Status.init)
        var (found, next): ([Booking], String?) = ([], nil)
        if text.isEmpty {
            var filter = BookingService.Filter()
            (filter.from, filter.status) = (context.now - Tx.longestBooking, status)
            let page = try await service.page(filter, after: query.cursor(), limit: Self.shown)
            found = page.views.map(\.booking)
            next = page.next.map { QueryFields.cursor($0.start, $0.id) }
        } else {
            let all = try await context.store.read { try $0.bookings(matching: text, limit: Self.shown) }
            found = all.filter { status == nil || $0.status == status }
        }
        let rows = found.map { booking -> [Cell] in
            [
                .time(booking.start), .link("/admin/bookings/\(booking.id)", booking.title), .text(booking.terms.owner.name),
                .text(booking.attendees.map(\.email).joined(separator: ", ")), .text(booking.status.rawValue),
                .text(booking.terms.title(of: booking.meeting.provider, in: context.catalog.current)),
                .chip(Tone(booking.meeting.status), booking.meeting.status.rawValue),
            ]
        }
        let search = SectionPart.Search(
            searchPath: "/admin/bookings", searchName: "A booking's or owner's id, or an owner's or guest's name or address",
            searchText: text,
            statuses: [OptionPart(optionValue: "", optionName: "any", isChosen: status == nil)]
                + Booking.Status.allCases.map {
                    OptionPart(optionValue: $0.rawValue, optionName: $0.rawValue, isChosen: $0 == status)
                })
        let later = next.map {
            WayPart(wayPath: "/admin/bookings?status=\(status?.rawValue ?? "")&cursor=\($0)", wayName: "Later ones")
        }
        let table = TablePart(
            ["Start", "Booking", "Owner", "Guests", "Status", "Provider", "Room"], rows,
            empty: text.isEmpty ? "No booking is to come. POST /v1/bookings, `usher book` and booking pages make some." : "None is found.")
        return Shown(
            title: "Bookings",
            sections: [
                SectionPart(search: search),
                SectionPart(
                    anchor: "found", heading: text.isEmpty ? "To come, or going on" : "Found: \(found.count)", table: table,
                    ways: later.map { [$0] } ?? []),
            ])
    }

    func booking(_ id: String, _ buttons: AdminButtons) async throws -> Shown {
        let view = try await service.view(id)
        let (rooms, timeline, told) = try await context.store.read { tx in
            (try tx.rooms(of: id), try tx.timeline(of: id), try tx.webhooks().flatMap { try tx.deliveries(of: $0.id, about: id) })
        }
        let mails = view.mails.map { mail -> [Cell] in
            [.text(view.address(of: mail.reader)), .text(mail.kind.rawValue), .text(mail.state.rawValue), .text(mail.problem ?? "")]
        }
        return Shown(
            title: view.booking.title,
            sections: [
                head(view.booking, buttons),
                SectionPart(
                    heading: "Rooms",
                    table: TablePart(
                        ["Provider", "State", "Room", "Host"],
                        rooms.map { [.text($0.provider), .text($0.state.rawValue), .text($0.roomID), .text($0.host)] },
                        empty: "None yet.")),
                SectionPart(heading: "Mail", table: TablePart(["To", "Kind", "State", "Problem"], mails, empty: "None yet.")),
                SectionPart(heading: "Webhooks", table: deliveries(told, nil)),
                SectionPart(heading: "Timeline", events: Self.way(timeline)),
            ])
    }

    private func head(_ booking: Booking, _ buttons: AdminButtons) -> SectionPart {
        var section = SectionPart(
            begin: booking.start.rfc3339, beginText: "\(AdminTime.text(booking.start)) to \(AdminTime.text(booking.end).suffix(5))",
            pairs: .init(all: [
                .init("Booking", "\(booking.id), revision \(booking.revision), \(booking.status.rawValue)"),
                .init("Owner", booking.terms.owner.name),
                .init("Guests", booking.attendees.map { "\($0.name) <\($0.email)>" }.joined(separator: ", ")),
                .init(
                    "Room",
                    "\(booking.terms.title(of: booking.meeting.provider, in: context.catalog.current)), because \(booking.meeting.because.rawValue)",
                    ChipPart(Tone(booking.meeting.status), booking.meeting.status.rawValue)),
            ]))
        if let problem = booking.meeting.problem {
            section.notice = NoticePart(.bad, "\(problem.message) [\(problem.code.rawValue)]", problem.remedy)
        }
        if booking.status == .confirmed, buttons.allow("/admin/cancel") {
            section.actions = SectionPart.actions(buttons("Retry", action: "/admin/retry", fields: [("booking", booking.id)]))
            section.ways = [WayPart(wayPath: "/admin/bookings/\(booking.id)/cancel", wayName: "Cancel the booking")]
        }
        return section
    }

    func askToCancel(_ id: String, _ buttons: AdminButtons) async throws -> Shown {
        let booking = try await service.view(id).booking
        return Shown(
            title: "Cancel \(booking.title)?",
            sections: [
                SectionPart(
                    lines: [
                        "\(AdminTime.text(booking.start)), \(booking.attendees.map(\.email).joined(separator: ", "))",
                        "Everyone who was invited is told.",
                    ], actions: SectionPart.actions(buttons("Yes, cancel it", action: "/admin/cancel", fields: [("booking", id)])),
                    ways: [WayPart(wayPath: "/admin/bookings/\(id)", wayName: "No, leave it")])
            ])
    }

    /// A booking's way, equal events in a row folded into one line.
    private static func way(_ timeline: [TimelineEntry]) -> SectionPart.Events {
        var lines: [(entry: TimelineEntry, count: Int)] = []
        for entry in timeline {
            if let last = lines.last, (last.entry.event, last.entry.detail, last.entry.actor) == (entry.event, entry.detail, entry.actor) {
                lines[lines.count - 1] = (entry, last.count + 1)
            } else {
                lines.append((entry, 1))
            }
        }
        return .init(
            all: lines.map { entry, count in
                .init(
                    eventTone: tone(entry.event), eventName: entry.event, times: count > 1 ? "×\(count)" : nil, eventAt: entry.at.rfc3339,
                    eventTime: AdminTime.text(entry.at), eventActor: ", \(entry.actor)",
                    eventDetail: entry.detail.isEmpty ? nil : entry.detail)
            })
    }

    private static func tone(_ event: String) -> String {
        if event.hasSuffix("failed") || event.hasSuffix("refused") { return Tone.bad.rawValue }
        if event.hasSuffix("blocked") { return Tone.warn.rawValue }
        return ["meeting.created", "meeting.ready", "mail.sent"].contains(event) ? Tone.good.rawValue : ""
    }
}
