import CLibICal
import UsherCore

/// One `VEVENT`, as far as it says when somebody is busy.
struct CalendarEvent {
    var uid: String
    var start: EventTime
    var length: EventLength
    /// `RRULE`
    var rules: [String]
    /// `RDATE`; a period brings a length of its own.
    var extra: [(start: EventTime, length: EventLength)]
    /// `EXDATE`
    var excluded: [EventTime]
    /// `RECURRENCE-ID`: which occurrence it takes the place of.
    var replaces: EventTime?
    /// It takes the place of all that follow, too (`RANGE=THISANDFUTURE`).
    var replacesLater: Bool
    /// Cancelled, transparent, or declined by its owner: it takes no time.
    var isFree: Bool

    /// - Parameters:
    ///   - addresses: of the owner, in lower case.
    ///   - transparentCounts: whether one that is marked as transparent takes time all the same.
    /// - Throws: ``CalendarUnreadable`` for times that cannot be read; `nil` for an event without a start, which takes no time.
    init?(
        _ component: OpaquePointer, _ zones: inout EventZones, addresses: [String], transparentCounts: Bool
    ) throws(CalendarUnreadable) {
        let properties = ComponentProperties(component)
        guard let begin = properties.first(ICAL_DTSTART_PROPERTY) else { return nil }
        uid = properties.first(ICAL_UID_PROPERTY)?.value ?? ""
        start = try Self.time(begin, &zones)
        let end = try properties.first(ICAL_DTEND_PROPERTY).map { property throws(CalendarUnreadable) in try Self.time(property, &zones) }
        if let end {
            length = EventLength(start, to: end)
        } else if let text = properties.first(ICAL_DURATION_PROPERTY)?.value {
            guard let read = EventLength(text) else { throw CalendarUnreadable("a duration cannot be read: \(text.prefix(40))") }
            length = read
        } else {
            length = EventLength(days: start.isDate ? 1 : 0)
        }
        rules = properties.all(ICAL_RRULE_PROPERTY).map(\.value)
        excluded = []
        extra = []
        for property in properties.all(ICAL_EXDATE_PROPERTY) {
            for part in property.value.split(separator: ",") { excluded.append(try Self.time(part, property, &zones)) }
        }
        for property in properties.all(ICAL_RDATE_PROPERTY) {
            for part in property.value.split(separator: ",") { extra.append(try Self.period(part, property, length, &zones)) }
        }
        let id = properties.first(ICAL_RECURRENCEID_PROPERTY)
        replaces = try id.map { property throws(CalendarUnreadable) in try Self.time(property, &zones) }
        replacesLater = id?.parameter("RANGE") == "THISANDFUTURE"
        isFree =
            properties.first(ICAL_STATUS_PROPERTY)?.value == "CANCELLED"
            || (!transparentCounts && properties.first(ICAL_TRANSP_PROPERTY)?.value == "TRANSPARENT")
            || properties.all(ICAL_ATTENDEE_PROPERTY).contains { attendee in
                attendee.parameter("PARTSTAT") == "DECLINED"
                    && addresses.contains(attendee.value.lowercased().replacing("mailto:", with: ""))
            }
    }

    private static func time(_ property: ComponentProperties.Property, _ zones: inout EventZones) throws(CalendarUnreadable) -> EventTime {
        try time(property.value, property, &zones)
    }

    private static func time(
        _ text: some StringProtocol, _ property: ComponentProperties.Property, _ zones: inout EventZones
    ) throws(CalendarUnreadable) -> EventTime {
        guard let time = EventTime(text, zone: zones.zone(property.parameter("TZID"))) else {
            throw CalendarUnreadable("a time cannot be read: \(text.prefix(40))")
        }
        return time
    }

    private static func period(
        _ text: Substring, _ property: ComponentProperties.Property, _ usual: EventLength, _ zones: inout EventZones
    ) throws(CalendarUnreadable) -> (start: EventTime, length: EventLength) {
        let parts = text.split(separator: "/", maxSplits: 1)
        let start = try time(parts.first ?? "", property, &zones)
        guard parts.count == 2 else { return (start, usual) }
        if let length = EventLength(String(parts[1])) { return (start, length) }
        return (start, EventLength(start, to: try time(parts[1], property, &zones)))
    }
}

/// The properties of a component, copied out of libical, whose texts live for a moment.
struct ComponentProperties {
    struct Property {
        var value: String
        fileprivate let pointer: OpaquePointer

        func parameter(_ name: String) -> String? {
            guard let text = icalproperty_get_parameter_as_string_r(pointer, name) else { return nil }
            defer { icalmemory_free_buffer(text) }
            return String(cString: text)
        }
    }
    private let component: OpaquePointer

    init(_ component: OpaquePointer) { self.component = component }

    func first(_ kind: icalproperty_kind) -> Property? { icalcomponent_get_first_property(component, kind).map(Self.property) }

    func all(_ kind: icalproperty_kind) -> [Property] {
        var found: [Property] = []
        var next = icalcomponent_get_first_property(component, kind)
        while let pointer = next {
            found.append(Self.property(pointer))
            next = icalcomponent_get_next_property(component, kind)
        }
        return found
    }

    /// The value of a property that is no standard one.
    func named(_ name: String) -> String? {
        all(ICAL_X_PROPERTY).first { icalproperty_get_x_name($0.pointer).map { String(cString: $0) } == name }?.value
    }

    private static func property(_ pointer: OpaquePointer) -> Property {
        guard let text = icalproperty_get_value_as_string_r(pointer) else { return Property(value: "", pointer: pointer) }
        defer { icalmemory_free_buffer(text) }
        return Property(value: String(cString: text), pointer: pointer)
    }
}
