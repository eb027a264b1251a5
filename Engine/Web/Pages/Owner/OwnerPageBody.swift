import Foundation
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// What an owner sees.
extension OwnerPage {
    /// - Parameters:
    ///   - date: one of the week that is shown; today's where there is none, or one that is too far away.
    ///   - type: see ``SlotService/week(of:with:type:)``.
    func page(_ stored: StoredOwner, week date: CalendarDate?, type: String?, key: String) async throws -> Response {
        let owner = stored.owner
        let today = CalendarDate(WallTime(context.now, in: TimeZone(iana: owner.timeZone) ?? .gmt))
        let shown = date.flatMap { abs($0.day - today.day) <= Self.farthestWeek ? $0 : nil } ?? today
        let week = OwnerWeekPart(
            week: try await SlotService(context).week(of: owner, with: shown, type: type), owner: owner, today: today,
            now: context.now)
        let accounts = try await owners.accounts(of: owner.id)
        // What began within the longest booking may still be going on.
        var filter = BookingService.Filter()
        (filter.owner, filter.status, filter.from) = (owner.id, .confirmed, context.now - Tx.longestBooking)
        let views = try await service.page(filter, after: nil, limit: Self.bookingsRead).views.filter { $0.booking.end > context.now }
        let failing = try await context.health.all()
        let calendars = self.calendars(try await CalendarService(context).list(of: owner.id), owner, key)
        let body: HTML =
            Self.livingGrants(accounts)
            + bookings(Array(views.prefix(Self.bookingsShown)), owner, key) + week.html + providers(accounts, key) + calendars
            + timeOff(try await TimeOffService(context).list(of: owner), today: today, key)
            + defaultProvider(owner, accounts, key, failing)
        let around = Page.Around(
            width: .middle, who: owner.email, footNote: "Times are in \(owner.timeZone).",
            footButtons: [
                FormButton("Sign out", action: "/owners/me/signout", key: key, isQuiet: true),
                FormButton("Sign out everywhere", action: "/owners/me/signout-everywhere", key: key, isQuiet: true),
            ])
        return Page.response(.ok, owner.name, body, around: around)
    }

    /// Each provider that owners connect, connected or not.
    private func providers(_ accounts: OwnerAccounts, _ key: String) -> HTML {
        let entries = context.catalog.current.providers.compactMap { entry in
            (context.registry.module(entry.module) as? any ConnectableProvider.Type).map { (entry, $0) }
        }
        guard !entries.isEmpty else { return "" }
        let items = entries.map { entry, module -> HTML in
            let name = entry.name == module.descriptor.id ? module.consent.name : "\(module.consent.name) (\(entry.name))"
            let field = [("provider", entry.name)]
            let app = accounts.app(entry.name)
            let ownApp = OwnerAppForm.html(
                entry.name, service: module.consent.name, tellsEvents: module is any EventfulProvider.Type, app, key: key)
            if let problem = ProviderResolver(context).readinessProblem(entry, app) {
                return
                    "<section><h2>\(name)</h2><p class=bad>\(problem.message)</p><p>\(problem.remedy)</p>\(ownApp)</section>"
            }
            guard let connection = accounts.connection(entry.name) else {
                let lost = accounts.lost.first { $0.provider == entry.name }
                return
                    "<section><h2>\(name)</h2>\(Self.notConnected(lost, module.consent.name))\(Page.button("Connect \(module.consent.name)", action: "/owners/me/connect", key: key, fields: field))\(ownApp)</section>"
            }
            return "<section><h2>\(name)</h2>\(health(connection))"
                + Page.button(
                    connection.health == .ok ? "Connect again" : "Connect again to mend this", action: "/owners/me/connect", key: key,
                    fields: field, isPlain: connection.health == .ok)
                + Page.button("Disconnect", action: "/owners/me/disconnect", key: key, fields: field, isPlain: true)
                + "\(ownApp)</section>"
        }
        return items.joined()
    }

    /// A connection that was lost is not as if it had never been.
    private static func notConnected(_ lost: LostConnection?, _ service: String) -> HTML {
        guard let lost else { return "<p>\(Page.chip(.idle, "Not connected"))</p>" }
        return """
            <p class=bad role=alert>\(lost.email.isEmpty ? "Your account" : lost.email) was disconnected at \(service) on \(lost.at.rfc3339.prefix(10)).</p>
            <p>No new meetings can be made there until you connect again; what waits then goes on by itself.</p>
            """
    }

    /// What a service did not end, though it was asked to for a day.
    private static func livingGrants(_ accounts: OwnerAccounts) -> HTML {
        accounts.revocations.filter(\.isGivenUp).map { left -> HTML in
            """
            <p class=bad role=alert>\(left.provider) did not take back the access to
            \(left.email.isEmpty ? "your account" : left.email) that ended here on \(left.since.rfc3339.prefix(10)).</p>
            <p>Remove the app there, in your account's settings for connected apps.</p>
            """
        }.joined()
    }

