import UsherCore

/// A mail that is to be sent or has been. What it says is a pure function of this row and of the booking at this revision.
package struct OutboxMail: Hashable, Sendable {
    /// How far a mail has come.
    package enum State: String, Sendable, CaseIterable { case queued, sending, sent, failed, dropped }

    /// `ml_…`
    package var id: String
    /// The booking that it is about.
    package var bookingID: String
    /// The booking's revision that it tells of.
    package var revision: Int64
    /// Who gets it.
    package var reader: Reader
    /// What it is for.
    package var kind: MailKind
    /// Without angle brackets.
    package var messageID: String
    /// The Message-ID of the first mail of the thread; `nil` in that one.
    package var threadID: String?
    /// When it was written; its `Date`.
    package var writtenAt: Instant
    /// How far it has come.
    package var state: State
    /// A try ended without a clear answer: the reader may have it.
    package var maybeDelivered: Bool
    /// Why it was refused or is late, in the mail system's words.
    package var problem: String?
    /// What it is about beside the revision; empty for the mails that tell of one.
    package var dedupKey: String
    /// The reader has the event on a calendar that is connected: no file comes with it.
    package var onCalendar: Bool
    /// What it tells of time and room, in short, and what its reader had been told before.
    package var snapshot: String
    /// What its reader was told before, to say what has changed; empty for nothing.
    package var previous: String
    /// The look and program that it was last made with: others may make another mail of the same row. Empty before the first try.
    package var look: String
    /// The mail as it was sent, sealed, while nobody knows whether it has arrived; else empty.
    package var kept: String
    /// When the mail system took it; `nil` where it has not, or an earlier Usher wrote that on the timeline alone.
    package var sentAt: Instant?

    /// Takes each property as it is.
    package init(
        id: String, bookingID: String, revision: Int64, reader: Reader, kind: MailKind, messageID: String, threadID: String?,
        writtenAt: Instant, state: State = .queued, maybeDelivered: Bool = false, problem: String? = nil, dedupKey: String = "",
        onCalendar: Bool = false, snapshot: String = "", previous: String = "", look: String = "", kept: String = "",
        sentAt: Instant? = nil
    ) {
        self.id = id
        self.bookingID = bookingID
        self.revision = revision
        self.reader = reader
        self.kind = kind
        self.messageID = messageID
        self.threadID = threadID
        self.writtenAt = writtenAt
        self.state = state
        self.maybeDelivered = maybeDelivered
        self.problem = problem
        self.dedupKey = dedupKey
        self.onCalendar = onCalendar
        self.snapshot = snapshot
        self.previous = previous
        self.look = look
        self.kept = kept
        self.sentAt = sentAt
    }

    /// What the kept mail is sealed for.
    package static func context(_ id: String) -> String { "mail:" + id }

    /// Whether it tells of the booking's state at its revision: all but reminders do.
    package var isRevisionMail: Bool { dedupKey.isEmpty }

    /// Whether it is not to be sent any more.
    package var isSettled: Bool { state != .queued && state != .sending }

    /// Whether its reader has it, as far as anyone can know.
    package var reachedReader: Bool { state == .sent || maybeDelivered }
}
