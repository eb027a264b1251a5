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
            return Self.consentPage(for: begun, owner)
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

    func calendars(_ shown: [ShownCalendar], _ owner: StoredOwner, _ key: String) -> OwnerValues.List<OwnerValues.Calendar>? {
        let words = owner.words
        return .init(
            shown.map { one in
                let (calendar, field) = (one.calendar, [("calendar", one.calendar.id)])
                let choice = FormButton(
                    words(calendar.counts ? .countNot : .count), action: "/owners/me/calendars/choose", key: key,
                    fields: field + (calendar.counts ? [] : [("counts", "yes")]), isPlain: true)
                let (state, text) = state(one, owner.owner, words)
                return .init(
                    calendarName: [calendar.name, calendar.account].filter { !$0.isEmpty }.joined(separator: ", "), state: state,
                    calendarText: text,
                    presses: [
                        choice, FormButton(words(.remove), action: "/owners/me/calendars/remove", key: key, fields: field, isQuiet: true),
                    ])
            })
    }

    private func state(_ shown: ShownCalendar, _ owner: Owner, _ words: OwnerWords) -> (ChipPart, String) {
        if let problem = shown.calendar.problem {
            return (ChipPart(.bad, words(.unreadable)), words.lines(problem, service: shown.calendar.name).joined(separator: " "))
        }
        guard shown.calendar.counts else { return (ChipPart(.idle, words(.countsNot)), words(.countsNotText)) }
        guard let asOf = shown.calendar.asOf else {
            return (ChipPart(.idle, words(.reading)), words(.readingText))
        }
        let time = ReaderTime.of(start: asOf, end: asOf, timeZone: owner.timeZone, language: owner.language)
        let isFresh = shown.state == .fresh
        return (
            ChipPart(isFresh ? .good : .bad, words(isFresh ? .counts : .stale)), words(.readOn, ["date": time.date, "time": time.time])
        )
    }

    /// Those that an account leads to.
    func calendarAccounts(_ accounts: OwnerAccounts, _ words: OwnerWords, _ key: String) -> [FormButton] {
        context.busySources.map { $0.descriptor }.compactMap { source in
            guard case .account(let module, _, _) = source.connection,
                context.catalog.current.providers.contains(where: {
                    $0.module == module && ProviderResolver(context).readinessProblem($0, accounts.app($0.name)) == nil
                })
            else { return nil }
            return FormButton(
                words(.connect, ["service": source.name]), action: "/owners/me/calendars/consent", key: key,
                fields: [("kind", source.kind)], isPlain: true)
        }
    }
}
