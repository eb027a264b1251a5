import Foundation
import Logging
import UsherCore
import UsherMail
import UsherStore
import UsherVault

/// Tells an owner by mail what needs them: once for each matter, until it is mended or something else is the matter.
///
/// It looks at the database a few seconds after the trouble, so that what mends itself is never told, and ten bookings that wait for one
/// connection are one letter.
struct AlertOwner {
    /// A letter is tried for this long.
    private static let patience = Duration.days(3)

    private let context: EngineContext

    init(_ context: EngineContext) { self.context = context }

    func prepare(_ subject: AlertSubject, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let notice = try AlertMatter(context, step).notice(about: subject) else {
            // That a link was asked for is remembered, so that nobody is flooded with them.
            if case .signIn = subject {} else { try step.tx.removeNotice(subject) }
            return try step.finish(claim)
        }
        let code = notice.problem?.code.rawValue ?? notice.kind.rawValue + notice.account
        let known = try step.tx.notice(subject)
        if let known, known.code == code, known.state != .queued { return try step.finish(claim) }
        var stored = try known.flatMap { $0.code == code ? $0 : nil } ?? fresh(subject, code, notice, step)
        // At a further try it says what it said at the first.
        var said = try Notice(stored)
        stored.state = .queued
        if case .signIn(let owner) = subject {
            // Each try has a link of its own, and so is a mail of its own.
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
            return { step in try record(outcome, of: sending, subject, claim, step) }
        }
    }

    private func fresh(_ subject: AlertSubject, _ code: String, _ notice: Notice, _ step: StepTransaction) throws -> StoredNotice {
        StoredNotice(
            subject: subject.text, code: code, body: try notice.body,
            messageID: messageID(notice), writtenAt: step.now)
    }

    private func messageID(_ notice: Notice) -> String { "\(context.environment.code(bits: 128))@\(notice.site.from.domain)" }

    private func record(
        _ outcome: DeliveryOutcome, of notice: StoredNotice, _ subject: AlertSubject, _ claim: Claim, _ step: StepTransaction
    ) throws -> StepResult {
        // What was written meanwhile is another matter.
        guard var present = try step.tx.notice(subject), present.messageID == notice.messageID else { return .lookAgain }
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
            try note(present, subject, step)
            return .lookAgain
        }
        return .rest(until: step.now + RetryPolicy.mail.delay(afterFailures: claim.attempt + 1, context.environment))
    }

    /// On the timeline of the booking that it is about, if it is about one: a connection's matter is told of once for all that wait.
    private func note(_ notice: StoredNotice, _ subject: AlertSubject, _ step: StepTransaction) throws {
        let (booking, matter): (String?, String)
        switch subject {
        case .booking(let id): (booking, matter) = (id, "problem")
        case .undelivered(let id): (booking, matter) = (try step.tx.mail(id)?.bookingID, "undelivered mail")
        case .remains(let id): (booking, matter) = (id, "remaining room")
        case .connection, .signIn, .calendar: return
        }
        guard let booking else { return }
        let reason = notice.problem.map { ": \($0)" } ?? ""
        step.tx.note(booking, "mail.\(notice.state.rawValue)", "\(matter) to the owner\(reason)", at: step.now)
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
