import UsherCore

/// The parts of ``CatalogSchema`` that say when somebody is free.
enum SlotSchema {
    static var schedules: JSON {
        CatalogSchema.map(
            CatalogSchema.object(
                [
                    "time-zone": CatalogSchema.key(
                        CatalogSchema.ref("zone"), "The zone of these hours; each owner's own where it is not written."),
                    "weekly": CatalogSchema.key(
                        [
                            "type": "object", "propertyNames": ["pattern": .string("^\(day)(-\(day))?$")],
                            "additionalProperties": windows,
                        ], "Hours by day: `mon-thu: [\"09:00-12:30\", \"13:30-17:00\"]`, `sat: [\"22:00-02:00\"]`."),
                    "except": CatalogSchema.key(
                        [
                            "type": "object", "propertyNames": ["pattern": .string("^\(date)([.][.]\(date))?$")],
                            "additionalProperties": windows,
                        ], "Other hours of some dates, none with []: `2026-12-24: []`, `2026-12-27..2027-01-03: []`."),
                    "closed-by": CatalogSchema.key(
                        CatalogSchema.ref("text"), "A calendar file beside this one (.ics): its events close their days or times."),
                ], required: ["weekly"]), atLeastOne: false)
    }

    private static let day = "(mon|tue|wed|thu|fri|sat|sun)"
    private static let date = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
    private static let windows: JSON = [
        "type": "array", "uniqueItems": true,
        "items": ["type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"],
    ]

    static var busy: JSON {
        CatalogSchema.object([
            "max-age": CatalogSchema.key(
                CatalogSchema.ref("duration"), "A calendar that was heard of within this time counts as known.", default: "2h"),
            "when-stale": CatalogSchema.key(
                ["enum": ["closed", "open"]], "Whether an owner is offered whose calendar was not heard of for longer.",
                default: "closed"),
        ])
    }

    static var limits: JSON {
        func count(_ most: Int64, _ detail: String) -> JSON {
            CatalogSchema.key(["type": "integer", "minimum": 1, "maximum": .int(most)], detail)
        }
        return CatalogSchema.object([
            "day": count(1_000, "Meetings on a day of the host's zone."), "week": count(10_000, "Meetings in an ISO week."),
            "month": count(100_000, "Meetings in a month."), "day-minutes": count(1_440, "Minutes of meetings on a day."),
            "week-minutes": count(10_080, "Minutes in an ISO week."), "month-minutes": count(44_640, "Minutes in a month."),
        ])
    }

    static var slots: JSON {
        let duration: JSON = ["anyOf": [CatalogSchema.ref("duration"), ["const": "0"]]]
        return CatalogSchema.object([
            "schedule": CatalogSchema.key(
                CatalogSchema.ref("id"), "A name under `schedules`; with the host's own their intersection counts."),
            "step": CatalogSchema.key(
                CatalogSchema.ref("length"), "From one slot to the next; the shortest duration where it is not written."),
            "notice": CatalogSchema.key(duration, "From now to the earliest slot.", default: "0m"),
            "horizon": CatalogSchema.key(CatalogSchema.ref("duration"), "Whole days from today to the last slot.", default: "60d"),
            "buffer": CatalogSchema.key(
                CatalogSchema.object([
                    "before": CatalogSchema.key(duration, "Free time before the start.", default: "0m"),
                    "after": CatalogSchema.key(duration, "Free time after the end.", default: "0m"),
                ]), "Free time around each meeting; between two the larger counts."),
            "limits": CatalogSchema.key(limits, "The most meetings of this type that a host has."),
            "hold": CatalogSchema.key(
                CatalogSchema.ref("duration"), "How long a time is held while somebody decides, 1m to 1h.", default: "10m"),
        ])
    }

    static var hosts: JSON {
        [
            "anyOf": [
                ["type": "array", "items": CatalogSchema.ref("id"), "minItems": 1, "uniqueItems": true],
                [
                    "type": "object", "propertyNames": CatalogSchema.ref("id"), "minProperties": 1,
                    "additionalProperties": ["type": "integer", "minimum": 1, "maximum": 1000],
                ],
            ]
        ]
    }
}
