/// The person who hosts.
public struct Owner: Hashable, Sendable, Codable {
    /// As requests and the file name them.
    public var id: String
    /// As mails and invitations name them.
    public var name: String
    /// Where their mails go; attendees' replies, too.
    public var email: String
    /// IANA name.
    public var timeZone: String
    /// A tag of ``Language/all``.
    public var language: String
    /// A provider's name; `nil` leaves it to the site.
    public var defaultProvider: String?
    /// By provider's name: the address of the account there, where it is not ``email``.
    public var hosts: [String: String]
    /// The name of a schedule; `nil` for none.
    public var schedule: String?
    /// Over the meetings of all types; `nil` for none.
    public var limits: SlotLimits?

    /// Takes each property as it is.
    public init(
        id: String, name: String, email: String, timeZone: String, language: String, defaultProvider: String? = nil,
        hosts: [String: String] = [:], schedule: String? = nil, limits: SlotLimits? = nil
    ) {
        self.id = id
        self.name = name
        self.email = email
        self.timeZone = timeZone
        self.language = language
        self.defaultProvider = defaultProvider
        self.hosts = hosts
        self.schedule = schedule
        self.limits = limits
    }
}

/// An owner as the database holds them.
public struct StoredOwner: Hashable, Sendable {
    /// Who it is.
    public var owner: Owner
    /// Name, address, zone, language and hosts follow `meeting-types.yaml`.
    public var isInFile: Bool
    /// An owner taken out of the file takes no new bookings.
    public var isActive: Bool

    /// The default provider is the owner's own choice, "none" included, and the file does not overrule it.
    public var hasChosenDefault: Bool

    /// Takes each property as it is.
    public init(owner: Owner, isInFile: Bool, isActive: Bool, hasChosenDefault: Bool = false) {
        self.owner = owner
        self.hasChosenDefault = hasChosenDefault
        self.isInFile = isInFile
        self.isActive = isActive
    }
}
