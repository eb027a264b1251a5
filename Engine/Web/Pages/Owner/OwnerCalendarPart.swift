import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// The calendars that say when an owner is busy: connected, chosen and given up on the owner's page.
extension OwnerPage {
    func addCalendarPresses(to router: Router<WebContext>) {
        let calendars = CalendarService(context)
        press(router, "/owners/me/calendars") { owner, form, _ in
            _ = try await calendars.connect(
                .init(
                    kind: form["kind"] ?? "", url: form["url"]?.trimmingBlanks ?? "", user: form["user"]?.trimmingBlanks ?? "",
                    password: Secret(form["password"] ?? "")), owner: owner.owner.id)
            return Page.redirect(to: "/owners/me#calendars")
        }
        press(router, "/owners/me/calendars/consent") { owner, form, secret in
            let begun = try await calendars.authorize(
                form["kind"] ?? "", owner: owner.owner.id, returnTo: context.settings.publicURL + "/owners/me", session: secret
            ).value
            return Page.onward(to: "/auth/\(begun.service)/start?consent=\(begun.id)", "Off to \(begun.name)", "Continue to \(begun.name)")
        }
        press(router, "/owners/me/calendars/choose") { owner, form, _ in
            _ = try await calendars.setCounts(form["counts"] == "yes", calendar: form["calendar"] ?? "", owner: owner.owner.id)
            return Page.redirect(to: "/owners/me#calendars")
        }
        press(router, "/owners/me/calendars/remove") { owner, form, _ in
            try await calendars.remove(form["calendar"] ?? "", owner: owner.owner.id)
            return Page.redirect(to: "/owners/me#calendars")
        }
    }

    func calendars(_ shown: [ShownCalendar], _ owner: Owner, _ key: String) -> OwnerValues.List<OwnerValues.Calendar>? {
        .init(
            shown.map { one in
                let (calendar, field) = (one.calendar, [("calendar", one.calendar.id)])
                let choice = FormButton(
                    calendar.counts ? "Do not let it count" : "Let it count", action: "/owners/me/calendars/choose", key: key,
                    fields: field + (calendar.counts ? [] : [("counts", "yes")]), isPlain: true)
                let (state, text) = state(one, owner)
                return .init(
                    calendarName: [calendar.name, calendar.account].filter { !$0.isEmpty }.joined(separator: ", "), state: state,
                    calendarText: text,
                    presses: [
                        choice, FormButton("Remove", action: "/owners/me/calendars/remove", key: key, fields: field, isQuiet: true),
                    ])
            })
    }

    private func state(_ shown: ShownCalendar, _ owner: Owner) -> (ChipPart, String) {
        if let problem = shown.calendar.problem { return (ChipPart(.bad, "Cannot be read"), "\(problem.message) \(problem.remedy)") }
        guard shown.calendar.counts else { return (ChipPart(.idle, "Does not count"), "Who books is offered these times.") }
        guard let asOf = shown.calendar.asOf else {
            return (ChipPart(.idle, "Being read"), "It is being read; until then nothing is offered.")
        }
        let time = ReaderTime.of(start: asOf, end: asOf, timeZone: owner.timeZone, language: "en")
        let words = "Read on \(time.date) at \(time.time)."
        return shown.state == .fresh ? (ChipPart(.good, "Counts"), words) : (ChipPart(.bad, "Not heard of for too long"), words)
    }

    /// Those that an account leads to.
    func calendarAccounts(_ key: String) -> [FormButton] {
        context.busySources.map { $0.descriptor }.compactMap { source in
            guard case .account(let module, _, _) = source.connection,
                context.catalog.current.providers.contains(where: { $0.module == module })
            else { return nil }
            return FormButton(
                "Connect \(source.name)", action: "/owners/me/calendars/consent", key: key, fields: [("kind", source.kind)], isPlain: true)
        }
    }
}
