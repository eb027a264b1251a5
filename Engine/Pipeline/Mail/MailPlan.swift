import UsherCore
import UsherMail
import UsherStore

/// Which mails a booking owes whom, now.
struct MailPlan {
    private let step: StepTransaction

    init(_ step: StepTransaction) { self.step = step }

    /// Writes what is due, and sets the timer for what is not.
    /// - Returns: what the timer is set to.
    @discardableResult
    func advance(_ booking: Booking) throws -> Instant? {
        guard Self.isReady(booking) || step.now >= booking.mailDeadline else {
            try step.followUp(.mailDeferred(booking))
            return booking.mailDeadline
        }
        try step.tx.dequeue(.planMail(booking: booking.id))
        let mails = try step.tx.mails(of: booking.id)
        // One that is on its way right now must arrive or fail first: it decides what its reader is told next.
        guard !mails.contains(where: { $0.state == .sending && $0.revision < booking.revision }) else { return nil }
        for mail in mails where mail.state == .queued && mail.revision < booking.revision {
            try drop(mail)
        }
        let owed = Self.owed(booking, mails)
        try step.followUp(.mailsWritten(booking, isNew: !owed.isEmpty))
        for (reader, kind) in owed {
            try write(kind, to: reader, of: booking, after: mails.filter { $0.reader == reader && $0.reachedReader })
        }
        return nil
    }

    /// What the readers of a booking are owed that no mail tells yet.
    static func owed(_ booking: Booking, _ mails: [OutboxMail]) -> [(reader: Reader, kind: MailKind)] {
        booking.readers.compactMap { reader in kind(for: reader, booking, mails).map { (reader, $0) } }
    }

    private static func isReady(_ booking: Booking) -> Bool {
        booking.status == .cancelled || booking.meeting.status == .ready || booking.meeting.status == .onJoin
    }

    /// What the reader is owed at this revision; `nil` when they have it, or never heard of what is cancelled.
    private static func kind(for reader: Reader, _ booking: Booking, _ mails: [OutboxMail]) -> MailKind? {
        let theirs = mails.filter { $0.reader == reader && $0.isRevisionMail }
        guard !theirs.contains(where: { $0.revision == booking.revision }) else { return nil }
        let wasTold = theirs.contains { $0.reachedReader }
        if booking.status == .cancelled { return wasTold ? .cancellation : nil }
        return wasTold ? .update : .confirmation
    }

    /// - Parameters:
    ///   - earlier: what has reached this reader, or is about to, in order.
    ///   - about: what it is about beside the revision.
    func write(_ kind: MailKind, to reader: Reader, of booking: Booking, after earlier: [OutboxMail], dedupKey: String = "") throws {
        let environment = step.context.environment
        let mail = OutboxMail(
            id: environment.id("ml_"), bookingID: booking.id, revision: booking.revision, reader: reader, kind: kind,
            messageID: "\(environment.code(bits: 128))@\(booking.terms.site.from.domain)",
            threadID: earlier.first.map { $0.threadID ?? $0.messageID },
            writtenAt: step.now, dedupKey: dedupKey,
            onCalendar: reader == .owner ? try OwnerCalendar(step).has(booking) : false, snapshot: MailSnapshot(booking).text,
            previous: earlier.last?.snapshot ?? "")
        step.tx.insert(mail)
        try step.start(ScheduledJob(.deliver(mail: mail.id), due: step.now, start: booking.start))
    }

    func drop(_ mail: OutboxMail) throws {
        var mail = mail
        (mail.state, mail.kept) = (.dropped, "")
        try step.tx.update(mail)
        let reason = mail.isRevisionMail ? "overtaken" : "its time is over"
        step.tx.note(mail.bookingID, "mail.dropped", "\(mail.kind.rawValue) to \(mail.reader.role): \(reason)", at: step.now)
        // What it reminds of may still be to come.
        if !mail.isRevisionMail, let booking = try step.tx.booking(mail.bookingID) {
            try step.followUp(.reminderDropped(booking))
        }
    }
}
