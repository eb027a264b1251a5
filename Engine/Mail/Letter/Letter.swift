import UsherCore

/// One mail to one reader: everything that its bytes are drawn from. The same letter gives the same bytes.
package struct Letter: Sendable {
    /// What it is about.
    package var booking: Booking
    /// Who gets it.
    package var reader: Reader
    /// What it is for.
    package var kind: MailKind
    /// The mail's id in the outbox.
    package var outboxID: String
    /// Without angle brackets.
    package var messageID: String
    /// The Message-ID of the thread's first mail.
    package var threadID: String?
    /// Date and DTSTAMP.
    package var writtenAt: Instant
    /// The reader's own link to the join page.
    package var joinPage: String
    /// What calendars show in place of the join page, for a reader whose own link others must not find there.
    package var calendarPage: String?
    /// The reader's own link to move or cancel; the owner has none.
    package var managePage: String?
    /// The reader has the event on a calendar that is connected: no file comes with it.
    package var onCalendar: Bool
    /// What this reader had been told before.
    package var previous: MailSnapshot?

    /// Takes each property as it is.
    package init(
        booking: Booking, reader: Reader, kind: MailKind, outboxID: String, messageID: String, threadID: String?, writtenAt: Instant,
        joinPage: String, calendarPage: String? = nil, managePage: String? = nil, onCalendar: Bool = false, previous: MailSnapshot? = nil
    ) {
        self.booking = booking
        self.reader = reader
        self.kind = kind
        self.outboxID = outboxID
        self.messageID = messageID
        self.threadID = threadID
        self.writtenAt = writtenAt
        self.joinPage = joinPage
        self.calendarPage = calendarPage
        self.managePage = managePage
        self.onCalendar = onCalendar
        self.previous = previous
    }

    /// Who reads it.
    package var recipient: Mailbox {
        switch reader {
        case .owner: Mailbox(name: booking.terms.owner.name, address: booking.terms.owner.email)
        case .attendee(let index): Mailbox(name: booking.attendees[index].name, address: booking.attendees[index].email)
        }
    }
    /// The reader's zone, an IANA name.
    package var timeZone: String {
        switch reader {
        case .owner: booking.terms.owner.timeZone
        case .attendee(let index): booking.attendees[index].timeZone
        }
    }
    /// The reader's language, a tag.
    package var language: String {
        switch reader {
        case .owner: booking.terms.owner.language
        case .attendee(let index): booking.attendees[index].language
        }
    }
    /// Whom an answer reaches: the owner, or whom the meeting type names, or the attendees where the owner reads.
    package var replyTo: [Mailbox] {
        reader == .owner
            ? booking.attendees.map { Mailbox(name: $0.name, address: $0.email) }
            : [booking.terms.type.replyTo ?? Mailbox(name: booking.terms.owner.name, address: booking.terms.owner.email)]
    }
    /// What opens the room: its own address, or the join page where that alone lets people in.
    package var entrance: String? { opensOnJoin ? joinPage : room.map { $0.needsEntry ? joinPage : $0.joinURL } }
    /// As calendars show it, which others may read: the room itself, or what lets nobody in as the reader.
    package var calendarEntrance: String? {
        guard let calendarPage else { return entrance }
        return opensOnJoin ? calendarPage : room?.joinURL
    }
    /// The room, unless the meeting is off, or its room is made on the click.
    package var room: Room? { kind == .cancellation || opensOnJoin ? nil : booking.meeting.room }
    /// The room is made when somebody presses Join on the join page.
    package var opensOnJoin: Bool { kind != .cancellation && booking.terms.type.provision == .onJoin }
}
