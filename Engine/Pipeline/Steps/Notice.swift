import Foundation
import Logging
import UsherCore
import UsherMail
import UsherStore
import UsherVault

/// Tells an owner by mail what needs them: once for each matter, until it is mended or something else is the matter.
///
/// It looks at the world a few seconds after the trouble, so that what mends itself is never told, and ten bookings that wait for one
/// connection are one letter.
struct NoticeStep: Step {
    static let kind = "notice"
    /// From the trouble to the letter.
    static let delay = Duration.seconds(15)
    /// A letter is tried for this long.
    private static let patience = Duration.days(3)

    private let context: EngineContext

    init(_ context: EngineContext) { self.context = context }

    /// What a notice is about.
    enum Subject: Hashable {
        case connection(owner: String, provider: String)
        case booking(String)
        case signIn(owner: String)
        /// A mail to an attendee that was refused for good.
        case undelivered(mail: String)
        /// A room that is not wanted any more, and could not be removed at the provider.
        case remains(booking: String)

        init?(_ text: String) {
            let parts = text.split(separator: " ").map(String.init)
            switch (parts.first, parts.count) {
            case ("connection", 3): self = .connection(owner: parts[1], provider: parts[2])
            case ("booking", 2): self = .booking(parts[1])
            case ("signin", 2): self = .signIn(owner: parts[1])
            case ("undelivered", 2): self = .undelivered(mail: parts[1])
            case ("remains", 2): self = .remains(booking: parts[1])
            default: return nil
            }
        }

        var text: String {
            switch self {
            case .connection(let owner, let provider): "connection \(owner) \(provider)"
            case .booking(let id): "booking \(id)"
            case .signIn(let owner): "signin \(owner)"
            case .undelivered(let id): "undelivered \(id)"
            case .remains(let id): "remains \(id)"
            }
        }
    }

    /// Has the owner told of what keeps a room from being made, if it is still so in a moment.
    static func tell(of problem: Problem, _ room: RoomRecord, _ booking: Booking, _ step: StepTransaction) throws {
        let subject: Subject =
            try isOfConnection(problem, room, booking, step)
            ? .connection(owner: booking.terms.owner.id, provider: room.provider) : .booking(booking.id)
        try enqueue(subject, step.tx, now: step.now)
    }

    /// Has a matter looked at in a moment. What needs somebody comes before what is for a meeting.
    static func enqueue(_ subject: Subject, _ tx: Tx, now: Instant, after wait: Duration = delay) throws {
        try tx.enqueue(kind: kind, subject: subject.text, due: now + wait, start: now)
    }

    /// Whether the owner's connection is what is the matter. Without an app at all it is the admin who must act, and a room that
    /// belongs to another account than the connected one is this booking's own matter: no press on Connect would help.
    private static func isOfConnection(_ problem: Problem, _ room: RoomRecord, _ booking: Booking, _ step: StepTransaction) throws -> Bool {
        guard problem.code == .notConnected || problem.code == .reauthorize,
            step.context.registry.descriptor(room.module)?.connection == .owner,
            let entry = step.context.catalog.current.provider(room.provider)
        else { return false }
        let accounts = try step.context.accounts(of: booking.terms.owner.id, step.tx)
        let provisioner = ProviderResolver(step.context)
        return provisioner.readinessProblem(entry, accounts.app(room.provider)) == nil
            && provisioner.readinessProblem(entry, accounts) != nil
    }

    /// A booking has changed: what was told of may be mended, and is told anew should it come again.
    static func lookAgain(at booking: Booking, _ tx: Tx, _ now: Instant) throws {
        for subject in [Subject.booking(booking.id), .connection(owner: booking.terms.owner.id, provider: booking.meeting.provider)]
        where try tx.notice(subject.text) != nil {
            try enqueue(subject, tx, now: now)
        }
    }

