import UsherCore

/// The JSON Schema (2020-12) of `meeting-types.yaml`, for editors. It describes every key, and refuses what ``CatalogReader`` refuses
/// wherever a schema can: not where a value must fit another one in the file. Provider settings come from the modules' descriptors.
package enum CatalogSchema {
    package static func json(_ registry: ProviderRegistry) -> JSON {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Usher's meeting-types.yaml", "type": "object",
            "additionalProperties": false, "required": ["version", "site", "providers", "meeting-types"],
            "properties": [
                "version": key(["const": 1], "The version of this format: 1."),
                "site": key(site, "Who invites, and what holds where nothing else is said."),
                "providers": key(providers(registry), "Where meetings can be held: a name of your own for each, and its module."),
                "schedules": key(SlotSchema.schedules, "Weekly hours, to be shared by owners and meeting types: a name for each."),
                "owners": key(owners, "The people with whom meetings are held, by id."),
                "meeting-types": key(meetingTypes, "What can be booked, by id."),
            ], "$defs": definitions,
        ]
    }

    private static var definitions: JSON {
        let marks = Placeholders.known.map { $0.replacing(".", with: "\\.") }.joined(separator: "|")
        let prose = "^([^{}]|\\{(\(marks))\\})*$"
        return [
            "id": ["pattern": "^[a-z0-9][a-z0-9-]{0,63}$"],
            "text": [
                "type": "string", "minLength": 1, "maxLength": 200,
                "pattern": "^[^\\u0000-\\u001f\\u007f]*[^\\s\\u0000-\\u001f\\u007f][^\\u0000-\\u001f\\u007f]*$",
            ],
            "marked": ["type": "string", "pattern": .string(prose)], "long": ["type": "string", "minLength": 1, "maxLength": 2000],
            "mail": ["type": "string", "pattern": "^[^@\\s<>\"]+@[^@\\s<>\"]+$"],
            "duration": ["type": "string", "pattern": "^([0-9]+[dhms])+$|^P(?=.)([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$"],
            // Whole minutes, from one to a day.
            "length": [
                "type": "string",
                "pattern":
                    "^(?=.*[1-9])(1d|(1?[0-9]|2[0-3])h([0-9]{1,3}m)?|24h|([0-9]{1,3}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m|[0-9]+s|P1D|PT[0-9HMS]+)$",
            ],
            "language": String.schema.described("", Language.rules),
            "zone": ["type": "string", "pattern": "^(?!Etc/GMT)(UTC|GMT|[A-Z][A-Za-z]+(/[A-Za-z0-9_+-]+)+)$"],
            "provider": ["allOf": [ref("text"), ref("id")]], "toggle": ["enum": ["inherit", true, false]],
            "names": ["type": "array", "items": ref("id"), "uniqueItems": true],
        ]
    }

    // MARK: Words of the schema

    static func ref(_ name: String) -> JSON { ["$ref": .string("#/$defs/\(name)")] }

    /// A key with what it means, and what holds where it is not written.
    static func key(_ schema: JSON, _ detail: String, default value: JSON? = nil) -> JSON {
        .object(
            (schema.members ?? []) + [JSON.Member("description", .string(detail))] + (value.map { [JSON.Member("default", $0)] } ?? []))
    }

    static func object(_ properties: JSON, required: [String] = []) -> JSON {
        ["type": "object", "additionalProperties": false, "required": .array(required.map(JSON.string)), "properties": properties]
    }

    static func map(_ value: JSON, atLeastOne: Bool = true) -> JSON {
        ["type": "object", "propertyNames": ref("id"), "minProperties": atLeastOne ? 1 : 0, "additionalProperties": value]
    }

    /// Once, or by language.
    private static func spoken(_ text: JSON) -> JSON {
        ["anyOf": [text, ["type": "object", "propertyNames": ref("language"), "minProperties": 1, "additionalProperties": text]]]
    }

    private static func both(_ schemas: JSON...) -> JSON { ["allOf": .array(schemas)] }

    // MARK: The parts

    private static let mailbox: JSON = [
        "type": "string", "pattern": "^\\s*([^<>@]*<[^@\\s<>]+@[^@\\s<>]+>|[^@\\s<>]+@[^@\\s<>]+)\\s*$",
    ]

    private static var retention: JSON {
        let age: JSON = ["type": "string", "pattern": "^([0-9]{1,3}y|[0-9]+d.*|P.*)$"]
        return object([
            "bookings": key(age, "After a meeting's end: names, addresses, notes and answers are blanked."),
            "audit": key(age, "Lines of the audit."),
            "mail-texts": key(age, "What mail systems said, and letters to owners."),
            "forms": key(age, "Forms of booking pages.", default: "30d"),
        ])
    }

    private static var site: JSON {
        let page: JSON = ["type": "string", "pattern": "^https://"]
        let color: JSON = ["type": "string", "pattern": "^#[0-9a-fA-F]{6}$"]
        return object(
            [
                "name": key(ref("text"), "The name that mails and pages bear."),
                "from": key(mailbox, "The sender of all mail: \"Northwind Clinic <bookings@northwind.example>\"."),
                "time-zone": key(ref("zone"), "The IANA name of the zone of owners and guests who have none: Europe/Berlin."),
                "language": key(ref("language"), "The language of owners and guests who have none.", default: "en"),
                "default-provider": key(ref("provider"), "The last link of the provider chain."),
                "color": key(color, "The colour of buttons in mails.", default: "#0b6e4f"),
                "logo": key(ref("text"), "A picture for the head of mails: a path beside this file."),
                "templates": key(ref("text"), "A folder with mail templates of your own, beside this file."),
                "embed-origins": key(
                    [
                        "type": "array", "uniqueItems": true,
                        "items": [
                            "type": "string",
                            "pattern": "^(https://[a-zA-Z0-9.-]+(:[0-9]{1,5})?|http://(localhost|127\\.0\\.0\\.1)(:[0-9]{1,5})?)$",
                        ],
                    ], "Sites whose pages may show booking pages: [\"https://northwind.example\"]."),
                "privacy": key(page, "The address of your page about privacy, which pages and mails lead to."),
                "terms": key(page, "The same of your terms of use."),
                "security": key(
                    ["type": "string", "pattern": "^(https://|mailto:)"],
                    "How to report a hole, for /.well-known/security.txt: mailto:security@northwind.example, or a page."),
                "retention": key(retention, "For how long what is personal is kept: 365d, 2y. What is not written is kept."),
                "busy": key(SlotSchema.busy, "What holds while owners' calendars cannot be read."),
            ], required: ["name", "from", "time-zone", "default-provider"])
    }

    private static var owners: JSON {
        map(
            object(
                [
                    "name": key(ref("text"), "As guests read it."),
                    "email": key(ref("mail"), "Where this owner is told of bookings and problems."),
                    "time-zone": key(ref("zone"), "The zone in which this owner reads times; the site's where it is not written."),
                    "language": key(ref("language"), "The owner's language; the site's where it is not written."),
                    "default-provider": key(ref("provider"), "For types with `provider: owner-default`, until the owner chooses another."),
                    "hosts": key(
                        ["type": "object", "propertyNames": ref("id"), "additionalProperties": ref("mail")],
                        "By provider, the address of this owner's account there, where it is not `email`."),
                    "schedule": key(ref("id"), "The owner's hours: a name under `schedules`."),
                    "limits": key(SlotSchema.limits, "The most meetings of all types."),
                ], required: ["name", "email"]), atLeastOne: false)
    }

    private static var meetingTypes: JSON {
        let meeting = key(
            .object(
                (object([
                    "passcode": key(["enum": ["inherit", "generate", "none"]], "The room's passcode.", default: "inherit"),
                    "waiting-room": key(ref("toggle"), "Whether the host lets everybody in.", default: "inherit"),
                    "join-before-host": key(ref("toggle"), "Whether guests may begin without the host.", default: "inherit"),
                    "recording": key(
                        ["enum": ["inherit", "off", "local", "cloud"]], "Whether it is recorded by itself, and where.", default: "inherit"),
                    "summary": key(
                        ["enum": ["inherit", "off", "on"]], "Whether the service's assistant sums it up by itself.", default: "inherit"),
                    "alternative-hosts": key(
                        ["type": "array", "items": ref("mail"), "uniqueItems": true], "Others who may host: addresses of accounts there."),
                ]).members ?? []) + [JSON.Member("not", neitherToggle)]),
            "How the room behaves; `inherit` leaves it to the account's own settings.")
        let changes = object([
            "moves": key(["type": "integer", "minimum": 0, "maximum": 1000], "How often guests may move a booking in all.", default: 10),
            "notice": key(ref("duration"), "So long before the start moving ends.", default: "0m"),
        ])
        let email = object([
            "intro": key(spoken(both(ref("long"), ref("marked"))), "A text of your own at the head of confirmations."),
            "show-attendees": key(["type": "boolean"], "Whether guests read who else is invited.", default: false),
        ])
        let type = object(
            [
                "title": key(
                    spoken(both(ref("text"), ref("marked"))), "The title of mails and calendar entries, with marks such as {owner.name}."),
                "description": key(spoken(both(ref("long"), ref("marked"))), "What the meeting is about, for mails and calendars."),
                "duration": key(ref("length"), "How long it lasts: 30m, 1h30m, PT30M."),
                "durations": key(
                    ["type": "array", "items": ref("length"), "minItems": 1, "uniqueItems": true],
                    "Several to choose from; the first is usual."),
                "provider": key(ref("provider"), "A provider's name, or owner-default.", default: "owner-default"),
                "fallback": key(ref("names"), "Providers to try, in order, once the one before has refused for good."),
                "choices": key(
                    .object((ref("names").members ?? []) + [JSON.Member("minItems", 1)]), "The providers that a booking may ask for."),
                "provision": key(
                    ["enum": ["on-confirmation", "on-join"]], "When the room is made: at once, or when the first person presses Join.",
                    default: "on-confirmation"),
                "meeting": meeting, "calendar": key(["type": "boolean"], "Whether it is kept on the owner's calendar.", default: false),
                "reminders": key(
                    ["type": "array", "items": ref("duration"), "uniqueItems": true],
                    "How long before the start everyone is reminded by mail."),
                "overlap": key(["enum": ["forbid", "allow"]], "Whether bookings of one owner may overlap.", default: "forbid"),
                "on-drift": key(
                    ["enum": ["notify", "recreate"]], "What happens when the room is gone at the provider.", default: "notify"),
                "guests-may": key(
                    ["enum": .array(GuestsMay.allCases.map { .string($0.rawValue) })], "What guests may do through their own links.",
                    default: .string(GuestsMay.moveAndCancel.rawValue)),
                "slots": key(SlotSchema.slots, "When it can be booked; without it whoever books decides."),
                "page": key(
                    ["enum": ["public", "unlisted", "none"]],
                    "A page where guests book: listed at /book, by its address alone, or none. It needs `slots`.", default: "none"),
                "confirm-by-mail": key(
                    ["type": "boolean"], "Whether a guest of the page proves their address before they are booked.", default: true),
                "questions": key(
                    map(
                        object(
                            [
                                "ask": key(spoken(ref("text")), "The question, in a line."),
                                "kind": key(["enum": ["text", "choice", "checkbox"]], "What an answer is.", default: "text"),
                                "required": key(["type": "boolean"], "Whether nobody is booked without an answer.", default: false),
                                "choices": key(
                                    ["type": "array", "items": ref("text"), "minItems": 2, "uniqueItems": true], "Of `kind: choice`."),
                            ], required: ["ask"])), "What whoever books is asked, by the API too: a name for each."),
                "hosts": key(
                    SlotSchema.hosts, "Owners who stand in for each other, by weight or as a list; without it a booking names its owner."),
                "guest-changes": key(changes, "How often and how late guests may move a booking."), "email": key(email, "The mails."),
                "from": key(mailbox, "The sender of its mails, in place of the site's; the relay must let us send as it."),
                "reply-to": key(mailbox, "Where attendees' answers go, in place of the owner."),
            ], required: ["title"])
        let (one, several): (JSON, JSON) = (["required": ["duration"]], ["required": ["durations"]])
        return map(["allOf": [type], "oneOf": [one, several]])
    }

    /// A waiting room keeps everyone out until the host is there.
    private static var neitherToggle: JSON {
        [
            "required": ["waiting-room", "join-before-host"],
            "properties": ["waiting-room": ["const": true], "join-before-host": ["const": true]],
        ]
    }

    // MARK: Providers

    /// The key of a provider names its module unless `module:` does.
    private static func providers(_ registry: ProviderRegistry) -> JSON {
        let descriptors = registry.modules.map { $0.descriptor }
        let ids = descriptors.map { JSON.string($0.id) }
        let ofModule = descriptors.map { descriptor -> JSON in
            ["if": ["properties": ["module": ["const": .string(descriptor.id)]], "required": ["module"]], "then": entry(descriptor, ids)]
        }
        let named: JSON = [
            "type": "object", "required": ["module"], "properties": ["module": ["enum": .array(ids)]], "allOf": .array(ofModule),
        ]
        let own = descriptors.map { descriptor -> JSON.Member in
            let bare: JSON = ["anyOf": [["type": "null"], entry(descriptor, ids)]]
            let hasNeeds = descriptor.settings.contains { $0.isRequired }
            return JSON.Member(
                descriptor.id,
                key(
                    ["if": ["type": "object", "required": ["module"]], "then": named, "else": hasNeeds ? entry(descriptor, ids) : bare],
                    descriptor.name + "."))
        }
        return [
            "type": "object", "minProperties": 1, "propertyNames": ["allOf": [ref("id"), ["not": ["const": "owner-default"]]]],
            "properties": .object(own), "additionalProperties": named,
        ]
    }

    private static func entry(_ descriptor: ProviderDescriptor, _ ids: [JSON]) -> JSON {
        var properties = [
            JSON.Member("module", key(["enum": .array(ids)], "The module; the provider's own name where it is not written.")),
            JSON.Member("title", key(ref("text"), "What people read; \(descriptor.name) where it is not written.")),
            JSON.Member(
                "capacity",
                key(
                    ["type": "integer", "minimum": 1, "maximum": 1000],
                    "How many meetings one account holds at the same time, where slots are booked; "
                        + "\(descriptor.hostCapacity.map { "\($0)" } ?? "any number") where it is not written.")),
        ]
        if !(descriptor.credentials + descriptor.optionalCredentials).isEmpty {
            properties.append(
                JSON.Member(
                    "credentials",
                    key(
                        ["type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,63}$"], "How the names of its environment variables begin.",
                        default: .string(descriptor.credentialPrefix))))
        }
        properties += descriptor.settings.map { JSON.Member($0.key, schema($0)) }
        return object(.object(properties), required: descriptor.settings.filter { $0.isRequired }.map { $0.key })
    }

    private static func schema(_ setting: ProviderDescriptor.Setting) -> JSON {
        switch setting.kind {
        case .text: return key(ref("text"), setting.summary)
        case .urlTemplate(let marks):
            let inside = marks.isEmpty ? "" : "|\\{(\(marks.map { $0.replacing(".", with: "\\.") }.joined(separator: "|")))\\}"
            let pattern = "^https://[^/?#{}@\\s\"<>]+([/?#]([^\\s\"<>{}]\(inside))*)?$"
            return key(["type": "string", "maxLength": 500, "pattern": .string(pattern)], setting.summary)
        case .choice(let words): return key(["enum": .array(words.map(JSON.string))], setting.summary)
        case .dialIn:
            let number = object(
                [
                    "country": key(["type": "string", "pattern": "^[A-Z]{2}$"], "The country's two letters: DE."),
                    "number": key(
                        ["type": "string", "pattern": "^\\+[0-9][0-9 ()-]{4,30}$"], "The number as it is dialled from abroad, in quotes."),
                    "pin": key(
                        ["type": "string", "pattern": "^([0-9]{1,20}|\\{pin\\})$"], "Digits, or {pin} for one that each booking gets."),
                ], required: ["country", "number"])
            return key(["type": "array", "items": number], setting.summary)
        }
    }
}
