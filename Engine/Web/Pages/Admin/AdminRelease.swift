import UsherCore
import UsherPipeline
import UsherStore

/// What would leave a held installation, and the presses that let it go.
struct AdminRelease: Sendable {
    let context: EngineContext

    /// On every page while it is held.
    var banner: [SectionPart] {
        guard context.store.isHeld else { return [] }
        let notice = NoticePart(.bad, "This database was restored or copied, and nothing leaves it: no room, no mail, no event.")
        return [SectionPart(notice: notice, ways: [WayPart(wayPath: "/admin/release", wayName: "See what would, and let it go")])]
    }

    func page(_ buttons: AdminButtons) async throws -> AdminViews.Shown {
        guard try await context.store.refreshInstallation().hold != nil else {
            return .init(title: "Nothing is held", sections: [SectionPart(lines: ["Work goes on."])])
        }
        let report = try await ReleaseReport(context)
        let mails = report.mails.map {
            "\($0.kind) to \($0.to): \(Self.line($0.booking))\($0.mayHaveLeft ? " (may have left already)" : "")"
        }
        let lists = [
            ("Rooms that are looked for, and made where there is none", report.rooms.map(Self.line)), ("Mails that would leave", mails),
            ("Other work that is due", report.others.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }),
            ("Events for webhooks", report.events == 0 ? [] : ["\(report.events), under the ids that they always had"]),
            ("Bookings that are over: nothing is made for them any more", report.past.map(Self.line)),
            (
                "Rooms at providers that are not here: they are left alone",
                report.unknownRooms.map { "\($0.provider) \($0.roomID), \($0.host)" }
            ), ("Bookings whose room is gone at the provider: none is made unless you retry", report.goneRooms.map(Self.line)),
            ("Where nobody looked", report.notes),
        ]
        let since = SectionPart(lines: ["Held since \(AdminTime.text(report.installation.restoredAt)). Once it is let go:"])
        return .init(title: "Held", sections: [since] + lists.compactMap(Self.section) + presses(report, buttons))
    }

    func press(_ form: [String: String]) async throws -> String {
        if form["as"] == "copy" {
            try await Release(context).run(as: .copy)
        } else {
            guard let mail = Release.OldMail(rawValue: form["mail"] ?? "") else {
                throw UsherError(.validationFailed, "Say what becomes of the old mails.")
            }
            try await Release(context).run(as: .original(mail))
        }
        return "/admin"
    }

    private func presses(_ report: ReleaseReport, _ buttons: AdminButtons) -> [SectionPart] {
        func button(_ label: String, _ fields: [(String, String)], isPlain: Bool = false) -> FormButton? {
            buttons(label, action: "/admin/release", fields: fields, isPlain: isPlain)
        }
        let goOn =
            !report.hasOldMail
            ? SectionPart.actions(button("Let it go on", [("mail", "send")]))
            : SectionPart.actions(
                button("Let it go on; what may have left counts as sent", [("mail", "drop")]),
                button("Let it go on, and send all mails", [("mail", "send")], isPlain: true))
        return [
            SectionPart(heading: "Let it go", actions: goOn),
            SectionPart(
                lines: [
                    "Does the original go on elsewhere, and is this one for trying things out? Then it must not touch the original's rooms, and loses its connections, calendars and webhooks:"
                ], actions: SectionPart.actions(button("It is a copy", [("as", "copy")], isPlain: true))),
        ]
    }

    private static func section(_ title: String, _ lines: [String]) -> SectionPart? {
        guard !lines.isEmpty else { return nil }
        let rest = lines.count - AdminViews.most
        let shown = Array(lines.prefix(AdminViews.most)) + (rest > 0 ? ["… and \(rest) more"] : [])
        return SectionPart(heading: title, points: SectionPart.points(shown))
    }

    private static func line(_ booking: ReleaseReport.BookingLine) -> String { "\(booking.title), \(booking.start.rfc3339), \(booking.id)" }
}
