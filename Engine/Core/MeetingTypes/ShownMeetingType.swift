extension MeetingType.Provision: JSONChoice {}

extension SlotRules: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "SlotRules"
    /// Durations as the catalogue writes them.
    package static let fields: [JSONField<SlotRules>] = [
        .init("step", "null for the shortest duration.") { $0.step?.inWords },
        .init("notice") { $0.notice == .zero ? "0m" : $0.notice.inWords },
        .init("horizonDays", "Whole days from today.") { Int64($0.horizon) }, .init("hold") { $0.hold.inWords },
    ]
}

extension SlotLimits: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "SlotLimits"
    /// Meetings and their minutes; null for no limit.
    package static let fields: [JSONField<SlotLimits>] = [
        .init("day") { $0.day.map(Int64.init) }, .init("week") { $0.week.map(Int64.init) }, .init("month") { $0.month.map(Int64.init) },
        .init("dayMinutes") { $0.dayMinutes.map(Int64.init) }, .init("weekMinutes") { $0.weekMinutes.map(Int64.init) },
        .init("monthMinutes") { $0.monthMinutes.map(Int64.init) },
    ]
}

extension Question.Kind: JSONChoice {}

extension Question: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Question"
    /// What is asked, and how it is answered.
    package static let fields: [JSONField<Question>] = [
        .init("id", "As answers name it.") { $0.id }, .init("ask") { $0.ask }, .init("kind") { $0.kind },
        .init("required") { $0.isRequired }, .init("choices") { $0.choices },
    ]
}

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
        .init("slots", "When it can be booked; null where whoever books decides.") { $0.slots },
        .init("questions", "What whoever books is asked; required ones bind every caller.") { $0.questions ?? [] },
        .init("page", "Where guests book: public, unlisted, or null.") { $0.page?.listing.rawValue },
        .init("hosts", "Owners who stand in for each other; null where a booking names its owner.") { $0.hosts?.map(\.owner) },
    ]
}
