import UsherCore
import UsherStore

/// Writes the reminders of a booking to the outbox as their times come.
///
/// A time that had passed when the booking got its start is not made up for; one that passed while no server ran is, and of several
/// only the last.
struct WriteReminders {
    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let booking = try step.tx.booking(id) else { return try step.finish(claim) }
        if booking.status == .confirmed, step.now < booking.start { try remind(booking, step) }
        guard let next = booking.nextReminder(after: step.now) else { return try step.finish(claim) }
        try step.tx.release(claim, due: next, attempt: 0)
        return nil
    }

    private func remind(_ booking: Booking, _ step: StepTransaction) throws {
        let settled = try step.tx.timeline(of: booking.id).last { $0.event == "booking.confirmed" || $0.event == "booking.rescheduled" }?.at
        let times = booking.terms.type.reminders.map { booking.start - $0 }.filter { $0 <= step.now && $0 > settled ?? booking.createdAt }
        guard let time = times.max() else { return }
        // Not by revision: a new link raises that, and is no reason to remind once more.
        let dedupKey = "reminder \(time.microseconds)"
        let mails = try step.tx.mails(of: booking.id)
        for reader in booking.readers
        where !mails.contains(where: { $0.reader == reader && $0.dedupKey == dedupKey && ($0.state != .dropped || $0.reachedReader) }) {
            // A confirmation that is late may still arrive, and begins the thread then.
            let earlier = mails.filter { mail in
                mail.reader == reader && mail.isRevisionMail && (mail.reachedReader || mail.state == .queued || mail.state == .sending)
            }
            try MailPlan(step).write(.reminder, to: reader, of: booking, after: earlier, dedupKey: dedupKey)
        }
    }
}