    func disconnectQuestion(_ provider: String, key: String) throws -> Response {
        let service = try context.connectableModule(provider).consent.name
        return Page.response(
            .ok, "Disconnect \(service)?",
            "<p>No new meetings can be made there. Bookings that are made keep their links; they can then not be moved or removed at \(service) from here.</p>"
                + Page.button(
                    "Yes, disconnect", action: "/owners/me/disconnect", key: key, fields: [("provider", provider), ("sure", "yes")])
                + Page.back(to: "/owners/me", "No, leave it"))
    }

    private func health(_ connection: StoredConnection) -> HTML {
        let account: HTML = "<strong>\(connection.account.email)</strong>"
        guard let problem = connection.problem else { return "<p>\(Page.chip(.good, "Connected")) \(account)</p>" }
        return "<div class=\"notice bad\"><p>\(account): \(problem.message)</p><p>\(problem.remedy)</p></div>"
    }

    private func defaultProvider(_ owner: Owner, _ accounts: OwnerAccounts, _ key: String, _ failing: [FailingProvider]) -> HTML {
        let catalog = context.catalog.current
        let options = catalog.providers.map { entry -> HTML in
            let problem = ProviderResolver(context).readinessProblem(entry, accounts)
            return
                "<option value=\"\(entry.name)\"\(owner.defaultProvider == entry.name ? " selected" : "")>\(entry.name)\(problem == nil ? "" : " (not ready)")</option>"
        }
        return """
            <section><h2>Where your meetings are held</h2><form method=post action="/owners/me/default">
            <input type=hidden name=key value="\(key)"><label for=provider>Default provider</label><br>
            <select id=provider name=provider><option value="">The site's default: \(catalog.site.defaultProvider)</option>
            \(options.joined())</select> <button class="button">Save</button></form>
            \(Self.health(of: owner.defaultProvider ?? catalog.site.defaultProvider, failing))\(testMeeting(owner, accounts, key))\(whereHeld(owner, accounts))</section>
            """
    }

    private static func health(of provider: String, _ failing: [FailingProvider]) -> HTML {
        guard let bad = failing.first(where: { $0.provider == provider }) else { return "" }
        return "<p class=bad role=status>\(provider) is \(bad.words)</p>"
    }

    /// For each meeting type the provider that a booking would get now, and why: the whole chain, link by link.
    private func whereHeld(_ owner: Owner, _ accounts: OwnerAccounts) -> HTML {
        let (catalog, provisioner) = (context.catalog.current, ProviderResolver(context))
        let items = catalog.meetingTypes.prefix(Self.typesShown).compactMap { type -> HTML? in
            guard let resolution = try? catalog.resolve(type, owner: owner, problem: { provisioner.readinessProblem($0, accounts) }) else {
                return nil
            }
            let steps = resolution.trace.map { step in
                "\(step.rule.rawValue): \(step.provider.map { "\($0), " } ?? "")\(step.outcome.rawValue)\(step.outcome == .chosen ? "" : ", \(step.detail)")"
            }
            return "<li><strong>\(type.id)</strong> at \(resolution.provider)\(Page.list(steps))</li>"
        }
        return items.isEmpty ? "" : "<details><summary>Which meeting is held where, and why</summary><ul>\(items.joined())</ul></details>"
    }

    /// At the provider where the owner's meetings are held now; that it works is seen by making one.
    private func testMeeting(_ owner: Owner, _ accounts: OwnerAccounts, _ key: String) -> HTML {
        let catalog = context.catalog.current
        let name = owner.defaultProvider ?? catalog.site.defaultProvider
        guard let entry = catalog.provider(name) else { return "" }
        if let problem = ProviderResolver(context).readinessProblem(entry, accounts) {
            return "<p class=bad>\(name): \(problem.message)</p><p>\(problem.remedy)</p>"
        }
        return Page.button("Make a test meeting", action: "/owners/me/test", key: key, fields: [("provider", name)], isPlain: true)
            + "<p class=quiet>A real room at \(name), with you as host and as guest: you get both mails.</p>"
    }

    private func bookings(_ views: [BookingView], _ owner: Owner, _ key: String) -> HTML {
        guard !views.isEmpty else { return "<section id=bookings><h2>Upcoming bookings</h2><p class=empty>None.</p></section>" }
        let items = views.map { view -> HTML in
            let booking = view.booking
            let time = ReaderTime.of(start: booking.start, end: booking.end, timeZone: owner.timeZone, language: "en")
            var item: HTML = "<li class=item><strong>\(booking.title)</strong><br>\(time.date), \(time.range)"
            item += "<br>\(booking.meeting.provider) \(Page.chip(Tone(booking.meeting.status), booking.meeting.status.rawValue))"
            if let room = booking.meeting.room, !room.needsEntry {
                item += "<br><a href=\"\(room.joinURL)\" rel=noreferrer>Open the room</a> "
            }
            if booking.details.source == BookingService.testSource {
                item += Page.button("Take it away", action: "/owners/me/cancel", key: key, fields: [("booking", booking.id)], isPlain: true)
            }
            if let problem = booking.meeting.problem {
                item += "<br><span class=bad>\(problem.message)</span> \(problem.remedy)"
                item += Page.button("Try again now", action: "/owners/me/retry", key: key, fields: [("booking", booking.id)], isPlain: true)
            }
            return item + "</li>"
        }
        return "<section id=bookings><h2>Upcoming bookings</h2><ul class=cards>\(items.joined())</ul></section>"
    }
}
