import UsherCore
import UsherMail
import UsherStore

/// Writes the mails that a booking's readers are owed to the outbox. It is a pure look at the database: a timer that comes due
/// when the mail shall wait for the room no longer.
struct NotifyStep: Step {
    static let kind = "notify"

    /// Has the mails of a booking written: at once where nothing is waited for, or when the wait for the room is over.
    static func poke(_ booking: Booking, _ tx: Tx, now: Instant) throws {
        try tx.poke(
            kind: kind, subject: booking.id, due: booking.wantsRoom ? Notification.deadline(booking) : now, start: booking.start)
    }

    func prepare(_ claim: Claim, _ turn: Turn) throws -> Effect? {
        if let booking = try turn.tx.booking(claim.subject), let deadline = try Notification(turn).advance(booking) {
            try turn.tx.release(claim, due: deadline, attempt: 0)
        } else {
            try turn.tx.finish(claim)
        }
        return nil
    }
}

/// Which mails a booking owes whom, now.
struct Notification {
    private let turn: Turn

    init(_ turn: Turn) { self.turn = turn }

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
        guard Self.isReady(booking) || turn.now >= deadline else {
            try turn.tx.poke(kind: NotifyStep.kind, subject: booking.id, due: deadline, start: booking.start)
            return deadline
        }
        try turn.tx.drop(kind: NotifyStep.kind, subject: booking.id)
        let mails = try turn.tx.mails(of: booking.id)
        // One that is on its way right now must arrive or fail first: it decides what its reader is told next.
        guard !mails.contains(where: { $0.state == .sending && $0.revision < booking.revision }) else { return nil }
        for mail in mails where mail.state == .queued && mail.revision < booking.revision {
            try drop(mail)
        }
        try RemindStep.schedule(booking, turn)
        var wasWritten = false
        for reader in booking.readers {
            guard let kind = Self.kind(for: reader, booking, mails) else { continue }
            wasWritten = true
            try write(kind, to: reader, of: booking, after: mails.filter { $0.reader == reader && $0.reachedReader })
        }
        // Whoever is told, the calendar is told with them; nobody waits for it.
        if wasWritten, booking.terms.type.calendar { try CalendarStep.poke(booking, turn.tx, due: turn.now) }
        return nil
    }

    private static func isReady(_ booking: Booking) -> Bool {
        booking.status == .cancelled || booking.meeting.status == .ready || booking.meeting.status == .onJoin
    }

    /// What the reader is owed at this revision; `nil` when they have it, or never heard of what is cancelled.
    private static func kind(for reader: Reader, _ booking: Booking, _ mails: [OutboxMail]) -> OutboxMail.Kind? {
        let theirs = mails.filter { $0.reader == reader && $0.isNews }
        guard !theirs.contains(where: { $0.revision == booking.revision }) else { return nil }
        let wasTold = theirs.contains { $0.reachedReader }
        if booking.status == .cancelled { return wasTold ? .cancellation : nil }
        return wasTold ? .update : .confirmation
    }

    /// - Parameters:
    ///   - earlier: what has reached this reader, or is about to, in order.
    ///   - about: what it is about beside the revision.
    func write(_ kind: OutboxMail.Kind, to reader: Reader, of booking: Booking, after earlier: [OutboxMail], about: String = "") throws {
        let surroundings = turn.context.surroundings
        let mail = OutboxMail(
            id: surroundings.id("ml_"), bookingID: booking.id, revision: booking.revision, reader: reader, kind: kind,
            messageID: "\(surroundings.code(bits: 128))@\(booking.terms.site.from.domain)",
            threadID: earlier.first.map { $0.threadID ?? $0.messageID },
            writtenAt: turn.now, about: about,
            onCalendar: reader == .owner ? try CalendarStep.isOnCalendar(booking, turn) : false, told: Told(booking).text,
            before: earlier.last?.told ?? "")
        try turn.tx.insert(mail)
        try turn.start(DeliverStep(turn.context), subject: mail.id, meeting: booking.start)
    }

    func drop(_ mail: OutboxMail) throws {
        var mail = mail
        (mail.state, mail.kept) = (.dropped, "")
        try turn.tx.update(mail)
        let reason = mail.isNews ? "overtaken" : "its time is over"
        try turn.tx.note(mail.bookingID, "mail.dropped", "\(mail.kind.rawValue) to \(mail.reader.role): \(reason)", at: turn.now)
        // What it reminds of may still be to come.
        if !mail.isNews, let booking = try turn.tx.booking(mail.bookingID) {
            try turn.tx.poke(kind: RemindStep.kind, subject: mail.bookingID, due: turn.now, start: booking.start)
        }
    }
}
