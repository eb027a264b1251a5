extension MeetingType.Provision: JSONChoice {}

extension SlotRules: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "SlotRules"
    /// Durations as the catalogue writes them.
    package static let fields: [JSONField<SlotRules>] = [
        .init("step", "null for the shortest duration.") { $0.step?.inWords },
        .init("notice", "The shortest time from booking to start.") { $0.notice == .zero ? "0m" : $0.notice.inWords },
        .init("horizonDays", "Whole days from today.") { Int64($0.horizon) }, .init("hold", "How long a time is held.") { $0.hold.inWords },
    ]
}

extension SlotLimits: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "SlotLimits"
    /// Meetings and their minutes; null for no limit.
    package static let fields: [JSONField<SlotLimits>] = [
        .init("day", "Meetings a day.") { $0.day.map(Int64.init) },
        .init("week", "Meetings a week, from Monday on.") { $0.week.map(Int64.init) },
        .init("month", "Meetings a month.") { $0.month.map(Int64.init) },
        .init("dayMinutes", "Minutes in meetings a day.") { $0.dayMinutes.map(Int64.init) },
        .init("weekMinutes", "Minutes in meetings a week.") { $0.weekMinutes.map(Int64.init) },
        .init("monthMinutes", "Minutes in meetings a month.") { $0.monthMinutes.map(Int64.init) },
    ]
}

extension Question.Kind: JSONChoice {}

extension Question: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Question"
    /// What is asked, and how it is answered.
    package static let fields: [JSONField<Question>] = [
        .init("id", "As answers name it.") { $0.id }, .init("ask", "What the guest is asked.") { $0.ask },
        .init("kind", "What an answer looks like.") { $0.kind },
        .init("required", "Whether an answer must be given.") { $0.isRequired },
        .init("choices", "The answers to choose from, where there are such.") { $0.choices },
    ]
}

extension MeetingType: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "MeetingType"
    /// What can be booked, durations as the catalogue writes them.
    package static let fields: [JSONField<MeetingType>] = [
        .init("id", "As meeting-types.yaml names it.") { $0.id }, .init("title", "With placeholders such as {owner.name}.") { $0.title },
        .init("description", "To read, with placeholders.") { $0.description },
        .init("durations", "How long it may last; the first unless another is asked for.") { $0.durations.map(\.inWords) },
        .init("provider", "A provider's name, or owner-default.") { $0.provider },
        .init("choices", "Providers that a booking may ask for.") { $0.choices },
        .init("fallback", "Providers that are tried in order where the room cannot be made.") { $0.fallback },
        .init("provision", "When the room is made.") { $0.provision },
        .init("calendar", "Whether the event stands on the owner's connected calendar.") { $0.calendar },
        .init("reminders", "How long before the start mails remind.") { $0.reminders.map(\.inWords) },
        .init("overlap", "Whether it may stand beside other bookings of the owner's that may.", .among("allow", "forbid")) {
            $0.overlapAllowed ? "allow" : "forbid"
        },
        .init("slots", "When it can be booked; null where whoever books decides.") { $0.slots },
        .init("questions", "What whoever books is asked; required ones bind every caller.") { $0.questions ?? [] },
        .init("page", "Where guests book: public, unlisted, or null.") { $0.page?.listing.rawValue },
        .init("hosts", "Owners who stand in for each other; null where a booking names its owner.") { $0.hosts?.map(\.owner) },
    ]
}
