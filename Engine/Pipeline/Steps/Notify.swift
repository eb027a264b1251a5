import UsherCore
import UsherMail
import UsherStore

/// Writes the mails that a booking's readers are owed to the outbox. It is a pure look at the database: a timer that comes due
/// when the mail shall wait for the room no longer.
struct NotifyStep: Step {
    static let kind = "notify"

    /// Has the mails of a booking written: at once where nothing is waited for, or when the wait for the room is over.
    static func enqueue(_ booking: Booking, _ tx: Tx, now: Instant) throws {
        try tx.enqueue(
            kind: kind, subject: booking.id, due: booking.wantsRoom ? Notification.deadline(booking) : now, start: booking.start)
    }

    func prepare(_ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        if let booking = try step.tx.booking(claim.subject), let deadline = try Notification(step).advance(booking) {
            try step.tx.release(claim, due: deadline, attempt: 0)
        } else {
            try step.tx.finish(claim)
        }
        return nil
    }
}

/// Which mails a booking owes whom, now.
struct Notification {
    private let step: StepTransaction

    init(_ step: StepTransaction) { self.step = step }

    /// After this the mail goes out with the join page, room or no room: two minutes, or five minutes before the start if that
    /// is sooner, but ten seconds at least.
    static func deadline(_ booking: Booking) -> Instant {
        max(min(booking.changedAt + .minutes(2), booking.start - .minutes(5)), booking.changedAt + .seconds(10))
    }

    /// Writes what is due, and sets the timer for what is not.
    /// - Returns: what the timer is set to.
    @discardableResult
    func advance(_ booking: Booking) throws -> Instant? {
        let deadline = Self.deadline(booking)
        guard Self.isReady(booking) || step.now >= deadline else {
            try step.tx.enqueue(kind: NotifyStep.kind, subject: booking.id, due: deadline, start: booking.start)
            return deadline
        }
        try step.tx.dequeue(kind: NotifyStep.kind, subject: booking.id)
        let mails = try step.tx.mails(of: booking.id)
        // One that is on its way right now must arrive or fail first: it decides what its reader is told next.
        guard !mails.contains(where: { $0.state == .sending && $0.revision < booking.revision }) else { return nil }
        for mail in mails where mail.state == .queued && mail.revision < booking.revision {
            try drop(mail)
        }
        try RemindStep.schedule(booking, step)
        var wasWritten = false
        for reader in booking.readers {
            guard let kind = Self.kind(for: reader, booking, mails) else { continue }
            wasWritten = true
            try write(kind, to: reader, of: booking, after: mails.filter { $0.reader == reader && $0.reachedReader })
        }
        // Whoever is told, the calendar is told with them; nobody waits for it.
        if wasWritten, booking.terms.type.calendar { try CalendarStep.enqueue(booking, step.tx, due: step.now) }
        return nil
    }

    private static func isReady(_ booking: Booking) -> Bool {
        booking.status == .cancelled || booking.meeting.status == .ready || booking.meeting.status == .onJoin
    }

    /// What the reader is owed at this revision; `nil` when they have it, or never heard of what is cancelled.
    private static func kind(for reader: Reader, _ booking: Booking, _ mails: [OutboxMail]) -> OutboxMail.Kind? {
        let theirs = mails.filter { $0.reader == reader && $0.isRevisionMail }
        guard !theirs.contains(where: { $0.revision == booking.revision }) else { return nil }
        let wasTold = theirs.contains { $0.reachedReader }
        if booking.status == .cancelled { return wasTold ? .cancellation : nil }
        return wasTold ? .update : .confirmation
    }

    /// - Parameters:
    ///   - earlier: what has reached this reader, or is about to, in order.
    ///   - about: what it is about beside the revision.
    func write(_ kind: OutboxMail.Kind, to reader: Reader, of booking: Booking, after earlier: [OutboxMail], dedupKey: String = "") throws {
        let environment = step.context.environment
        let mail = OutboxMail(
            id: environment.id("ml_"), bookingID: booking.id, revision: booking.revision, reader: reader, kind: kind,
            messageID: "\(environment.code(bits: 128))@\(booking.terms.site.from.domain)",
            threadID: earlier.first.map { $0.threadID ?? $0.messageID },
            writtenAt: step.now, dedupKey: dedupKey,
            onCalendar: reader == .owner ? try CalendarStep.isOnCalendar(booking, step) : false, snapshot: MailSnapshot(booking).text,
            previous: earlier.last?.snapshot ?? "")
        try step.tx.insert(mail)
        try step.start(DeliverStep(step.context), subject: mail.id, meeting: booking.start)
    }

    func drop(_ mail: OutboxMail) throws {
        var mail = mail
        (mail.state, mail.kept) = (.dropped, "")
        try step.tx.update(mail)
        let reason = mail.isRevisionMail ? "overtaken" : "its time is over"
        try step.tx.note(mail.bookingID, "mail.dropped", "\(mail.kind.rawValue) to \(mail.reader.role): \(reason)", at: step.now)
        // What it reminds of may still be to come.
        if !mail.isRevisionMail, let booking = try step.tx.booking(mail.bookingID) {
            try step.tx.enqueue(kind: RemindStep.kind, subject: mail.bookingID, due: step.now, start: booking.start)
        }
    }
}
