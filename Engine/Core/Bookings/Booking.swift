/// One confirmed appointment, with the terms under which it was made.
public struct Booking: Hashable, Sendable {
    /// Whether it takes place.
    public enum Status: String, Sendable, CaseIterable { case confirmed, cancelled }

    /// `bk_…`: unique, sortable by the time of its making.
    public var id: String
    /// Whether it takes place.
    public var status: Status
    /// Raised by every change that readers are told of; an invitation's SEQUENCE is one less.
    public var revision: Int64
    /// When the meeting begins.
    public var start: Instant
    /// When the meeting ends; later than ``start``.
    public var end: Instant
    /// IANA name: the zone in which the booking was made.
    public var timeZone: String
    /// Who is invited, at least one, in the order of the request.
    public var attendees: [Attendee]
    /// What the caller said beside.
    public var details: BookingDetails
    /// What was agreed when it was made.
    public var terms: Terms
    /// The room, and how far it has come.
    public var meeting: Meeting
    /// When this revision came about.
    public var changedAt: Instant
    /// When it was made.
    public var createdAt: Instant
    /// What its readers' links are derived from, sealed; empty for one whose links were drawn one by one.
    package var linkSecret = ""
    /// Why the owner hosts it.
    package var ownerBecause = OwnerBecause.requested

    /// The trace of the call that made it, where it named one.
    package var trace: TraceContext?

    /// Takes each property as it is.
    public init(
        id: String, status: Status = .confirmed, revision: Int64 = 1, start: Instant, end: Instant, timeZone: String,
        attendees: [Attendee], details: BookingDetails = BookingDetails(), terms: Terms, meeting: Meeting, changedAt: Instant,
        createdAt: Instant
    ) {
        self.id = id
        self.status = status
        self.revision = revision
        self.start = start
        self.end = end
        self.timeZone = timeZone
        self.attendees = attendees
        self.details = details
        self.terms = terms
        self.meeting = meeting
        self.changedAt = changedAt
        self.createdAt = createdAt
    }
}

/// Why an owner hosts a booking.
package enum OwnerBecause: String, Sendable, JSONChoice {
    /// The caller named them.
    case requested
    /// It was their turn among the hosts of the meeting type.
    case pool
}

/// A person who is invited.
public struct Attendee: Hashable, Sendable, Codable {
    /// As it is written in mails.
    public var name: String
    /// The address, with its domain in ASCII.
    public var email: String
    /// IANA name: the zone that times are shown in.
    public var timeZone: String
    /// A tag of ``Language/all``.
    public var language: String

    /// Takes each property as it is.
    public init(name: String, email: String, timeZone: String, language: String) {
        self.name = name
        self.email = email
        self.timeZone = timeZone
        self.language = language
    }
}

/// What was agreed when the booking was made. A later change of the catalogue does not touch it, and many bookings share one.
public struct Terms: Hashable, Sendable, Codable {
    /// The meeting type as it stood then.
    public var type: MeetingType
    /// Name, address, zone and language of the owner at that time.
    public var owner: Owner
    /// The site as it stood then.
    public var site: Site
    /// The provider that resolution chose, then the fallbacks, in order.
    public var chain: [Link]
    /// The rule that chose the first provider of ``chain``.
    public var because: Because

    /// A provider that may make the room.
    public struct Link: Hashable, Sendable, Codable {
        /// Its name in `meeting-types.yaml`.
        public var provider: String
        /// The id of its module.
        public var module: String
        /// What people read; `nil` where that is its name.
        public var title: String?
        /// Takes each property as it is.
        public init(provider: String, module: String, title: String? = nil) {
            self.provider = provider
            self.module = module
            self.title = title
        }
    }

    /// What people read of a provider.
    public func title(of provider: String) -> String { chain.first { $0.provider == provider }?.title ?? provider }
    /// What people read of a provider now; as it was agreed where the catalogue has it no more.
    package func title(of provider: String, in catalog: Catalog) -> String { catalog.provider(provider)?.title ?? title(of: provider) }

    /// The sender of its mails.
    public var from: Mailbox { type.from ?? site.from }

    /// Takes each property as it is.
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
    /// The same in a reader's language.
    package func title(in language: String) -> String { filled(terms.type.spoken(in: language).title) }
    /// The type's description, placeholders filled.
    public var description: String { filled(terms.type.description) }
    /// The type's words for the top of mails, placeholders filled.
    public var intro: String { filled(terms.type.intro) }
    /// From start to end.
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

    /// Reads what ``text`` writes; `nil` for anything else.
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
    /// Everyone who is told about the booking: the attendees, then the owner.
    public var readers: [Reader] { attendees.indices.map(Reader.attendee) + [.owner] }
}

extension Booking.Status: JSONChoice {}

extension Attendee: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Attendee"
    /// The person, and how times are shown to them.
    package static let fields: [JSONField<Attendee>] = [
        .init("name", "As mails address them.") { $0.name }, .init("email", "Where the mail goes.") { $0.email },
        .init("timeZone", "The zone of the times in their mails, an IANA name.") { $0.timeZone },
        .init("language", "The language of their mails.") { $0.language },
    ]
}
