/// The room of a booking as users see it: what state it is in, who holds it, how to get in.
public struct Meeting: Hashable, Sendable {
    /// How far the room has come.
    public enum Status: String, Sendable, CaseIterable {
        /// Being made, or waiting for a limit or an outage.
        case pending
        case ready
        /// Will be made when someone first presses Start or Join.
        case onJoin = "on-join"
        /// A person must act; then it resumes by itself.
        case blocked
        /// Only a retry or healing helps.
        case failed
        case cancelled
    }

    /// How far the room has come.
    public var status: Status
    /// The provider that holds the room or is to make it.
    public var provider: String
    /// The id of that provider's module.
    public var module: String
    /// The rule that named the provider.
    public var because: Because
    /// How to get in; `nil` while there is no room.
    public var room: Room?
    /// What is wrong and how to mend it; `nil` while nothing is.
    public var problem: Problem?

    /// Takes each property as it is.
    public init(
        status: Status, provider: String, module: String, because: Because, room: Room? = nil, problem: Problem? = nil
    ) {
        self.status = status
        self.provider = provider
        self.module = module
        self.because = because
        self.room = room
        self.problem = problem
    }
}

/// Which rule named the provider.
public enum Because: String, Sendable, Codable, CaseIterable {
    case request
    case meetingType = "meeting-type"
    case ownerDefault = "owner-default"
    case siteDefault = "site-default"
    case fallback
}

/// How to get into a room. It never holds the host's start link.
public struct Room: Hashable, Sendable, Codable {
    /// `https://…`; given by the provider, never put together from parts.
    public var joinURL: String
    /// As people read it out: digits at Zoom, a code elsewhere. Empty where the provider has none.
    public var meetingID: String
    /// `nil` where the room has none.
    public var passcode: String?
    /// Telephone numbers; empty where there are none.
    public var dialIn: [DialIn]
    /// The bare address lets nobody in: mail and pages lead through the join page, which makes what is needed on the click.
    public var needsEntry: Bool

    /// Takes each property as it is.
    public init(joinURL: String, meetingID: String, passcode: String? = nil, dialIn: [DialIn] = [], needsEntry: Bool = false) {
        self.needsEntry = needsEntry
        self.joinURL = joinURL
        self.meetingID = meetingID
        self.passcode = passcode
        self.dialIn = dialIn
    }
}

/// A telephone number that leads into the room.
public struct DialIn: Hashable, Sendable, Codable {
    /// ISO 3166-1 alpha-2, upper case.
    public var country: String
    /// `+49 30 901820`.
    public var number: String
    /// What is keyed in after the meeting id, if anything.
    public var pin: String?
    /// Whether the call is free.
    public var tollFree: Bool
    /// Where the number is at home, if the provider says so.
    public var city: String?
    /// The meeting id to key in, where the number is shared by many rooms.
    public var meetingID: String?

    /// Takes each property as it is.
    public init(
        country: String, number: String, pin: String? = nil, tollFree: Bool = false, city: String? = nil, meetingID: String? = nil
    ) {
        self.country = country
        self.number = number
        self.pin = pin
        self.tollFree = tollFree
        self.city = city
        self.meetingID = meetingID
    }

    /// A link that dials and keys everything in: `tel:+16465588656,,85746065432#,,,,*466548#`.
    /// Source of the form: the invitation example of Zoom's Meetings API,
    /// https://developers.zoom.us/docs/api/meetings/ ; without a meeting id the pin follows the number at once.
    public var tapToCall: String {
        var url = Array("tel:".utf8)
        url.reserveCapacity(64)
        // What no keypad has must not reach a link.
        func add(_ text: String, where isKey: (UInt8) -> Bool) {
            for byte in text.utf8 where isKey(byte) { url.append(byte) }
        }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        add(number) { isDigit($0) || $0 == UInt8(ascii: "+") }
        if let meetingID {
            url += ",,".utf8
            add(meetingID, where: isDigit)
            url.append(UInt8(ascii: "#"))
        }
        if let pin {
            url += (meetingID == nil ? ",," : ",,,,*").utf8
            add(pin) { isDigit($0) || $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "#") }
            url.append(UInt8(ascii: "#"))
        }
        return String(decoding: url, as: UTF8.self)
    }
}

extension Because: JSONChoice, JSONNamed {
    /// As generated clients know it.
    package static let schemaName = "Because"
    /// For descriptions.
    package static let about = "Which rule named the provider."
}

extension Meeting.Status: JSONChoice {}

extension DialIn: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "DialIn"
    /// The number, and what to type.
    package static let fields: [JSONField<DialIn>] = [
        .init("country", "ISO 3166-1 alpha-2.") { $0.country }, .init("number", "International, as it is dialled.") { $0.number },
        .init("pin", "Asked for after dialling; null where none is.") { $0.pin },
    ]
}
