/// What a module is: the one source for catalogue findings, `usher providers`, the documents and the choice of conformance cases.
public struct ProviderDescriptor: Sendable {
    /// The module's id in `module:`.
    public var id: String
    /// As people call it: `Zoom`.
    public var name: String
    /// Whose account makes the rooms.
    public var connection: Connection
    /// What rooms of the module have and can do.
    public var capabilities: Set<Capability>
    /// How a create that got no clear answer is settled.
    public var creation: Creation
    /// What may stand beside `module:` in the file.
    public var settings: [Setting]
    /// Prefix of the environment variables where the file names none: `ZOOM_S2S`.
    public var credentialPrefix: String
    /// Names after the prefix, all required: `ACCOUNT_ID`.
    public var credentials: [String]
    /// Names after the prefix that may be set.
    public var optionalCredentials: [String]
    /// Whole names of variables that replace an address: `ZOOM_API_URL`. `https://…`, or `http://` on this machine, so that a module can
    /// be tried against a stand-in. All providers of the module share them.
    public var endpoints: [String]

    /// Whose account makes the rooms.
    public enum Connection: String, Sendable {
        /// Needs no account.
        case none
        /// One account for the whole site.
        case site
        /// Each owner connects their own.
        case owner
    }

    /// Something that rooms of a module have or can do.
    public enum Capability: String, Sendable, CaseIterable {
        /// Rooms can have one: six characters or more, of the service's making or the module's (``Environment/pick(_:from:)`` in
        /// `ProviderSupport`); none where ``MeetingOptions/passcode`` says so.
        case passcode
        case dialIn = "dial-in"
        case waitingRoom = "waiting-room"
        case joinBeforeHost = "join-before-host"
        case alternativeHosts = "alternative-hosts"
        /// Whether a meeting is recorded by itself at the service can be said for each.
        case recording
        /// The same on the host's own machine.
        case localRecording = "local-recording"
        /// Whether the service's assistant sums a meeting up can be said for each.
        case summary
        /// The room at the provider has a time, which a reschedule must change.
        case schedule
        /// The room has a host, an account at the provider.
        case host
    }

    /// How a module tells whether a create that got no clear answer made a room.
    public enum Creation: Sendable {
        /// The same key gives the same room: it is simply asked again.
        case repeatable
        /// ``Provider/find(_:host:_:)`` decides; an empty answer counts once this much time has passed
        /// since the attempt could last have been in flight.
        case lookup(settles: Duration)
    }

    /// One key of the module's settings.
    public struct Setting: Sendable {
        /// What a setting's value may be.
        public enum Kind: Sendable {
            case text
            /// `https://…`, with these marks allowed.
            case urlTemplate(marks: [String])
            case choice([String])
            /// A list of `{country, number, pin}`.
            case dialIn
        }
        /// As the file writes it, beside `module:`.
        public var key: String
        /// What its value may be.
        public var kind: Kind
        /// Whether the file must give it.
        public var isRequired: Bool
        /// For the schema and the reference: what it does, in a sentence.
        public var summary: String

        /// Takes each property as it is.
        public init(_ key: String, _ kind: Kind, required: Bool = false, _ summary: String) {
            self.key = key
            self.kind = kind
            isRequired = required
            self.summary = summary
        }
    }

    /// How many meetings one account holds at the same time, where `capacity:` says nothing; `nil` for any number.
    public var hostCapacity: Int?
    /// How often a day, from 00:00 UTC, the service lets rooms be made and moved for one account; `nil` for any number.
    public var hostDailyCalls: Int?

    /// Takes each property as it is.
    public init(
        id: String, name: String, connection: Connection, capabilities: Set<Capability>, creation: Creation,
        settings: [Setting] = [], credentialPrefix: String = "", credentials: [String] = [],
        optionalCredentials: [String] = [], endpoints: [String] = [], hostCapacity: Int? = nil,
        hostDailyCalls: Int? = nil
    ) {
        self.id = id
        self.name = name
        self.connection = connection
        self.capabilities = capabilities
        self.creation = creation
        self.settings = settings
        self.credentialPrefix = credentialPrefix
        self.credentials = credentials
        self.optionalCredentials = optionalCredentials
        self.endpoints = endpoints
        self.hostCapacity = hostCapacity
        self.hostDailyCalls = hostDailyCalls
    }
}
