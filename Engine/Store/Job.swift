import UsherCore

/// A piece of work that the database keeps until it is done. For each kind and key there is one row at most: a job that is enqueued
/// again moves to the earlier of the two times.
///
/// What a job is called, what identifies it and which queue it runs in is written here alone. Of a new case the compiler asks for its
/// key, its queue and its handler.
package enum Job: Hashable, Sendable {
    /// Makes the rooms at the providers fit the booking.
    case provision(booking: String)
    /// Writes the mails that the booking's readers are owed.
    case planMail(booking: String)
    /// Writes the reminders of the booking that are due.
    case remind(booking: String)
    /// Hands a mail of the outbox to the mail system.
    case deliver(mail: String)
    /// Makes the event on the owner's calendar fit the booking.
    case syncCalendar(booking: String)
    /// Mails the owner what needs them.
    case alert(AlertSubject)
    /// Mails a sign-in link to the owner of an address, if there is one.
    case mailSignInLink(address: String)
    /// Looks through a host's rooms for ones that should not be there; through the connection of `owner`, where the provider has those.
    case sweep(provider: String, owner: String?, host: String)
    /// Renews an owner's grant that nobody has used for long.
    case refreshGrant(owner: String, provider: String)
    /// Ends a grant at its service.
    case revokeGrant(revocation: String)
    /// Tells of a hold that ended, and forgets it later.
    case expireHold(hold: String)
    /// Reads when a calendar is busy.
    case readCalendar(id: String)
    /// Has a service tell of a calendar's changes, or tell no longer.
    case watchCalendar(id: String)
    /// Mails a guest the link that makes a booking of their form.
    case mailPageForm(id: String)
    /// Looks which calendars there are behind an account that an owner has connected.
    case findCalendars(owner: String, provider: String)
    /// Sends the events about one subject to one webhook, in their order.
    case deliverWebhook(id: String, subject: String)
    /// Takes a test meeting away that nobody has taken away.
    case endTest(booking: String)
    /// Blanks and deletes what is older than it may be.
    case prune

    /// The name of a job's kind, as rows, metrics and the admin's pages show it.
    package enum Kind: String, Sendable, CaseIterable {
        case provision
        case planMail = "notify"
        case remind
        case deliver
        case syncCalendar = "calendar"
        case alert = "notice"
        case mailSignInLink = "sign-in"
        case sweep
        case refreshGrant = "keepalive"
        case revokeGrant = "revoke"
        case deliverWebhook = "webhook"
        case expireHold = "hold"
        case readCalendar = "read-calendar"
        case watchCalendar = "watch-calendar"
        case findCalendars = "find-calendars"
        case mailPageForm = "page-form"
        case endTest = "end-test"
        case prune
    }

    /// What is to be done.
    package var kind: Kind {
        switch self {
        case .provision: .provision
        case .planMail: .planMail
        case .remind: .remind
        case .deliver: .deliver
        case .syncCalendar: .syncCalendar
        case .alert: .alert
        case .mailSignInLink: .mailSignInLink
        case .sweep: .sweep
        case .refreshGrant: .refreshGrant
        case .revokeGrant: .revokeGrant
        case .deliverWebhook: .deliverWebhook
        case .expireHold: .expireHold
        case .readCalendar: .readCalendar
        case .watchCalendar: .watchCalendar
        case .findCalendars: .findCalendars
        case .mailPageForm: .mailPageForm
        case .endTest: .endTest
        case .prune: .prune
        }
    }

    /// What it is to be done for: its parts, with a blank between them.
    package var key: String {
        switch self {
        case .provision(let id), .planMail(let id), .remind(let id), .deliver(let id), .syncCalendar(let id), .revokeGrant(let id),
            .expireHold(let id), .readCalendar(let id), .watchCalendar(let id), .mailPageForm(let id), .endTest(let id):
            id
        case .alert(let subject): subject.text
        case .prune: "all"
        case .mailSignInLink(let address): address
        case .sweep(let provider, let owner, let host): "\(provider) \(owner ?? "-") \(host)"
        case .refreshGrant(let owner, let provider), .findCalendars(let owner, let provider): "\(owner) \(provider)"
        case .deliverWebhook(let id, let subject): "\(id) \(subject)"
        }
    }

    /// The job that a row holds; `nil` where this Usher knows neither its kind nor the form of its key.
    package init?(_ id: JobID) {
        let key = id.key
        func parts(_ count: Int) -> [String]? {
            let parts = key.split(separator: " ", maxSplits: count - 1, omittingEmptySubsequences: false).map(String.init)
            return parts.count == count ? parts : nil
        }
        guard let kind = Kind(rawValue: id.kind) else { return nil }
        switch kind {
        case .provision: self = .provision(booking: key)
        case .planMail: self = .planMail(booking: key)
        case .remind: self = .remind(booking: key)
        case .deliver: self = .deliver(mail: key)
        case .syncCalendar: self = .syncCalendar(booking: key)
        case .mailSignInLink: self = .mailSignInLink(address: key)
        case .revokeGrant: self = .revokeGrant(revocation: key)
        case .expireHold: self = .expireHold(hold: key)
        case .readCalendar: self = .readCalendar(id: key)
        case .watchCalendar: self = .watchCalendar(id: key)
        case .mailPageForm: self = .mailPageForm(id: key)
        case .endTest: self = .endTest(booking: key)
        case .prune: self = .prune
        case .alert:
            guard let subject = AlertSubject(key) else { return nil }
            self = .alert(subject)
        case .sweep:
            guard let parts = parts(3) else { return nil }
            self = .sweep(provider: parts[0], owner: parts[1] == "-" ? nil : parts[1], host: parts[2])
        case .refreshGrant:
            guard let parts = parts(2) else { return nil }
            self = .refreshGrant(owner: parts[0], provider: parts[1])
        case .findCalendars:
            guard let parts = parts(2) else { return nil }
            self = .findCalendars(owner: parts[0], provider: parts[1])
        case .deliverWebhook:
            guard let parts = parts(2) else { return nil }
            self = .deliverWebhook(id: parts[0], subject: parts[1])
        }
    }

    /// What its row is found by.
    package var id: JobID { JobID(kind: kind.rawValue, key: key) }

    /// The queue that it runs in.
    package var queue: Queue {
        switch kind {
        case .planMail, .remind, .deliver, .alert, .mailSignInLink, .mailPageForm: .mail
        case .deliverWebhook, .expireHold, .endTest, .prune: .webhooks
        case .provision, .syncCalendar, .sweep, .refreshGrant, .revokeGrant: .rooms
        case .readCalendar, .watchCalendar, .findCalendars: .calendars
        }
    }
}

