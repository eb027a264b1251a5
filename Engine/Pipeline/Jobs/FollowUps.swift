import UsherCore
import UsherStore

/// Something that was written down and from which work follows.
enum Change {
    /// A booking was accepted.
    case bookingAccepted(Booking)
    /// A booking was moved or cancelled. Its owner may have been alerted of it before: that is decided anew.
    case bookingChanged(Booking, newest: RoomRecord?, alerts: [AlertSubject])
    /// Something happened to a booking's rooms, or a person asked for it: they are to be looked at now.
    case roomsTouched(Booking, newest: RoomRecord?)
    /// A room was made under a key of ours. Where every owner has an account of their own, `owner` says whose it is.
    case roomHeld(RoomRecord, owner: String?)
    /// Nothing more may be said of a booking before its room is there, or the wait for it is over.
    case mailDeferred(Booking)
    /// The mails that a booking's readers are owed were written; `isNew` where there were any.
    case mailsWritten(Booking, isNew: Bool)
    /// A reminder was dropped: the next one may still be to come.
    case reminderDropped(Booking)
    /// A mail is tried again that was refused.
    case mailRetried(OutboxMail, Booking)
    /// A booking's entry on its owner's calendar may not be as it should.
    case calendarEntryTouched(Booking)
    /// The owner must act, unless it mends itself in a moment.
    case ownerNeeded(AlertSubject)
    /// Somebody typed an address to sign in.
    case signInAsked(address: String)
    /// An owner is to get a sign-in link.
    case signInGranted(owner: String)
    /// An owner connected an account.
    case accountConnected(StoredConnection)
    /// A grant is of no use any more.
    case grantDiscarded(StoredRevocation, from: Instant)
    /// A calendar was connected that makes its owner busy.
    case calendarAdded(StoredCalendar)
    /// A calendar that a connection leads to counts, counts no longer, or was removed.
    case calendarChosen(StoredCalendar)
    /// A calendar may have changed: it is read at that time.
    case calendarTouched(StoredCalendar, readAt: Instant)
    /// A form of a booking page waits for its guest's proof.
    case pageFormTaken(StoredPageForm)
    /// A time is held.
    case timeHeld(StoredHold)
    /// An event for a webhook was written.
    case eventWritten(webhook: String, subject: String, start: Instant)
}

/// From trouble to alert: what mends itself meanwhile is never told, and ten bookings that wait for one connection are one mail.
private let alertDelay = Duration.seconds(15)
/// Services end grants that nobody uses for some months. Source: https://developers.zoom.us/docs/integrations/oauth/
let refreshInterval = Duration.days(30)
/// From the press until a test meeting takes itself away.
private let testLength = Duration.hours(1)
/// How often a host's rooms are looked through.
let sweepInterval = Duration.hours(6)

/// The jobs that follow from a change. Whoever writes a change down enqueues them in the same transaction.
func followUps(of change: Change, now: Instant) -> [ScheduledJob] {
    switch change {
    case .bookingAccepted(let booking):
        (booking.wantsRoom ? [provision(booking, nil, now)] : []) + [planMail(booking, now)]
            + (booking.isTest ? [ScheduledJob(.endTest(booking: booking.id), due: now + testLength)] : [])
    case .bookingChanged(let booking, let room, let alerts):
        calendar(booking, now) + alerts.map { alert($0, now) } + [provision(booking, room, now), planMail(booking, now)]
    case .roomsTouched(let booking, let room):
        [provision(booking, room, now)]
    case .roomHeld(let room, let owner):
        [ScheduledJob(.sweep(provider: room.provider, owner: owner, host: room.host), due: now + sweepInterval)]
    case .mailDeferred(let booking):
        [ScheduledJob(.planMail(booking: booking.id), due: booking.mailDeadline, start: booking.start)]
    case .mailsWritten(let booking, let isNew):
        reminder(booking, now) + (isNew ? calendar(booking, now) : [])
    case .reminderDropped(let booking):
        [ScheduledJob(.remind(booking: booking.id), due: now, start: booking.start)]
    case .mailRetried(let mail, let booking):
        [ScheduledJob(.deliver(mail: mail.id), due: now, start: booking.start)]
    case .calendarEntryTouched(let booking):
        calendar(booking, now)
    case .ownerNeeded(let subject):
        [alert(subject, now)]
    case .signInAsked(let address):
        [ScheduledJob(.mailSignInLink(address: address), due: now, service: Job.Kind.mailSignInLink.rawValue)]
    case .signInGranted(let owner):
        [alert(.signIn(owner: owner), now, after: .zero)]
    case .accountConnected(let connection): grant(connection, now)
    case .calendarAdded(let calendar):
        [read(calendar, now)] + watch(calendar, now)
    case .calendarChosen(let calendar):
        watch(calendar, now)
    case .calendarTouched(let calendar, let time):
        [read(calendar, time)]
    case .grantDiscarded(let revocation, let from):
        [ScheduledJob(.revokeGrant(revocation: revocation.id), due: from, service: revocation.provider)]
    case .pageFormTaken(let form):
        [ScheduledJob(.mailPageForm(id: form.id), due: now)]
    case .timeHeld(let hold):
        [ScheduledJob(.expireHold(hold: hold.id), due: hold.expiresAt, start: hold.start)]
    case .eventWritten(let webhook, let subject, let start):
        [ScheduledJob(.deliverWebhook(id: webhook, subject: subject), due: now, service: webhook, start: start)]
    }
}

