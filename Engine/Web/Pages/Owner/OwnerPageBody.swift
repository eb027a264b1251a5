import Foundation
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// What an owner sees.
extension OwnerPage {
    /// So long before a meeting its card leads into the room.
    private static let soon = Duration.minutes(15)

    /// - Parameters:
    ///   - date: one of the week that is shown; today's where there is none, or one that is too far away.
    ///   - type: see ``SlotService/week(of:with:type:)``.
    func page(_ stored: StoredOwner, week date: CalendarDate?, type: String?, key: String) async throws -> Response {
        let (owner, words) = (stored.owner, stored.words)
        let today = CalendarDate(WallTime(context.now, in: TimeZone(iana: owner.timeZone) ?? .gmt))
        let shown = date.flatMap { abs($0.day - today.day) <= Self.farthestWeek ? $0 : nil } ?? today
        let week = OwnerWeekPart(
            try await SlotService(context).week(of: owner, with: shown, type: type), of: owner, site: context.catalog.current.site.name,
            today: today, now: context.now)
        let accounts = try await owners.accounts(of: owner.id)
        // What began within the longest booking may still be going on.
        var filter = BookingService.Filter()
        (filter.owner, filter.status, filter.from) = (owner.id, .confirmed, context.now - Tx.longestBooking)
        let views = try await service.page(filter, after: nil, limit: Self.bookingsRead).views.filter { $0.booking.end > context.now }
        let failing = try await context.health.all()
        let test = testMeeting(owner, accounts, failing, key)
        let values = OwnerValues(
            say: words.all, notices: livingGrants(accounts, owner, words),
            meetings: .init(views.prefix(Self.bookingsShown).map { meeting($0.booking, owner, words, key) }),
            refresh: views.contains { $0.booking.meeting.status == .pending } ? "3" : nil, week: week.values,
            links: .init(links(owner)), accounts: .init(self.accounts(accounts, owner, words, key)),
            calendars: calendars(try await CalendarService(context).list(of: owner.id), stored, key),
            calendarAccounts: calendarAccounts(accounts, words, key),
            daysOff: daysOff(try await TimeOffService(context).list(of: owner), words, key),
            formKey: key,
            today: today.text, choices: choices(owner, accounts, words), defaultNotice: test.notice, test: test.press, testText: test.text,
            held: .init(whereHeld(owner, accounts, words)))
        let around = Page.Around(
            width: .middle, who: owner.email, footNote: words(.timesAre, ["zone": owner.timeZone]),
            footButtons: [
                FormButton(words(.signOut), action: "/owners/me/signout", key: key, isQuiet: true),
                FormButton(words(.signOutEverywhere), action: "/owners/me/signout-everywhere", key: key, isQuiet: true),
            ])
        return Page.response(.ok, owner.name, HTML(.owner, values), words: words.page, around: around)
    }

    // MARK: Meetings

    private func meeting(_ booking: Booking, _ owner: Owner, _ words: OwnerWords, _ key: String) -> OwnerValues.Meeting {
        let time = ReaderTime.of(start: booking.start, end: booking.end, timeZone: owner.timeZone, language: owner.language)
        let (isTest, field) = (booking.details.source == BookingService.testSource, [("booking", booking.id)])
        let problem = booking.meeting.problem
        let again = FormButton(words(.tryAgain), action: "/owners/me/retry", key: key, fields: field, isPlain: true)
        let takeAway = FormButton(words(.takeAway), action: "/owners/me/test/cancel", key: key, fields: field, isPlain: true)
        let guests = booking.attendees.map { $0.name.isEmpty ? $0.email : $0.name }
        return .init(
            title: booking.title(in: owner.language), when: time.date + words.page.comma + time.range,
            guests: isTest || guests.isEmpty ? nil : guests.joined(separator: words.page.comma),
            place: booking.terms.title(of: booking.meeting.provider, in: context.catalog.current),
            state: ChipPart(Tone(booking.meeting.status), words.status(booking.meeting.status)),
            problem: problem.map { lines($0, at: booking.meeting.provider, words).joined(separator: " ") },
            room: booking.meeting.room.flatMap { $0.needsEntry ? nil : $0.joinURL }, isSoon: context.now > booking.start - Self.soon,
            roomName: words(.openRoom), presses: (problem == nil ? [] : [again]) + (isTest ? [takeAway] : []),
            change: isTest || booking.start <= context.now ? nil : "/owners/me/booking?booking=\(booking.id)", changeName: words.page.manage
        )
    }

