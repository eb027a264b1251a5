import UsherCore

/// The JSON Schema (2020-12) of `meeting-types.yaml`, for editors. Provider settings come from the modules' own descriptors.
package enum CatalogSchema {
    package static func json(_ registry: ProviderRegistry) -> JSON {
        [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Usher's meeting-types.yaml", "type": "object",
            "additionalProperties": false, "required": ["version", "site", "providers", "meeting-types"],
            "properties": [
                "version": ["const": 1], "site": site, "providers": providers(registry), "owners": owners, "meeting-types": meetingTypes,
            ],
            "$defs": [
                "id": ["pattern": "^[a-z0-9][a-z0-9-]{0,63}$"], "text": ["type": "string", "maxLength": 200],
                "duration": [
                    "type": "string", "pattern": "^([0-9]+[dhms])+$|^P([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$",
                    "description": "90s, 15m, 1h30m, 1d, or ISO 8601: PT30M",
                ],
                "language": ["type": "string", "pattern": .string("^(\(Language.all.joined(separator: "|")))(-[A-Za-z]{2})?$")],
                "zone": ["type": "string", "description": "An IANA name: Europe/Berlin"],
                "toggle": ["enum": ["inherit", true, false], "default": "inherit"],
                "names": ["type": "array", "items": ["type": "string"], "uniqueItems": true],
            ],
        ]
    }

    private static func ref(_ name: String) -> JSON { ["$ref": .string("#/$defs/\(name)")] }

    private static func object(_ properties: JSON, required: [String] = []) -> JSON {
        ["type": "object", "additionalProperties": false, "required": .array(required.map(JSON.string)), "properties": properties]
    }

    private static func map(_ value: JSON, atLeastOne: Bool = true) -> JSON {
        ["type": "object", "propertyNames": ref("id"), "minProperties": atLeastOne ? 1 : 0, "additionalProperties": value]
    }

    private static var site: JSON {
        object(
            [
                "name": ref("text"), "from": ["type": "string", "description": "\"Northwind Clinic <bookings@northwind.example>\""],
                "time-zone": ref("zone"), "language": ref("language"),
                "default-provider": ["type": "string", "description": "The last link of the provider chain"],
                "color": ["type": "string", "pattern": "^#[0-9a-fA-F]{6}$"], "logo": ["type": "string"], "templates": ["type": "string"],
            ], required: ["name", "from", "time-zone", "default-provider"])
    }

    private static func providers(_ registry: ProviderRegistry) -> JSON {
        let ids = registry.modules.map { JSON.string($0.descriptor.id) }
        let module: JSON = ["enum": .array(ids)]
        let credentials: JSON = [
            "type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,63}$", "description": "The beginning of its environment variables",
        ]
        var properties = [JSON.Member("module", module), JSON.Member("credentials", credentials)]
        for setting in registry.modules.flatMap({ $0.descriptor.settings }) where !properties.contains(where: { $0.key == setting.key }) {
            properties.append(JSON.Member(setting.key, schema(setting)))
        }
        let nothing: JSON = ["type": "null"]
        return map(["anyOf": .array([nothing, object(.object(properties))])])
    }

    private static func schema(_ setting: ProviderDescriptor.Setting) -> JSON {
        switch setting.kind {
        case .text: ["type": "string", "description": .string(setting.summary)]
        case .urlTemplate: ["type": "string", "pattern": "^https://", "description": .string(setting.summary)]
        case .choice(let words): ["enum": .array(words.map(JSON.string)), "description": .string(setting.summary)]
        case .dialIn:
            [
                "type": "array", "description": .string(setting.summary),
                "items": object(
                    [
                        "country": ["type": "string", "pattern": "^[A-Z]{2}$"],
                        "number": ["type": "string", "pattern": "^\\+[0-9][0-9 ()-]+$"],
                        "pin": ["type": "string"],
                    ], required: ["country", "number"]),
            ]
        }
    }

    private static var owners: JSON {
        map(
            object(
                [
                    "name": ref("text"), "email": ["type": "string"], "time-zone": ref("zone"), "language": ref("language"),
                    "default-provider": ["type": "string"],
                    "hosts": ["type": "object", "additionalProperties": ["type": "string"]],
                ], required: ["name", "email"]), atLeastOne: false)
    }

    private static var meetingTypes: JSON {
        let meeting = object([
            "passcode": ["enum": ["inherit", "generate", "none"]], "waiting-room": ref("toggle"), "join-before-host": ref("toggle"),
            "alternative-hosts": ref("names"),
        ])
        let type = object(
            [
                "title": ref("text"), "description": ["type": "string", "maxLength": 2000], "duration": ref("duration"),
                "durations": ["type": "array", "items": ref("duration"), "minItems": 1, "uniqueItems": true],
                "provider": ["type": "string", "default": "owner-default"], "fallback": ref("names"),
                "provision": ["enum": ["on-confirmation", "on-join"]], "meeting": meeting, "calendar": ["type": "boolean"],
                "reminders": ["type": "array", "items": ref("duration")], "overlap": ["enum": ["forbid", "allow"]],
                "on-drift": ["enum": ["notify", "recreate"]], "choices": ref("names"),
                "email": object(["intro": ["type": "string", "maxLength": 2000], "show-attendees": ["type": "boolean"]]),
            ], required: ["title"])
        let one: JSON = ["required": ["duration"]]
        let several: JSON = ["required": ["durations"]]
        return map(["allOf": .array([type]), "oneOf": .array([one, several])])
    }
}
