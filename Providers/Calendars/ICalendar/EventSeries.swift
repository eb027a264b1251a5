import UsherCore

/// The events of one UID: one that may recur, and those that take the place of single occurrences.
struct EventSeries {
    private let masters: [CalendarEvent]
    private let overrides: [CalendarEvent]
    private let replaced: NamedOccurrences

    init(_ events: [CalendarEvent]) {
        masters = events.filter { $0.replaces == nil }
        overrides = events.filter { $0.replaces != nil }
        replaced = NamedOccurrences(overrides.compactMap(\.replaces))
    }

    /// When the owner is busy with it between two times.
    func busy(_ from: Instant, _ to: Instant, _ budget: inout ExpansionBudget) throws(CalendarUnreadable) -> [BusyEvent] {
        var busy: [BusyEvent] = []
        func add(_ start: EventTime, _ length: EventLength, _ event: CalendarEvent) {
            let (begin, end) = (start.instant, length.end(start))
            if !event.isFree, begin < end, end > from, begin < to { busy.append(BusyEvent(start: begin, end: end, uid: event.uid)) }
        }
        for event in masters {
            for (start, length) in try occurrences(event, from, to, &budget) {
                if replaced.contains(start) { continue }
                let (moved, changed, says) = later(start, length, event)
                add(moved, changed, says)
            }
        }
        for event in overrides { add(event.start, event.length, event) }
        return busy
    }

    /// The occurrences that may reach into the time asked for, before anything takes their place.
    private func occurrences(
        _ event: CalendarEvent, _ from: Instant, _ to: Instant, _ budget: inout ExpansionBudget
    ) throws(CalendarUnreadable) -> [(start: EventTime, length: EventLength)] {
        // One that was moved may begin up to a month from where its rule puts it.
        let longest = max(event.length.end(event.start) - event.start.instant, .zero)
        let (first, last) = (event.start.zone.wall(from - longest - shift), event.start.zone.wall(to + shift))
        var found: [(start: EventTime, length: EventLength)] = [(event.start, event.length)] + event.extra
        // What takes no time, or has ended, matters not, whatever its rule says.
        let mayMatter = !event.isFree || overrides.contains { $0.replacesLater }
        for rule in event.rules where mayMatter && RuleText(rule, from: event.start).mayReach(first) {
            let walls = try Recurrence(rule, from: event.start).occurrences(from: first, to: last, &budget)
            found += walls.map { (EventTime($0, like: event.start), event.length) }
        }
        let excluded = NamedOccurrences(event.excluded)
        var seen: Set<Instant> = []
        return found.filter { seen.insert($0.start.instant).inserted && !excluded.contains($0.start) }
    }

    private var shift: Duration { overrides.contains(where: \.replacesLater) ? .days(31) : .days(1) }

    /// As the last change to this and all that follow has it.
    private func later(
        _ start: EventTime, _ length: EventLength, _ event: CalendarEvent
    ) -> (EventTime, EventLength, CalendarEvent) {
        let changes = overrides.filter { change in change.replacesLater && change.replaces.map { $0.instant <= start.instant } ?? false }
        let last = changes.max { ($0.replaces?.instant ?? .epoch) < ($1.replaces?.instant ?? .epoch) }
        guard let last, let replaced = last.replaces else { return (start, length, event) }
        let moved = start.wall.asUTC + (last.start.wall.asUTC - replaced.wall.asUTC)
        return (EventTime(WallTime(moved, offsetSeconds: 0), like: last.start), last.length, last)
    }
}

/// Times that name occurrences of a series. Some programs write the date alone.
private struct NamedOccurrences {
    private let instants: Set<Instant>
    private let dates: Set<CalendarDate>

    init(_ times: [EventTime]) {
        instants = Set(times.filter { !$0.isDate }.map(\.instant))
        dates = Set(times.filter(\.isDate).map(\.date))
    }

    func contains(_ occurrence: EventTime) -> Bool {
        dates.contains(occurrence.date) || (!instants.isEmpty && instants.contains(occurrence.instant))
    }
}