    /// The booking pages on which this owner is booked.
    private func links(_ owner: Owner) -> [OwnerValues.Link] {
        context.catalog.current.meetingTypes.filter { type in
            type.page != nil && type.slots != nil && type.hosts?.contains { $0.owner == owner.id } ?? true
        }.prefix(Self.typesShown).map { type in
            let title = type.title(with: owner, site: context.catalog.current.site.name)
            return .init(linkName: title, link: "\(context.settings.publicURL)/book/\(type.id)/\(owner.id)")
        }
    }

    // MARK: Accounts

    private func title(_ provider: String) -> String { context.catalog.current.title(of: provider) }

    /// What is wrong at a provider. What the site lacks is the admin's to mend.
    private func lines(_ problem: Problem, at provider: String, _ words: OwnerWords) -> [String] {
        let catalog = context.catalog.current
        if problem.code == .notConnected, let entry = catalog.provider(provider), ProviderResolver(context).readinessProblem(entry) != nil {
            return [words(.notSetUpText, ["service": entry.title, "site": catalog.site.name])]
        }
        return words.lines(problem, service: title(provider))
    }

    /// Each provider that owners connect, connected or not.
    private func accounts(_ accounts: OwnerAccounts, _ owner: Owner, _ words: OwnerWords, _ key: String) -> [OwnerValues.Account] {
        context.catalog.current.providers.compactMap { entry in
            guard let module = context.registry.module(entry.module) as? any ConnectableProvider.Type else { return nil }
            let (service, field) = (module.consent.name, [("provider", entry.name)])
            func button(_ label: String, _ action: String, isPlain: Bool = true) -> FormButton {
                FormButton(label, action: "/owners/me/\(action)", key: key, fields: field, isPlain: isPlain)
            }
            let app = accounts.app(entry.name)
            var shown = OwnerValues.Account(
                service: entry.title, ownApp: words(.ownApp, ["service": service]),
                app: app.map { .init(inUse: words(.appInUse), clientID: $0.clientID, remove: button(words(.removeApp), "app/remove")) },
                carried: HiddenField.all([("key", key)] + field), appID: "app-\(entry.name)",
                tellsEvents: module is any EventfulProvider.Type)
            if ProviderResolver(context).readinessProblem(entry, app) != nil {
                let text = words(.notSetUpText, ["service": service, "site": context.catalog.current.site.name])
                (shown.state, shown.notice) = (ChipPart(.warn, words(.notSetUp)), NoticePart(.warn, text))
            } else if let connection = accounts.connection(entry.name) {
                let isWell = connection.health == .ok
                shown.account = connection.account.email
                shown.state = isWell ? ChipPart(.good, words(.connected)) : ChipPart(.bad, words(.needsYou))
                shown.notice = connection.problem.map { NoticePart(.bad, words.lines($0, service: service)) }
                shown.presses = [
                    button(words(isWell ? .connectAgain : .mend), "connect", isPlain: isWell), button(words(.disconnect), "disconnect"),
                ]
            } else {
                shown.state = ChipPart(.idle, words(.notConnected))
                shown.notice = accounts.lost.first { $0.provider == entry.name }.map { lost($0, service, owner, words) }
                shown.presses = [button(words(.connect, ["service": service]), "connect", isPlain: false)]
            }
            return shown
        }
    }

    /// A connection that was lost is not as if it had never been.
    private func lost(_ lost: LostConnection, _ service: String, _ owner: Owner, _ words: OwnerWords) -> NoticePart {
        let account = lost.email.isEmpty ? words(.yourAccount) : lost.email
        let date = Self.time(lost.at, owner).date
        return NoticePart(.bad, [words(.lost, ["account": account, "service": service, "date": date]), words(.lostText)], isUrgent: true)
    }

    /// What a service did not end, though it was asked to for a day.
    private func livingGrants(_ accounts: OwnerAccounts, _ owner: Owner, _ words: OwnerWords) -> [NoticePart] {
        accounts.revocations.filter(\.isGivenUp).map { left in
            let account = left.email.isEmpty ? words(.yourAccount) : left.email
            let date = Self.time(left.since, owner).date
            return NoticePart(
                .bad, [words(.living, ["service": title(left.provider), "account": account, "date": date]), words(.livingText)],
                isUrgent: true)
        }
    }

