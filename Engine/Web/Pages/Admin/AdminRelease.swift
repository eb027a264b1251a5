import UsherCore
import UsherPipeline
import UsherStore

/// What would leave a held installation, and the presses that let it go.
struct AdminRelease: Sendable {
    let context: EngineContext

    /// On every page while it is held.
    var banner: HTML {
        guard context.store.isHeld else { return "" }
        return
            "<p class=bad role=status>This database was restored or copied, and nothing leaves it: no room, no mail, no event. <a href=\"/admin/release\">See what would, and let it go</a></p>"
    }

    func page(_ buttons: AdminButtons) async throws -> AdminViews.Shown {
        guard try await context.store.refreshInstallation().hold != nil else {
            return .init(title: "Nothing is held", html: "<p>Work goes on.</p>")
        }
        let report = try await ReleaseReport(context)
        let html: HTML =
            "<p>Held since \(report.installation.restoredAt.rfc3339). Once it is let go:</p>"
            + section("Rooms that are looked for, and made where there is none", report.rooms.map(Self.line))
            + section(
                "Mails that would leave",
                report.mails.map {
                    "\($0.kind) to \($0.to): \(Self.line($0.booking))\($0.mayHaveLeft ? " (may have left already)" : "")"
                })
            + section("Other work that is due", report.others.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })
            + section("Events for webhooks", report.events == 0 ? [] : ["\(report.events), under the ids that they always had"])
            + section("Bookings that are over: nothing is made for them any more", report.past.map(Self.line))
            + section(
                "Rooms at providers that are not here: they are left alone",
                report.unknownRooms.map { "\($0.provider) \($0.roomID), \($0.host)" })
            + section(
                "Bookings whose room is gone at the provider: none is made unless you retry", report.goneRooms.map(Self.line))
            + section("Where nobody looked", report.notes)
        return .init(title: "Held", html: html + presses(report, buttons))
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

    private func presses(_ report: ReleaseReport, _ buttons: AdminButtons) -> HTML {
        func button(_ label: String, _ fields: [(String, String)], isPlain: Bool = false) -> HTML {
            buttons(label, action: "/admin/release", fields: fields, isPlain: isPlain)
        }
        let goOn =
            !report.hasOldMail
            ? button("Let it go on", [("mail", "send")])
            : button("Let it go on; what may have left counts as sent", [("mail", "drop")])
                + button("Let it go on, and send all mails", [("mail", "send")], isPlain: true)
        return "<section><h2>Let it go</h2>" + goOn
            + "<p>Does the original go on elsewhere, and is this one for trying things out? Then it must not touch the original's rooms, and loses its connections, calendars and webhooks:</p>"
            + button("It is a copy", [("as", "copy")], isPlain: true) + "</section>"
    }

    private func section(_ title: String, _ lines: [String]) -> HTML {
        guard !lines.isEmpty else { return "" }
        let rest = lines.count - AdminViews.most
        return "<section><h2>\(title)</h2>" + Page.list(Array(lines.prefix(AdminViews.most)) + (rest > 0 ? ["… and \(rest) more"] : []))
            + "</section>"
    }

    private static func line(_ booking: ReleaseReport.BookingLine) -> String { "\(booking.title), \(booking.start.rfc3339), \(booking.id)" }
}
