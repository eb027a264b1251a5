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

    func calendars(_ shown: [ShownCalendar], _ owner: Owner, _ key: String) -> HTML {
        let items = shown.map { one -> HTML in
            let (calendar, field) = (one.calendar, [("calendar", one.calendar.id)])
            let name = [calendar.name, calendar.account].filter { !$0.isEmpty }.joined(separator: ", ")
            let choice =
                calendar.counts
                ? Page.button("Do not let it count", action: "/owners/me/calendars/choose", key: key, fields: field, isPlain: true)
                : Page.button(
                    "Let it count", action: "/owners/me/calendars/choose", key: key, fields: field + [("counts", "yes")], isPlain: true)
            return "<li><strong>\(name)</strong><br>\(state(one, owner))<br>\(choice)"
                + Page.button("Remove", action: "/owners/me/calendars/remove", key: key, fields: field, isPlain: true) + "</li>"
        }
        let list: HTML =
            items.isEmpty ? "<p>None. Whoever books sees no more than your hours and bookings.</p>" : "<ul>\(items.joined())</ul>"
        return
            "<section id=calendars><h2>Calendars that make you busy</h2>\(list)<p class=quiet>Only when you are busy is kept, never what an event is called.</p>\(accounts(key))\(Self.addresses(key))</section>"
    }

    private func state(_ shown: ShownCalendar, _ owner: Owner) -> HTML {
        if let problem = shown.calendar.problem { return "<span class=bad>\(problem.message)</span> \(problem.remedy)" }
        guard shown.calendar.counts else { return "It does not count." }
        guard let asOf = shown.calendar.asOf else { return "It is being read; until then nothing is offered." }
        let time = ReaderTime.of(start: asOf, end: asOf, timeZone: owner.timeZone, language: "en")
        let words: HTML = "read on \(time.date) at \(time.time)"
        return shown.state == .fresh
            ? "<span class=good>Counts</span>, \(words)." : "<span class=bad>Not heard of for too long</span>, \(words)."
    }

    /// Those that an account leads to.
    private func accounts(_ key: String) -> HTML {
        let buttons = context.busySources.map { $0.descriptor }.compactMap { source -> HTML? in
            guard case .account(let module, _, _) = source.connection,
                context.catalog.current.providers.contains(where: { $0.module == module })
            else { return nil }
            return Page.button(
                "Connect \(source.name)", action: "/owners/me/calendars/consent", key: key, fields: [("kind", source.kind)], isPlain: true)
        }
        return buttons.isEmpty ? "" : "<p>\(buttons.joined())</p>"
    }

    private static func addresses(_ key: String) -> HTML {
        """
        <details><summary>Connect a calendar by its address</summary>
        <form class=stack method=post action="/owners/me/calendars"><input type=hidden name=key value="\(key)"><input type=hidden name=kind value=ics>
        <label for=feed>Secret address of its feed, https://… or webcal://…</label><input id=feed name=url type=url required autocomplete=off>
        <button class=button>Connect the feed</button></form>
        <form class=stack method=post action="/owners/me/calendars"><input type=hidden name=key value="\(key)"><input type=hidden name=kind value=caldav>
        <label for=dav>Address of a CalDAV server</label><input id=dav name=url type=url required autocomplete=off>
        <label for=davuser>User name there</label><input id=davuser name=user required autocomplete=off>
        <label for=davpassword>Password, one for apps where there are such</label><input id=davpassword name=password type=password required autocomplete=off>
        <button class=button>Connect the account</button></form></details>
        """
    }
}