    private static func time(_ instant: Instant, _ owner: Owner) -> ReaderTime {
        ReaderTime.of(start: instant, end: instant, timeZone: owner.timeZone, language: owner.language)
    }

    func disconnectQuestion(_ provider: String, _ words: OwnerWords, key: String) throws -> Response {
        let service = try context.connectableModule(provider).consent.name
        let message = MessagePart(
            lines: [words(.disconnectText, ["service": service])],
            buttons: [
                FormButton(
                    words(.yesDisconnect), action: "/owners/me/disconnect", key: key, fields: [("provider", provider), ("sure", "yes")])
            ], ways: [WayPart(wayPath: "/owners/me", wayName: words.page(.no))])
        return Page.response(.ok, words(.disconnectNamed, ["service": service]), message.html, words: words.page)
    }

    // MARK: Where meetings are held

    private func choices(_ owner: Owner, _ accounts: OwnerAccounts, _ words: OwnerWords) -> [OptionPart] {
        let catalog = context.catalog.current
        let site = OptionPart(
            optionValue: "", optionName: words(.siteDefault, ["provider": title(catalog.site.defaultProvider)]),
            isChosen: owner.defaultProvider == nil)
        return [site]
            + catalog.providers.map { entry in
                let problem = ProviderResolver(context).readinessProblem(entry, accounts)
                let reason = problem.map { lines($0, at: entry.name, words)[0] }
                let name = reason.map { words(.notReady, ["provider": entry.title, "reason": $0]) } ?? entry.title
                return OptionPart(optionValue: entry.name, optionName: name, isChosen: owner.defaultProvider == entry.name)
            }
    }

    /// At the provider where the owner's meetings are held now; that it works is seen by making one.
    private func testMeeting(
        _ owner: Owner, _ accounts: OwnerAccounts, _ failing: [FailingProvider], _ key: String
    ) -> (notice: NoticePart?, press: FormButton?, text: String) {
        let words = OwnerWords(owner.language)
        let name = owner.defaultProvider ?? context.catalog.current.site.defaultProvider
        let text = words(.testText, ["provider": title(name)])
        guard let entry = context.catalog.current.provider(name) else { return (nil, nil, text) }
        if let problem = ProviderResolver(context).readinessProblem(entry, accounts) {
            return (NoticePart(.bad, lines(problem, at: name, words)), nil, text)
        }
        let notice = failing.first { $0.provider == name }.map { failing in
            let since = Self.time(failing.since, owner)
            return NoticePart(.bad, words(.failing, ["provider": entry.title, "date": since.date, "time": since.time]))
        }
        let press = FormButton(words(.test), action: "/owners/me/test", key: key, fields: [("provider", name)], isPlain: true)
        return (notice, press, text)
    }

    /// For each meeting type the provider that a booking would get now, and why: the whole chain, link by link.
    private func whereHeld(_ owner: Owner, _ accounts: OwnerAccounts, _ words: OwnerWords) -> [OwnerValues.Held] {
        let (catalog, provisioner) = (context.catalog.current, ProviderResolver(context))
        return catalog.meetingTypes.prefix(Self.typesShown).compactMap { type in
            guard let resolution = try? catalog.resolve(type, owner: owner, problem: { provisioner.readinessProblem($0, accounts) }) else {
                return nil
            }
            let steps = resolution.trace.compactMap { step in
                step.provider.map { provider in
                    let problem = catalog.provider(provider).flatMap { provisioner.readinessProblem($0, accounts) }
                    let reason = problem.map { " (\(lines($0, at: provider, words)[0]))" } ?? ""
                    return "\(title(provider)): \(words.because(step.rule))\(reason)"
                }
            }
            return .init(
                heldAt: words(.heldAt, ["type": type.title(with: owner, site: catalog.site.name), "provider": title(resolution.provider)]),
                steps: steps)
        }
    }
}

extension MeetingType {
    /// What its meetings with an owner are called, in the owner's language.
    func title(with owner: Owner, site: String) -> String {
        Placeholders.fill(spoken(in: owner.language).title, ["owner.name": owner.name, "site.name": site])
    }
}