    func prepare(_ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        let subject = Subject(claim.subject)
        guard let subject, let notice = try matter(subject, step) else {
            // That a link was asked for is remembered, so that nobody is flooded with them.
            if case .signIn? = subject {} else { try step.tx.removeNotice(claim.subject) }
            try step.tx.finish(claim)
            return nil
        }
        let code = notice.problem?.code.rawValue ?? notice.kind.rawValue + notice.account
        let known = try step.tx.notice(claim.subject)
        if let known, known.code == code, known.state != .queued {
            try step.tx.finish(claim)
            return nil
        }
        var stored = try known.flatMap { $0.code == code ? $0 : nil } ?? fresh(subject, code, notice, step)
        // At a further try it says what it said at the first.
        var said = try Notice(stored)
        stored.state = .queued
        if case .signIn(let owner) = subject {
            // Each try bears a link of its own, and so is a mail of its own.
            said.url = try signInLink(owner, step)
            stored.messageID = messageID(notice)
        }
        try step.tx.save(stored)
        let (sending, letter, deadline) = (stored, said, step.deadline)
        return Effect { [context] in
            let mail = context.renderer.mail(
                letter, id: Vault.hash(sending.messageID.utf8), messageID: sending.messageID, writtenAt: sending.writtenAt)
            let outcome = await context.mailer.deliver(mail, within: deadline - context.now)
            context.meters.count(.mails, ["outcome": outcome.name])
            return { step in try record(outcome, of: sending, claim, step) }
        }
    }

    private func fresh(_ subject: Subject, _ code: String, _ notice: Notice, _ step: StepTransaction) throws -> StoredNotice {
        StoredNotice(
            subject: subject.text, code: code, body: try notice.body,
            messageID: messageID(notice), writtenAt: step.now)
    }

    private func messageID(_ notice: Notice) -> String { "\(context.environment.code(bits: 128))@\(notice.site.from.domain)" }

    private func record(_ outcome: DeliveryOutcome, of notice: StoredNotice, _ claim: Claim, _ step: StepTransaction) throws -> StepResult {
        // What was written meanwhile is another matter.
        guard var present = try step.tx.notice(notice.subject), present.messageID == notice.messageID else { return .lookAgain }
        switch outcome {
        case .accepted: (present.state, present.problem) = (.sent, nil)
        case .refused(let reason): (present.state, present.problem) = (.failed, reason)
        case .later(let reason), .unclear(let reason):
            present.problem = reason
            if step.now > present.writtenAt + Self.patience { present.state = .failed }
        }
        try step.tx.save(present)
        if let problem = present.problem {
            context.logger.warning(
                "a letter to an owner was not taken",
                metadata: ["about": "\(notice.subject)", "state": "\(present.state.rawValue)", "outcome": "\(problem)"])
        }
        guard present.state == .queued else {
            try note(present, step)
            return .lookAgain
        }
        return .rest(until: step.now + RetryPolicy.mail.delay(afterFailures: claim.attempt + 1, context.environment))
    }

    /// On the timeline of the booking that it is about, if it is about one: a connection's matter is told of once for all that wait.
    private func note(_ notice: StoredNotice, _ step: StepTransaction) throws {
        let (booking, matter): (String?, String)
        switch Subject(notice.subject) {
        case .booking(let id)?: (booking, matter) = (id, "problem")
        case .undelivered(let id)?: (booking, matter) = (try step.tx.mail(id)?.bookingID, "undelivered mail")
        case .remains(let id)?: (booking, matter) = (id, "remaining room")
        default: return
        }
        guard let booking else { return }
        let reason = notice.problem.map { ": \($0)" } ?? ""
        try step.tx.note(booking, "mail.\(notice.state.rawValue)", "\(matter) to the owner\(reason)", at: step.now)
    }

    // MARK: What is the matter

    private func matter(_ subject: Subject, _ step: StepTransaction) throws -> Notice? {
        switch subject {
        case .connection(let owner, let provider): try connection(owner, provider, step)
        case .booking(let id): try booking(id, step)
        case .signIn(let owner): try signIn(owner, step)
        case .undelivered(let id): try undelivered(id, step)
        case .remains(let id): try remains(id, step)
        }
    }