/// What a job's row is found by. It may be of a kind that only a newer Usher knows.
package struct JobID: Hashable, Sendable, CustomStringConvertible {
    /// See ``Job/Kind``.
    package var kind: String
    /// See ``Job/key``.
    package var key: String

    /// The id of any row, known to this Usher or not.
    package init(kind: String, key: String) {
        self.kind = kind
        self.key = key
    }

    package var description: String { "\(kind) \(key)" }
}

/// Jobs of one queue never wait for slots of another.
package enum Queue: Int64, Sendable, CaseIterable {
    /// Calls to video providers.
    case rooms = 0
    /// Mail, and the timers that have it written.
    case mail = 1
    /// Events to webhooks.
    case webhooks = 2
    /// Reading when owners are busy.
    case calendars = 3
}

/// A job with its time.
package struct ScheduledJob: Hashable, Sendable {
    /// What is to be done.
    package var job: Job
    /// It runs at this time, or as soon after it as there is a slot.
    package var due: Instant
    /// See ``Claim/service``.
    package var service: String
    /// See ``Claim/start``.
    package var start: Instant

    /// - Parameters:
    ///   - service: the provider or webhook that it asks, as far as that is known.
    ///   - start: of the meeting that it is for.
    package init(_ job: Job, due: Instant, service: String = "", start: Instant = .never) {
        self.job = job
        self.due = due
        self.service = service
        self.start = start
    }
}
