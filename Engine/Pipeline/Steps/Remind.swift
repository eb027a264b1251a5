import UsherCore
import UsherStore

/// Writes the reminders of a booking to the outbox as their times come.
///
/// A time that had passed when the booking got its start is not made up for; one that passed while no server ran is, and of several
/// only the last.
struct RemindStep: Step {
    static let kind = "remind"

    /// Has a booking looked at when its next reminder is due.
    static func schedule(_ booking: Booking, _ turn: Turn) throws {
        guard !booking.terms.type.reminders.isEmpty, let due = next(booking, after: turn.now) else { return }
        try turn.tx.poke(kind: kind, subject: booking.id, due: due, start: booking.start)
    }

    private static func next(_ booking: Booking, after now: Instant) -> Instant? {
        guard booking.status == .confirmed else { return nil }
        return booking.terms.type.reminders.map { booking.start - $0 }.filter { $0 > now }.min()
    }

    func prepare(_ claim: Claim, _ turn: Turn) throws -> Effect? {
        guard let booking = try turn.tx.booking(claim.subject) else {
            try turn.tx.finish(claim)
            return nil
        }
        if booking.status == .confirmed, turn.now < booking.start { try remind(booking, turn) }
        if let next = Self.next(booking, after: turn.now) {
            try turn.tx.release(claim, due: next, attempt: 0)
        } else {
            try turn.tx.finish(claim)
        }
        return nil
    }

    private func remind(_ booking: Booking, _ turn: Turn) throws {
        let settled = try turn.tx.timeline(of: booking.id).last { $0.event == "booking.confirmed" || $0.event == "booking.rescheduled" }?.at
        let times = booking.terms.type.reminders.map { booking.start - $0 }.filter { $0 <= turn.now && $0 > settled ?? booking.createdAt }
        guard let time = times.max() else { return }
        // Not by revision: a new link raises that, and is no reason to remind once more.
        let about = "reminder \(time.microseconds)"
        let mails = try turn.tx.mails(of: booking.id)
        for reader in booking.readers
        where !mails.contains(where: { $0.reader == reader && $0.about == about && ($0.state != .dropped || $0.reachedReader) }) {
            // A confirmation that is late may still arrive, and begins the thread then.
            let earlier = mails.filter { mail in
                mail.reader == reader && mail.isNews && (mail.reachedReader || mail.state == .queued || mail.state == .sending)
            }
            try Notification(turn).write(.reminder, to: reader, of: booking, after: earlier, about: about)
        }
    }
}
