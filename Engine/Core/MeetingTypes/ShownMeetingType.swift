extension MeetingType.Provision: JSONChoice {}

extension MeetingType: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "MeetingType"
    /// What can be booked, durations as the catalogue writes them.
    package static let fields: [JSONField<MeetingType>] = [
        .init("id") { $0.id }, .init("title") { $0.title }, .init("description") { $0.description },
        .init("durations") { $0.durations.map(\.inWords) }, .init("provider") { $0.provider }, .init("choices") { $0.choices },
        .init("fallback") { $0.fallback }, .init("provision") { $0.provision }, .init("calendar") { $0.calendar },
        .init("reminders") { $0.reminders.map(\.inWords) },
        .init("overlap", "", .among("allow", "forbid")) { $0.overlapAllowed ? "allow" : "forbid" },
    ]
}
