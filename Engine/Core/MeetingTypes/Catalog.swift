/// What an admin has configured: the content of `meeting-types.yaml`, checked and whole.
public struct Catalog: Hashable, Sendable {
    /// What holds for everything.
    public var site: Site
    /// By name, in the order of the file.
    public var providers: [ProviderEntry]
    /// The people who host, in the order of the file.
    public var owners: [Owner]
    /// The kinds of meetings, in the order of the file.
    public var meetingTypes: [MeetingType]
    /// Weekly hours, in the order of the file.
    public var schedules: [Schedule]
    /// What holds while owners' calendars cannot be read.
    public var busy: BusyRules
    /// The sites whose pages may show booking pages in a frame: `https://northwind.example`, without a slash at the end.
    public var embedOrigins: [String]
    /// For how long what is personal is kept.
    public var retention: Retention
    /// How to report a hole: an `https:` or `mailto:` URI; `nil` where nobody wants to hear.
    public var security: String? = nil

    private let providerIndex: [String: Int]
    private let typeIndex: [String: Int]

    /// Takes each property as it is. Of two with one name the first is found.
    public init(
        site: Site, providers: [ProviderEntry], owners: [Owner], meetingTypes: [MeetingType], schedules: [Schedule] = [],
        busy: BusyRules = .usual, embedOrigins: [String] = [], retention: Retention = Retention()
    ) {
        self.retention = retention
        self.site = site
        self.providers = providers
        self.owners = owners
        self.meetingTypes = meetingTypes
        self.schedules = schedules
        self.busy = busy
        self.embedOrigins = embedOrigins
        providerIndex = Dictionary(providers.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        typeIndex = Dictionary(meetingTypes.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The provider of that name.
    public func provider(_ name: String) -> ProviderEntry? { providerIndex[name].map { providers[$0] } }
    /// What people read of a provider; its name where it is not there any more.
    public func title(of provider: String) -> String { self.provider(provider)?.title ?? provider }
    /// The meeting type of that id.
    public func meetingType(_ id: String) -> MeetingType? { typeIndex[id].map { meetingTypes[$0] } }
    /// The schedule of that name.
    public func schedule(_ name: String) -> Schedule? { schedules.first { $0.name == name } }
}

/// Who sends the mail: name, addresses, defaults.
public struct Site: Hashable, Sendable, Codable {
    /// As mails and pages name it.
    public var name: String
    /// The sender of all mails.
    public var from: Mailbox
    /// IANA name.
    public var timeZone: String
    /// For readers without a language of their own: a tag of ``Language/all``.
    public var language: String
    /// The last link of the provider chain.
    public var defaultProvider: String
    /// `#rrggbb`.
    public var color: String
    /// Where a site has none of its own.
    public static let usherColor = "#0b6e4f"
    /// The path of a PNG file.
    public var logo: String?
    /// The path of a folder whose templates take the place of the built-in ones.
    public var templates: String?
    /// The address of a page about privacy, which pages and mails lead to.
    public var privacy: String?
    /// The same of the terms of use.
    public var terms: String?

    /// Takes each property as it is.
    public init(
        name: String, from: Mailbox, timeZone: String, language: String = "en", defaultProvider: String,
        color: String = Site.usherColor, logo: String? = nil, templates: String? = nil, privacy: String? = nil,
        terms: String? = nil
    ) {
        self.privacy = privacy
        self.terms = terms
        self.name = name
        self.from = from
        self.timeZone = timeZone
        self.language = language
        self.defaultProvider = defaultProvider
        self.color = color
        self.logo = logo
        self.templates = templates
    }
}

/// A provider module under a name of the admin's choosing, with its settings.
public struct ProviderEntry: Hashable, Sendable {
    /// As `meeting-types.yaml` names it.
    public var name: String
    /// The id of a module of the ``ProviderRegistry``.
    public var module: String
    /// What people read: by default the module's name, and this one's behind it where another bears the same, as in `Zoom (campus)`.
    public var title: String
    /// The prefix of its environment variables; the module's own when it is not given.
    public var credentials: String?
    /// The module's own settings, as the file writes them.
    public var settings: JSON
    /// How many meetings one account holds at the same time; `nil` for what the module says.
    public var capacity: Int?

    /// Takes each property as it is.
    /// - Parameter title: the name where it is not given.
    public init(
        name: String, module: String, title: String? = nil, credentials: String? = nil, settings: JSON = .object([]), capacity: Int? = nil
    ) {
        self.name = name
        self.module = module
        self.title = title ?? name
        self.credentials = credentials
        self.settings = settings
        self.capacity = capacity
    }
}

/// A kind of bookable meeting.
public struct MeetingType: Hashable, Sendable, Codable {
    /// When the room is made: at the booking, or when someone first joins.
    public enum Provision: String, Sendable, Codable, CaseIterable {
        case onConfirmation = "on-confirmation"
        case onJoin = "on-join"
    }
    /// What follows when the room was changed or deleted at the provider.
    public enum Drift: String, Sendable, Codable, CaseIterable { case notify, recreate }

    /// The value of `provider:` that leaves the choice to the owner.
    public static let ownerDefault = "owner-default"

    /// As requests name it.
    public var id: String
    /// May hold `{owner.name}` and the other placeholders of ``Placeholders``.
    public var title: String
    /// May hold placeholders; empty for none.
    public var description: String
    /// In minutes' precision; the first is the default.
    public var durations: [Duration]
    /// A provider's name, or ``ownerDefault``.
    public var provider: String
    /// Providers to try when the first has failed for good, in order.
    public var fallback: [String]
    /// When the room is made.
    public var provision: Provision
    /// How the room is to behave.
    public var meeting: MeetingOptions
    /// Whether the meeting stands on the owner's connected calendar.
    public var calendar: Bool
    /// How long before the start reminders go out.
    public var reminders: [Duration]
    /// Whether the owner may be in other meetings at the same time.
    public var overlapAllowed: Bool
    /// What follows when the room was changed or deleted at the provider.
    public var onDrift: Drift
    /// The providers that a request may name; empty for none, or for any where ``provider`` is ``ownerDefault``.
    public var choices: [String]
    /// Stands at the top of mails; may hold placeholders.
    public var intro: String
    /// Whether attendees see each other in mails and invitations.
    public var showAttendees: Bool
    /// `nil` for the usual limits.
    public var guestChanges: GuestChanges?
    /// `nil` for ``GuestsMay/moveAndCancel``.
    public var guestsMay: GuestsMay?
    /// When it can be booked; `nil` leaves that to whoever books.
    public var slots: SlotRules?
    /// Who stands in for each other; `nil` where every booking names its owner.
    public var hosts: [PoolHost]?
    /// How guests book it on a page; `nil` for none.
    public var page: BookingPage?
    /// What whoever books is asked; `nil` for nothing.
    public var questions: [Question]?
    /// Its words in other languages than the site's, by tag; `nil` for none.
    public var translations: [String: TypeTexts]?
    /// The sender of its mails, and the organiser of its invitations; `nil` for the site's.
    public var from: Mailbox? = nil
    /// Where answers of attendees go; `nil` for the owner.
    public var replyTo: Mailbox? = nil

    /// Takes each property as it is.
    public init(
        id: String, title: String, description: String = "", durations: [Duration], provider: String = MeetingType.ownerDefault,
        fallback: [String] = [], provision: Provision = .onConfirmation, meeting: MeetingOptions = MeetingOptions(),
        calendar: Bool = false, reminders: [Duration] = [], overlapAllowed: Bool = false, onDrift: Drift = .notify,
        choices: [String] = [], intro: String = "", showAttendees: Bool = false, guestChanges: GuestChanges? = nil,
        guestsMay: GuestsMay? = nil, slots: SlotRules? = nil, hosts: [PoolHost]? = nil, page: BookingPage? = nil,
        questions: [Question]? = nil, translations: [String: TypeTexts]? = nil
    ) {
        self.id = id
        self.title = title
        self.description = description
        self.durations = durations
        self.provider = provider
        self.fallback = fallback
        self.provision = provision
        self.meeting = meeting
        self.calendar = calendar
        self.reminders = reminders
        self.overlapAllowed = overlapAllowed
        self.onDrift = onDrift
        self.choices = choices
        self.intro = intro
        self.showAttendees = showAttendees
        self.guestChanges = guestChanges
        self.guestsMay = guestsMay
        self.slots = slots
        self.hosts = hosts
        self.page = page
        self.questions = questions
        self.translations = translations
    }
}

/// An owner of a pool.
public struct PoolHost: Hashable, Sendable, Codable {
    /// The owner's id.
    public var owner: String
    /// Of two, the one of twice the weight gets twice the meetings.
    public var weight: Int

    /// Takes each property as it is.
    public init(owner: String, weight: Int = 1) {
        self.owner = owner
        self.weight = weight
    }
}

/// What guests may do to a booking through their own links.
public enum GuestsMay: String, Hashable, Sendable, Codable, CaseIterable {
    case moveAndCancel = "move-and-cancel"
    case cancel
    case nothing
}

/// How often and how late guests may move a booking through their own links; cancelling is always open.
public struct GuestChanges: Hashable, Sendable, Codable {
    /// All moves of a booking by its guests.
    public var moves: Int
    /// So long before the start moving ends.
    public var notice: Duration

    /// What holds where the type says nothing: 10 moves, until the start.
    public static let usual = GuestChanges()

    /// Takes each property as it is.
    public init(moves: Int = 10, notice: Duration = .zero) {
        self.moves = moves
        self.notice = notice
    }
}

/// How the room is to behave; `inherit` leaves each matter to the account's own settings.
public struct MeetingOptions: Hashable, Sendable, Codable {
    /// Whether a room has a passcode: as the account decides, always, or never.
    public enum Passcode: String, Sendable, Codable, CaseIterable { case inherit, generate, none }
    /// What is recorded by itself, and where: nothing, on the host's machine, or at the service.
    public enum Recording: String, Sendable, Codable, CaseIterable { case inherit, off, local, cloud }

    /// Whether a room has a passcode.
    public var passcode: Passcode
    /// `nil` inherits.
    public var waitingRoom: Bool?
    /// `nil` inherits.
    public var joinBeforeHost: Bool?
    /// Mail addresses of accounts at the provider.
    public var alternativeHosts: [String]
    /// Whether it is recorded by itself; `nil` inherits.
    public var recording: Recording?
    /// Whether the service's assistant sums it up by itself; `nil` inherits.
    public var summary: Bool?

    /// Takes each property as it is.
    public init(
        passcode: Passcode = .inherit, waitingRoom: Bool? = nil, joinBeforeHost: Bool? = nil, alternativeHosts: [String] = [],
        recording: Recording? = nil, summary: Bool? = nil
    ) {
        self.recording = recording
        self.summary = summary
        self.passcode = passcode
        self.waitingRoom = waitingRoom
        self.joinBeforeHost = joinBeforeHost
        self.alternativeHosts = alternativeHosts
    }
}
