import UsherCore
import UsherStore

/// How much is known of a calendar.
package enum CalendarState: String, Sendable, CaseIterable {
    /// It was heard of within the time that `site.busy` gives.
    case fresh
    /// It was not heard of for longer.
    case stale
    /// The last reading went wrong.
    case failing
    /// It was not read yet.
    case pending
}

extension CalendarState: JSONChoice {}

extension StoredCalendar {
    /// How much is known of it.
    package func state(_ rules: BusyRules, now: Instant) -> CalendarState {
        if problem != nil { return .failing }
        guard let asOf else { return .pending }
        return now - asOf > rules.maxAge ? .stale : .fresh
    }

    /// Whether it was not heard of for longer than counts, nor connected since.
    func isTooOld(_ rules: BusyRules, now: Instant) -> Bool { now - (asOf ?? createdAt) > rules.maxAge }
}

/// A calendar as programs see it.
package struct ShownCalendar: Sendable {
    package var calendar: StoredCalendar
    package var state: CalendarState

    /// As of now.
    package init(_ calendar: StoredCalendar, _ rules: BusyRules, now: Instant) {
        self.calendar = calendar
        state = calendar.state(rules, now: now)
    }
}

extension ShownCalendar: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "BusyCalendar"
    /// What is known of it; never its address or password.
    package static let fields: [JSONField<ShownCalendar>] = [
        .init("id", "Of the calendar here.") { $0.calendar.id },
        .init("kind", "ics, caldav, google, microsoft, or that of a plug-in.") { $0.calendar.kind },
        .init("name", "As its owner named it; may be empty.") { $0.calendar.name },
        .init("account", "The host, or the account's address.") { $0.calendar.account },
        .init("counts", "Whether it makes its owner busy.") { $0.calendar.counts },
        .init("state", "Whether what is known of it is fresh enough to count.") { $0.state },
        .init("asOf", "When it was last heard of; null where it was not read yet.") { $0.calendar.asOf },
        .init("problem", "What is wrong, and what to do; null where it was read the last time.") { $0.calendar.problem },
    ]
}

/// What the calendars of one owner are worth, for those who ask for slots.
package struct OwnerCalendars: Sendable {
    package var owner: String
    /// The worst of those that count.
    package var state: CalendarState
    /// The oldest of those that count.
    package var asOf: Instant?
}

extension OwnerCalendars: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "OwnerCalendars"
    /// Whose, how much is known, and since when.
    package static let fields: [JSONField<OwnerCalendars>] = [
        .init("owner", "The host's id.") { $0.owner }, .init("state", "The worst of the calendars that count.") { $0.state },
        .init("asOf", "Of the one that was not heard of for longest; null where one was never read.") { $0.asOf },
    ]
}

extension Tx {
    /// `nil` for an owner without calendars that count.
    func calendarSummary(of owner: String, _ rules: BusyRules, now: Instant) throws -> OwnerCalendars? {
        let counting = try calendars(of: owner).filter(\.counts)
        guard !counting.isEmpty else { return nil }
        let states = counting.map { $0.state(rules, now: now) }
        let worst = [CalendarState.pending, .failing, .stale].first(where: states.contains) ?? .fresh
        let times = counting.map(\.asOf)
        return OwnerCalendars(owner: owner, state: worst, asOf: times.contains(nil) ? nil : times.compactMap(\.self).min())
    }
}