private func provision(_ booking: Booking, _ room: RoomRecord?, _ now: Instant) -> ScheduledJob {
    ScheduledJob(.provision(booking: booking.id), due: now, service: booking.providerToAsk(room), start: booking.start)
}

/// At once where no room is waited for, or when the wait is over.
private func planMail(_ booking: Booking, _ now: Instant) -> ScheduledJob {
    ScheduledJob(.planMail(booking: booking.id), due: booking.wantsRoom ? booking.mailDeadline : now, start: booking.start)
}

private func calendar(_ booking: Booking, _ now: Instant) -> [ScheduledJob] {
    booking.terms.type.calendar ? [ScheduledJob(.syncCalendar(booking: booking.id), due: now, start: booking.start)] : []
}

private func read(_ calendar: StoredCalendar, _ time: Instant) -> ScheduledJob {
    ScheduledJob(.readCalendar(id: calendar.id), due: time, service: calendar.service)
}

private func watch(_ calendar: StoredCalendar, _ now: Instant) -> [ScheduledJob] {
    calendar.provider.isEmpty ? [] : [ScheduledJob(.watchCalendar(id: calendar.id), due: now, service: calendar.service)]
}

private func grant(_ connection: StoredConnection, _ now: Instant) -> [ScheduledJob] {
    [
        ScheduledJob(.refreshGrant(owner: connection.ownerID, provider: connection.provider), due: now + refreshInterval),
        ScheduledJob(
            .sweep(provider: connection.provider, owner: connection.ownerID, host: connection.account.id), due: now + sweepInterval),
        ScheduledJob(.findCalendars(owner: connection.ownerID, provider: connection.provider), due: now, service: connection.provider),
    ]
}

private func reminder(_ booking: Booking, _ now: Instant) -> [ScheduledJob] {
    booking.nextReminder(after: now).map { [ScheduledJob(.remind(booking: booking.id), due: $0, start: booking.start)] } ?? []
}

/// What needs a person comes before what is for a meeting.
private func alert(_ subject: AlertSubject, _ now: Instant, after wait: Duration = alertDelay) -> ScheduledJob {
    ScheduledJob(.alert(subject), due: now + wait, start: now)
}

extension StoredCalendar {
    /// Whom its reading asks: what hangs there holds up no other.
    var service: String { provider.isEmpty ? "\(kind) \(account.split(separator: "@").last ?? "")" : provider }
}

extension Booking {
    /// After this the mail leaves with the join page, room or no room: two minutes after the change, or five minutes before the start if
    /// that is sooner, but never less than ten seconds after the change.
    var mailDeadline: Instant { max(min(changedAt + .minutes(2), start - .minutes(5)), changedAt + .seconds(10)) }

    /// When the next reminder is due; `nil` where there is none.
    func nextReminder(after now: Instant) -> Instant? {
        guard status == .confirmed else { return nil }
        return terms.type.reminders.map { start - $0 }.filter { $0 > now }.min()
    }

    /// The provider that is most likely asked next: the newest room's, or else the first that was chosen.
    func providerToAsk(_ newest: RoomRecord?) -> String { newest?.provider ?? meeting.provider }
}