    private var page: String { context.settings.publicURL + "/owners/me" }

    private func connection(_ ownerID: String, _ provider: String, _ step: StepTransaction) throws -> Notice? {
        guard let owner = try step.tx.owner(ownerID), owner.isActive, let module = try? Connections(context).module(provider) else {
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

    private func booking(_ id: String, _ step: StepTransaction) throws -> Notice? {
        guard let booking = try step.tx.booking(id), booking.status == .confirmed, booking.meeting.status != .pending,
            let problem = booking.meeting.problem, let owner = try step.tx.owner(booking.terms.owner.id), step.now < booking.end
        else { return nil }
        let module = context.registry.module(booking.meeting.module)
        return Notice(
            kind: .booking, site: booking.terms.site, owner: owner.owner,
            service: (module as? any ConnectableProvider.Type)?.consent.name ?? module?.descriptor.name ?? booking.meeting.provider,
            problem: problem, meeting: .init(title: booking.title, start: booking.start, end: booking.end), url: page)
    }

    private func remains(_ id: String, _ step: StepTransaction) throws -> Notice? {
        guard let booking = try step.tx.booking(id), let owner = try step.tx.owner(booking.terms.owner.id), step.now < booking.end,
            let room = try step.tx.rooms(of: id).last(where: { $0.state == .removed && $0.failures > 0 && !$0.roomID.isEmpty })
        else { return nil }
        let module = context.registry.module(room.module)
        return Notice(
            kind: .remains, site: booking.terms.site, owner: owner.owner,
            service: (module as? any ConnectableProvider.Type)?.consent.name ?? module?.descriptor.name ?? room.provider,
            detail: "\(room.provider): \(room.room?.meetingID ?? room.roomID)",
            meeting: .init(title: booking.title, start: booking.start, end: booking.end), url: page)
    }

    private func undelivered(_ id: String, _ step: StepTransaction) throws -> Notice? {
        guard let mail = try step.tx.mail(id), mail.state == .failed, let booking = try step.tx.booking(mail.bookingID),
            mail.revision == booking.revision, step.now < booking.end, case .attendee(let index) = mail.reader,
            let owner = try step.tx.owner(booking.terms.owner.id)
        else { return nil }
        return Notice(
            kind: .undelivered, site: booking.terms.site, owner: owner.owner, account: booking.attendees[index].email,
            detail: mail.problem ?? "", meeting: .init(title: booking.title, start: booking.start, end: booking.end), url: page)
    }

    /// Asked for a moment ago, and not sent yet.
    private func signIn(_ ownerID: String, _ step: StepTransaction) throws -> Notice? {
        guard let asked = try step.tx.notice(Subject.signIn(owner: ownerID).text), asked.state == .queued,
            step.now < asked.writtenAt + OwnerService.linkLifetime, let owner = try step.tx.owner(ownerID), owner.isActive
        else { return nil }
        return Notice(kind: .signIn, site: context.catalog.current.site, owner: owner.owner)
    }

    /// Made when the letter leaves, so that its fifteen minutes begin then, and it lies nowhere in the clear.
    private func signInLink(_ owner: String, _ step: StepTransaction) throws -> String {
        let token = context.environment.code(bits: 160)
        try step.tx.addPortalLink(
            hash: Vault.hash(token.utf8), owner: owner, expiresAt: step.now + OwnerService.linkLifetime, now: step.now)
        return "\(context.settings.publicURL)/owners/signin/\(token)"
    }
}

extension Notice {
    var body: String { get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) } }

    fileprivate init(_ stored: StoredNotice) throws(DatabaseError) {
        do { self = try JSONDecoder().decode(Notice.self, from: Data(stored.body.utf8)) } catch {
            throw DatabaseError(.corrupt, "the notice '\(stored.subject)' cannot be read: \(error)")
        }
    }
}
