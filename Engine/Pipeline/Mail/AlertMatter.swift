import UsherCore
import UsherMail
import UsherStore

/// What is the matter with the subject of an alert now.
struct AlertMatter {
    private let context: EngineContext
    private let step: StepTransaction

    init(_ context: EngineContext, _ step: StepTransaction) {
        self.context = context
        self.step = step
    }

    /// - Returns: `nil` where nothing is the matter any more.
    func notice(about subject: AlertSubject) throws -> Notice? {
        switch subject {
        case .connection(let owner, let provider): try connection(owner, provider)
        case .booking(let id): try booking(id)
        case .signIn(let owner): try signIn(owner)
        case .undelivered(let id): try undelivered(id)
        case .remains(let id): try remains(id)
        case .calendar(let id): try calendar(id)
        }
    }

    private var page: String { context.settings.publicURL + "/owners/me" }

    private func connection(_ ownerID: String, _ provider: String) throws -> Notice? {
        guard let owner = try step.tx.owner(ownerID), owner.isActive, let module = try? context.connectableModule(provider) else {
            return nil
        }
        let accounts = try context.accounts(of: ownerID, step.tx)
        let stored = accounts.connection(provider)
        let waiting = try step.tx.bookingsWaiting(owner: ownerID, provider: provider, now: step.now).count
        let lost = accounts.lost.first { $0.provider == provider }
        // An owner who never connected, or has disconnected here, is told only when something waits for it.
        guard stored?.health == .reauthorize || lost != nil || waiting > 0, let entry = context.catalog.current.provider(provider),
            let problem = ProviderResolver(context).readinessProblem(entry, accounts)
        else { return nil }
        return Notice(
            kind: .connection, site: context.catalog.current.site, owner: owner.owner, service: module.consent.name,
            account: stored?.account.email ?? lost?.email ?? "", problem: problem, waiting: waiting, url: page)
    }

    private func booking(_ id: String) throws -> Notice? {
        guard let booking = try step.tx.booking(id), booking.status == .confirmed, booking.meeting.status != .pending,
            let problem = booking.meeting.problem, let owner = try step.tx.owner(booking.terms.owner.id), step.now < booking.end
        else { return nil }
        return Notice(
            kind: .booking, site: booking.terms.site, owner: owner.owner,
            service: booking.terms.title(of: booking.meeting.provider, in: context.catalog.current),
            problem: problem, meeting: .init(title: booking.title(in: owner.owner.language), start: booking.start, end: booking.end),
            url: page)
    }

    private func remains(_ id: String) throws -> Notice? {
        guard let booking = try step.tx.booking(id), let owner = try step.tx.owner(booking.terms.owner.id), step.now < booking.end,
            let room = try step.tx.rooms(of: id).last(where: { $0.state == .removed && $0.failures > 0 && !$0.roomID.isEmpty })
        else { return nil }
        return Notice(
            kind: .remains, site: booking.terms.site, owner: owner.owner,
            service: booking.terms.title(of: room.provider, in: context.catalog.current),
            detail: room.room?.meetingID ?? room.roomID,
            meeting: .init(title: booking.title(in: owner.owner.language), start: booking.start, end: booking.end), url: page)
    }

    private func calendar(_ id: String) throws -> Notice? {
        guard let calendar = try step.tx.calendar(id), calendar.counts, let problem = calendar.problem,
            let owner = try step.tx.owner(calendar.ownerID), owner.isActive
        else { return nil }
        let source = context.busySources.first { $0.descriptor.kind == calendar.kind }
        return Notice(
            kind: .calendar, site: context.catalog.current.site, owner: owner.owner, service: source?.descriptor.name ?? calendar.kind,
            account: calendar.name.isEmpty ? calendar.account : calendar.name, problem: problem, url: page)
    }

    private func undelivered(_ id: String) throws -> Notice? {
        guard let mail = try step.tx.mail(id), mail.state == .failed, let booking = try step.tx.booking(mail.bookingID),
            mail.revision == booking.revision, step.now < booking.end, case .attendee(let index) = mail.reader,
            let owner = try step.tx.owner(booking.terms.owner.id)
        else { return nil }
        return Notice(
            kind: .undelivered, site: booking.terms.site, owner: owner.owner, account: booking.attendees[index].email,
            detail: mail.problem ?? "",
            meeting: .init(title: booking.title(in: owner.owner.language), start: booking.start, end: booking.end), url: page)
    }

    /// Asked for a moment ago, and not sent yet.
    private func signIn(_ ownerID: String) throws -> Notice? {
        guard let asked = try step.tx.notice(.signIn(owner: ownerID)), asked.state == .queued,
            step.now < asked.writtenAt + OwnerService.linkLifetime, let owner = try step.tx.owner(ownerID), owner.isActive
        else { return nil }
        return Notice(kind: .signIn, site: context.catalog.current.site, owner: owner.owner)
    }
}
