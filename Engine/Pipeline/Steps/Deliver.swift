import Logging
import UsherCore
import UsherMail
import UsherStore

/// Hands one mail of the outbox over.
struct DeliverStep: Step {
    static let kind = "deliver"

    private let context: EngineContext

    /// A mail is tried for this long at least, and until the meeting is over.
    private static let patience = Duration.days(3)

    init(_ context: EngineContext) { self.context = context }

    func prepare(_ claim: Claim, _ turn: Turn) throws -> Effect? {
        guard var mail = try turn.tx.mail(claim.subject), mail.state == .queued || mail.state == .sending,
            let booking = try turn.tx.booking(mail.bookingID)
        else {
            try turn.tx.finish(claim)
            return nil
        }
        // Found open: the process that was sending it died, and nobody knows how far it came.
        if mail.state == .sending { mail.maybeDelivered = true }
        guard mail.revision == booking.revision, mail.isNews || turn.now < booking.start else {
            try Notification(turn).drop(mail)
            try Notification(turn).advance(booking)
            try turn.tx.finish(claim)
            return nil
        }
        // Before anything is written: a link that cannot be opened must not look like a mail on its way.
        let letter = try self.letter(mail, booking, try turn.tx.links(of: booking.id))
        let waiting = mail
        mail.state = .sending
        try turn.tx.update(mail)
        let sending = mail
        return Effect(about: ["booking": "\(booking.id)", "owner": "\(booking.terms.owner.id)"]) { turn in
            try turn.tx.update(waiting)
            return .lookAgain
        } run: { [context] in
            let outcome = await context.mailer.deliver(context.renderer.mail(letter))
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
            return { turn in try record(outcome, of: sending, claim, turn) }
        }
    }

    private func letter(_ mail: OutboxMail, _ booking: Booking, _ links: [StoredLink]) throws -> Letter {
        let desk = Links(context)
        return Letter(
            booking: booking, reader: mail.reader, kind: Letter.Kind(mail.kind), outboxID: mail.id, messageID: mail.messageID,
            threadID: mail.threadID, writtenAt: mail.writtenAt, joinPage: try desk.url(.join, mail.reader, booking.id, links),
            managePage: mail.reader == .owner ? nil : try desk.url(.manage, mail.reader, booking.id, links), onCalendar: mail.onCalendar,
            before: Told(mail.before))
    }

    private func record(_ outcome: DeliveryOutcome, of mail: OutboxMail, _ claim: Claim, _ turn: Turn) throws -> Sequel {
        var mail = mail
        var wait: Duration?
        switch outcome {
        case .accepted:
            mail.state = .sent
            mail.problem = nil
        case .refused(let reason):
            mail.state = .failed
            mail.problem = reason
        case .later(let reason):
            mail.state = .queued
            mail.problem = reason
            wait = RetryPolicy.mail.delay(afterFailures: claim.attempt + 1, context.surroundings)
        case .unclear(let reason):
            mail.state = .queued
            mail.maybeDelivered = true
            mail.problem = reason
            wait = RetryPolicy.mail.delay(afterFailures: claim.attempt + 1, context.surroundings)
        }
        // A relay may be down for a day or two; news of a meeting that is long over helps nobody.
        if wait != nil, let booking = try turn.tx.booking(mail.bookingID), turn.now > max(booking.end, mail.writtenAt + Self.patience) {
            mail.state = .failed
            mail.problem = "given up: \(mail.problem ?? "")"
            wait = nil
        }
        try turn.tx.update(mail)
        try turn.tx.note(
            mail.bookingID, "mail.\(mail.state.rawValue)",
            "\(mail.kind.rawValue) to \(mail.reader.role)\(mail.problem.map { ": \($0)" } ?? "")", at: turn.now)
        if mail.state == .failed, mail.reader != .owner {
            let subject = NoticeStep.Subject.undelivered(mail: mail.id).text
            try turn.tx.poke(kind: NoticeStep.kind, subject: subject, due: turn.now + NoticeStep.delay)
        }
        if let revision = try turn.tx.revision(of: mail.bookingID), mail.revision < revision,
            let booking = try turn.tx.booking(mail.bookingID)
        {
            if mail.state == .queued { try Notification(turn).drop(mail) }
            try Notification(turn).advance(booking)
            return .lookAgain
        }
        return wait.map { .rest(until: turn.now + $0) } ?? .lookAgain
    }
}

extension Letter.Kind {
    package init(_ kind: OutboxMail.Kind) {
        switch kind {
        case .confirmation: self = .confirmation
        case .update: self = .update
        case .cancellation: self = .cancellation
        case .reminder: self = .reminder
        }
    }
}
