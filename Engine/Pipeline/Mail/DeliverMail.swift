import Logging
import UsherCore
import UsherMail
import UsherStore
import UsherVault

/// Hands one mail of the outbox over.
struct DeliverMail {
    private let context: EngineContext

    /// A mail is tried for this long at least, and until the meeting is over.
    private static let patience = Duration.days(3)

    init(_ context: EngineContext) { self.context = context }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        // One that this transaction has settled needs no second look.
        guard try step.tx.mail(id)?.isSettled == false, case (var mail, let booking)? = try step.tx.mailAndBooking(id), !mail.isSettled
        else { return try step.finish(claim) }
        // Found open: the process that was sending it died, and nobody knows how far it came.
        if mail.state == .sending { mail.maybeDelivered = true }
        let look = context.renderer.fingerprint
        guard mail.revision == booking.revision, mail.isRevisionMail || step.now < booking.start else {
            try MailPlan(step).drop(mail)
            try MailPlan(step).advance(booking)
            return try step.finish(claim)
        }
        // What may have arrived is sent again as the same mail, or not at all.
        if mail.maybeDelivered, mail.kept.isEmpty, !mail.look.isEmpty, mail.look != look {
            try giveUp(mail, "it may have arrived, and mails look otherwise since: it is not sent a second time", booking, step)
            return try step.finish(claim)
        }
        // Before anything is written: a link that cannot be opened must not look like a mail on its way.
        let letter = try self.letter(mail, booking, step.tx)
        let waiting = mail
        (mail.state, mail.look) = (.sending, look)
        try step.tx.update(mail)
        let (sending, deadline) = (mail, step.deadline)
        return Effect(for: booking) { step in
            try step.tx.update(waiting)
            return .lookAgain
        } run: { [context] in
            let (outcome, kept) = await send(sending, letter, until: deadline)
            context.meters.count(.mails, ["outcome": outcome.name])
            if case .accepted = outcome {
            } else {
                context.logger.warning(
                    "a mail was not taken",
                    metadata: [
                        "mail": "\(sending.id)", "to": "\(sending.reader.role)", "outcome": "\(outcome.name)",
                        "reason": "\(outcome.reason)",
                    ])
            }
            return { step in
                var tried = sending
                tried.kept = kept
                return try record(outcome, of: tried, claim, step)
            }
        }
    }

    /// - Returns: what became of it, and the mail to be kept, sealed, while that is unclear.
    private func send(_ mail: OutboxMail, _ letter: Letter, until deadline: Instant) async -> (DeliveryOutcome, kept: String) {
        let outgoing: OutgoingMail
        do { outgoing = try self.outgoing(mail, letter) } catch {
            return (.later("the mail as it was sent first cannot be opened: \(error)"), mail.kept)
        }
        let outcome = await context.mailer.deliver(outgoing, within: deadline - context.now)
        guard case .unclear = outcome, mail.kept.isEmpty else { return (outcome, mail.kept) }
        let text = String(decoding: outgoing.bytes, as: UTF8.self)
        do { return (outcome, try context.vault.seal(text, context: OutboxMail.context(mail.id))) } catch {
            context.logger.error("a mail could not be kept", metadata: ["mail": "\(mail.id)", "error": "\(error)"])
            return (outcome, "")
        }
    }

    /// The mail as it was sent first, or made of the letter.
    private func outgoing(_ mail: OutboxMail, _ letter: Letter) throws -> OutgoingMail {
        guard !mail.kept.isEmpty else { return context.renderer.mail(letter) }
        let text = try context.vault.open(mail.kept, context: OutboxMail.context(mail.id))
        return OutgoingMail(
            sender: letter.booking.terms.from.address, recipient: letter.recipient.address, bytes: Array(text.utf8), id: mail.id)
    }

    private func giveUp(_ mail: OutboxMail, _ reason: String, _ booking: Booking, _ step: StepTransaction) throws {
        var mail = mail
        (mail.state, mail.problem) = (.failed, reason)
        try step.tx.update(mail)
        try note(mail, step)
        try MailPlan(step).advance(booking)
    }

    /// On the timeline; the owner hears of a mail that an attendee did not get.
    private func note(_ mail: OutboxMail, _ step: StepTransaction) throws {
        step.tx.note(
            mail.bookingID, "mail.\(mail.state.rawValue)",
            "\(mail.kind.rawValue) to \(mail.reader.role)\(mail.problem.map { ": \($0)" } ?? "")", at: step.now)
        if mail.state == .failed, mail.reader != .owner { try step.followUp(.ownerNeeded(.undelivered(mail: mail.id))) }
    }

    private func letter(_ mail: OutboxMail, _ booking: Booking, _ tx: Tx) throws -> Letter {
        let links = Links(context)
        return Letter(
            booking: booking, reader: mail.reader, kind: mail.kind, outboxID: mail.id, messageID: mail.messageID,
            threadID: mail.threadID, writtenAt: mail.writtenAt, joinPage: try links.url(.join, mail.reader, booking, tx),
            calendarPage: mail.reader == .owner ? context.ownersPage : nil,
            managePage: mail.reader == .owner ? nil : try links.url(.manage, mail.reader, booking, tx), onCalendar: mail.onCalendar,
            previous: MailSnapshot(mail.previous))
    }

    private func record(_ outcome: DeliveryOutcome, of mail: OutboxMail, _ claim: Claim, _ step: StepTransaction) throws -> StepResult {
        var mail = mail
        var wait: Duration?
        switch outcome {
        case .accepted:
            (mail.state, mail.sentAt) = (.sent, step.now)
            mail.problem = nil
        case .refused(let reason):
            mail.state = .failed
            mail.problem = reason
        case .later(let reason):
            mail.state = .queued
            mail.problem = reason
            wait = RetryPolicy.mail.delay(afterFailures: claim.attempt + 1, context.environment)
        case .unclear(let reason):
            mail.state = .queued
            mail.maybeDelivered = true
            mail.problem = reason
            wait = RetryPolicy.mail.delay(afterFailures: claim.attempt + 1, context.environment)
        }
        // A relay may be down for a day or two; news of a meeting that is long over helps nobody.
        if wait != nil, let booking = try step.tx.booking(mail.bookingID), step.now > max(booking.end, mail.writtenAt + Self.patience) {
            mail.state = .failed
            mail.problem = "given up: \(mail.problem ?? "")"
            wait = nil
        }
        if mail.state == .sent || mail.state == .failed { mail.kept = "" }
        let revision = try step.tx.revision(of: mail.bookingID)
        try step.tx.update(mail)
        // That it was sent, the row itself says.
        if mail.state != .sent { try note(mail, step) }
        if let revision, mail.revision < revision,
            let booking = try step.tx.booking(mail.bookingID)
        {
            if mail.state == .queued { try MailPlan(step).drop(mail) }
            try MailPlan(step).advance(booking)
            return .lookAgain
        }
        return wait.map { .rest(until: step.now + $0) } ?? .lookAgain
    }
}
