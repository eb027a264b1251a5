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
        let test = testMeeting(owner, accounts, failing, key)
        let values = OwnerValues(
            notices: Self.livingGrants(accounts),
            meetings: .init(views.prefix(Self.bookingsShown).map { meeting($0.booking, owner, key) }),
            refresh: views.contains { $0.booking.meeting.status == .pending } ? "3" : nil, week: week.values,
            links: .init(links(owner)), accounts: .init(self.accounts(accounts, key)),
            calendars: calendars(try await CalendarService(context).list(of: owner.id), owner, key),
            calendarAccounts: calendarAccounts(key), daysOff: daysOff(try await TimeOffService(context).list(of: owner), key), formKey: key,
            today: today.text, choices: choices(owner, accounts), defaultNotice: test.notice, test: test.press, testAt: test.provider,
            held: .init(whereHeld(owner, accounts)))
        let around = Page.Around(
            width: .middle, who: owner.email, footNote: "Times are in \(owner.timeZone).",
            footButtons: [
                FormButton("Sign out", action: "/owners/me/signout", key: key, isQuiet: true),
                FormButton("Sign out everywhere", action: "/owners/me/signout-everywhere", key: key, isQuiet: true),
            ])
        return Page.response(.ok, owner.name, HTML(.owner, values), around: around)
    }

    // MARK: Meetings

    private func meeting(_ booking: Booking, _ owner: Owner, _ key: String) -> OwnerValues.Meeting {
        let time = ReaderTime.of(start: booking.start, end: booking.end, timeZone: owner.timeZone, language: "en")
        let (isTest, field) = (booking.details.source == BookingService.testSource, [("booking", booking.id)])
        let problem = booking.meeting.problem
        let again = FormButton("Try again now", action: "/owners/me/retry", key: key, fields: field, isPlain: true)
        let cancel = FormButton(isTest ? "Take it away" : "Cancel", action: "/owners/me/cancel", key: key, fields: field, isPlain: true)
        let guests = booking.attendees.map { $0.name.isEmpty ? $0.email : $0.name }
        return .init(
            title: booking.title, when: "\(time.date), \(time.range)",
            guests: isTest || guests.isEmpty ? nil : guests.joined(separator: ", "), place: booking.meeting.provider,
            state: ChipPart(Tone(booking.meeting.status), booking.meeting.status.rawValue),
            problem: problem.map { "\($0.message) \($0.remedy)" },
            room: booking.meeting.room.flatMap { $0.needsEntry ? nil : $0.joinURL }, isSoon: context.now > booking.start - Self.soon,
            roomName: "Open the room", presses: (problem == nil ? [] : [again]) + (isTest || booking.start > context.now ? [cancel] : []))
    }

    func cancelQuestion(_ booking: Booking, key: String) -> Response {
        let time = TimePart(booking.start, booking.end, zone: booking.terms.owner.timeZone, language: "en")
        let press = FormButton("Yes, cancel it", action: "/owners/me/cancel", key: key, fields: [("booking", booking.id), ("sure", "yes")])
        let message = MessagePart(
            asked: [.init(time: time)],
            lines: [
                booking.attendees.map { $0.name.isEmpty ? $0.email : $0.name }.joined(separator: ", "), "Everyone who was invited is told.",
            ],
            buttons: [press],
            ways: [WayPart(wayPath: "/owners/me", wayName: "No, leave it")])
        return Page.response(.ok, "Cancel \(booking.title)?", message.html)
    }

    /// The booking pages on which this owner is booked.
    private func links(_ owner: Owner) -> [OwnerValues.Link] {
        context.catalog.current.meetingTypes.filter { type in
            type.page != nil && type.slots != nil && type.hosts?.contains { $0.owner == owner.id } ?? true
        }.prefix(Self.typesShown).map { type in
            let title = Placeholders.fill(type.title, ["owner.name": owner.name, "site.name": context.catalog.current.site.name])
            return .init(linkName: title, link: "\(context.settings.publicURL)/book/\(type.id)/\(owner.id)")
        }
    }

    // MARK: Accounts

    /// Each provider that owners connect, connected or not.
    private func accounts(_ accounts: OwnerAccounts, _ key: String) -> [OwnerValues.Account] {
        context.catalog.current.providers.compactMap { entry in
            guard let module = context.registry.module(entry.module) as? any ConnectableProvider.Type else { return nil }
            let (service, field) = (module.consent.name, [("provider", entry.name)])
            func button(_ label: String, _ action: String, isPlain: Bool = true) -> FormButton {
                FormButton(label, action: "/owners/me/\(action)", key: key, fields: field, isPlain: isPlain)
            }
            let app = accounts.app(entry.name)
            var shown = OwnerValues.Account(
                service: entry.name == module.descriptor.id ? service : "\(service) (\(entry.name))",
                app: app.map { .init(clientID: $0.clientID, remove: button("Remove this app", "app/remove")) },
                carried: HiddenField.all([("key", key)] + field), appID: "app-\(entry.name)",
                tellsEvents: module is any EventfulProvider.Type)
            if let problem = ProviderResolver(context).readinessProblem(entry, app) {
                (shown.state, shown.notice) = (ChipPart(.warn, "Not set up"), NoticePart(.warn, problem.message, problem.remedy))
            } else if let connection = accounts.connection(entry.name) {
                let isWell = connection.health == .ok
                shown.account = connection.account.email
                shown.state = isWell ? ChipPart(.good, "Connected") : ChipPart(.bad, "Needs you")
                shown.notice = connection.problem.map { NoticePart(.bad, $0.message, $0.remedy) }
                shown.presses = [
                    button(isWell ? "Connect again" : "Connect again to mend this", "connect", isPlain: isWell),
                    button("Disconnect", "disconnect"),
                ]
            } else {
                shown.state = ChipPart(.idle, "Not connected")
                shown.notice = accounts.lost.first { $0.provider == entry.name }.map { Self.lost($0, service) }
                shown.presses = [button("Connect \(service)", "connect", isPlain: false)]
            }
            return shown
        }
    }

    /// A connection that was lost is not as if it had never been.
    private static func lost(_ lost: LostConnection, _ service: String) -> NoticePart {
        NoticePart(
            .bad, "\(lost.email.isEmpty ? "Your account" : lost.email) was disconnected at \(service) on \(lost.at.rfc3339.prefix(10)).",
            "No new meetings can be made there until you connect again; what waits then goes on by itself.", isUrgent: true)
    }

    /// What a service did not end, though it was asked to for a day.
    private static func livingGrants(_ accounts: OwnerAccounts) -> [NoticePart] {
        accounts.revocations.filter(\.isGivenUp).map { left in
            let account = left.email.isEmpty ? "your account" : left.email
            return NoticePart(
                .bad, "\(left.provider) did not take back the access to \(account) that ended here on \(left.since.rfc3339.prefix(10)).",
                "Remove the app there, in your account's settings for connected apps.", isUrgent: true)
        }
    }

    func disconnectQuestion(_ provider: String, key: String) throws -> Response {
        let service = try context.connectableModule(provider).consent.name
        let message = MessagePart(
            lines: [
                "No new meetings can be made there. Bookings that are made keep their links; they can then not be moved or removed at \(service) from here."
            ],
            buttons: [
                FormButton("Yes, disconnect", action: "/owners/me/disconnect", key: key, fields: [("provider", provider), ("sure", "yes")])
            ], ways: [WayPart(wayPath: "/owners/me", wayName: "No, leave it")])
        return Page.response(.ok, "Disconnect \(service)?", message.html)
    }

    // MARK: Where meetings are held

    private func choices(_ owner: Owner, _ accounts: OwnerAccounts) -> [OptionPart] {
        let catalog = context.catalog.current
        let site = OptionPart(
            optionValue: "", optionName: "The site's default: \(catalog.site.defaultProvider)", isChosen: owner.defaultProvider == nil)
        return [site]
            + catalog.providers.map { entry in
                let problem = ProviderResolver(context).readinessProblem(entry, accounts)
                let name = entry.name + (problem.map { " (not ready: \($0.message))" } ?? "")
                return OptionPart(optionValue: entry.name, optionName: name, isChosen: owner.defaultProvider == entry.name)
            }
    }

    /// At the provider where the owner's meetings are held now; that it works is seen by making one.
    private func testMeeting(
        _ owner: Owner, _ accounts: OwnerAccounts, _ failing: [FailingProvider], _ key: String
    ) -> (notice: NoticePart?, press: FormButton?, provider: String) {
        let name = owner.defaultProvider ?? context.catalog.current.site.defaultProvider
        guard let entry = context.catalog.current.provider(name) else { return (nil, nil, name) }
        if let problem = ProviderResolver(context).readinessProblem(entry, accounts) {
            return (NoticePart(.bad, "\(name): \(problem.message)", problem.remedy), nil, name)
        }
        let notice = failing.first { $0.provider == name }.map { NoticePart(.bad, "\(name) is \($0.words)") }
        return (
            notice, FormButton("Make a test meeting", action: "/owners/me/test", key: key, fields: [("provider", name)], isPlain: true),
            name
        )
    }

    /// For each meeting type the provider that a booking would get now, and why: the whole chain, link by link.
    private func whereHeld(_ owner: Owner, _ accounts: OwnerAccounts) -> [OwnerValues.Held] {
        let (catalog, provisioner) = (context.catalog.current, ProviderResolver(context))
        return catalog.meetingTypes.prefix(Self.typesShown).compactMap { type in
            guard let resolution = try? catalog.resolve(type, owner: owner, problem: { provisioner.readinessProblem($0, accounts) }) else {
                return nil
            }
            let steps = resolution.trace.map { step in
                "\(step.rule.rawValue): \(step.provider.map { "\($0), " } ?? "")\(step.outcome.rawValue)\(step.outcome == .chosen ? "" : ", \(step.detail)")"
            }
            return .init(heldType: type.id, heldAt: resolution.provider, steps: steps)
        }
    }
}
