/// One confirmed appointment, with the terms under which it was made.
public struct Booking: Hashable, Sendable {
    public enum Status: String, Sendable, CaseIterable { case confirmed, cancelled }

    public var id: String
    public var status: Status
    /// Raised by every change that readers are told of; an invitation's SEQUENCE is one less.
    public var revision: Int64
    public var start: Instant
    public var end: Instant
    /// IANA name: the zone in which the booking was made.
    public var timeZone: String
    public var attendees: [Attendee]
    public var note: String
    public var metadata: [String: String]
    public var source: String
    public var terms: Terms
    public var meeting: Meeting
    /// When this revision came about.
    public var changedAt: Instant
    public var createdAt: Instant

    public init(
        id: String, status: Status = .confirmed, revision: Int64 = 1, start: Instant, end: Instant, timeZone: String,
        attendees: [Attendee], note: String = "", metadata: [String: String] = [:], source: String = "", terms: Terms,
        meeting: Meeting, changedAt: Instant, createdAt: Instant
    ) {
        self.id = id
        self.status = status
        self.revision = revision
        self.start = start
        self.end = end
        self.timeZone = timeZone
        self.attendees = attendees
        self.note = note
        self.metadata = metadata
        self.source = source
        self.terms = terms
        self.meeting = meeting
        self.changedAt = changedAt
        self.createdAt = createdAt
    }
}

/// A person who is invited.
public struct Attendee: Hashable, Sendable, Codable {
    public var name: String
    public var email: String
    public var timeZone: String
    public var language: String

    public init(name: String, email: String, timeZone: String, language: String) {
        self.name = name
        self.email = email
        self.timeZone = timeZone
        self.language = language
    }
}

/// What was agreed when the booking was made. A later change of the catalogue does not touch it, and many bookings share one.
public struct Terms: Hashable, Sendable, Codable {
    public var type: MeetingType
    /// Name, address, zone and language of the owner at that time.
    public var owner: Owner
    public var site: Site
    /// The provider that resolution chose, then the fallbacks, in order.
    public var chain: [Link]
    public var because: Because

    public struct Link: Hashable, Sendable, Codable {
        public var provider: String
        public var module: String
        public init(provider: String, module: String) {
            self.provider = provider
            self.module = module
        }
    }

    public init(type: MeetingType, owner: Owner, site: Site, chain: [Link], because: Because) {
        self.type = type
        self.owner = owner
        self.site = site
        self.chain = chain
        self.because = because
    }
}

extension Booking {
    /// The meeting's title in the reader's eyes, placeholders filled.
    public var title: String { filled(terms.type.title) }
    public var description: String { filled(terms.type.description) }
    public var intro: String { filled(terms.type.intro) }
    public var duration: Duration { end - start }

    private func filled(_ text: String) -> String {
        Placeholders.fill(text) { name in
            switch name {
            case "owner.name": terms.owner.name
            case "attendee.name": attendees.first?.name ?? ""
            case "site.name": terms.site.name
            case "duration": duration.inWords
            default: nil
            }
        }
    }

    /// Whether a room is wanted at the provider now.
    public var wantsRoom: Bool { status == .confirmed && meeting.status != .onJoin }
}

/// A person who reads about a booking, by role and place.
public enum Reader: Hashable, Sendable {
    case owner
    case attendee(Int)

    public init?(_ text: String) {
        if text == "owner" { self = .owner } else if let index = Int(text), index >= 0 { self = .attendee(index) } else { return nil }
    }
    /// `owner`, or the attendee's place in the list.
    public var text: String {
        switch self {
        case .owner: "owner"
        case .attendee(let index): String(index)
        }
    }
}

extension Reader {
    /// For timelines: `the owner`, `attendee 1`.
    public var role: String {
        switch self {
        case .owner: "the owner"
        case .attendee(let index): "attendee \(index + 1)"
        }
    }
}

extension Booking {
    public var readers: [Reader] { attendees.indices.map(Reader.attendee) + [.owner] }
}
