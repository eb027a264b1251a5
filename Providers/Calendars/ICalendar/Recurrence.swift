import CLibICal
import UsherCore

/// The times at which a rule lets an event recur (RFC 5545 §3.3.10), computed by libical on clocks without a zone: with one it would take
/// the second of two times that a change repeats.
/// Source: https://github.com/libical/libical, 3.0.16
struct Recurrence {
    private let rule: icalrecurrencetype
    private let start: EventTime
    /// Where libical is to begin.
    private let first: WallTime
    /// Whether it can be entered later than at its beginning: libical loses count where it is counted, or leaves out weeks.
    private let mayBeginLater: Bool

    /// - Parameter text: the value of `RRULE`.
    /// - Throws: ``CalendarUnreadable`` for rules that it does not follow: those finer than a day can take minutes for one step.
    init(_ text: String, from start: EventTime) throws(CalendarUnreadable) {
        let parts = RuleText(text, from: start)
        let followable = try parts.followable()
        let rule = icalrecurrencetype_from_string(followable)
        guard rule.freq != ICAL_NO_RECURRENCE, rule.freq.rawValue >= ICAL_DAILY_RECURRENCE.rawValue else {
            throw CalendarUnreadable("a rule cannot be followed: \(text.prefix(80))")
        }
        self.rule = rule
        self.start = start
        first = parts.firstOfWeek
        mayBeginLater = parts["COUNT"] == nil && rule.interval == 1
    }

    /// The occurrences that begin from `from` on and before `to`, on the event's own clock.
    func occurrences(from: WallTime, to: WallTime, _ budget: inout ExpansionBudget) throws(CalendarUnreadable) -> [WallTime] {
        var begin = first.icalTime
        if start.isDate { begin.is_date = 1 }
        guard let iterator = icalrecur_iterator_new(rule, begin) else { throw CalendarUnreadable("a rule has no times") }
        defer { icalrecur_iterator_free(iterator) }
        if mayBeginLater, from.asUTC > first.asUTC {
            begin = from.icalTime
            if start.isDate { begin.is_date = 1 }
            icalrecur_iterator_set_start(iterator, begin)
        }
        var found: [WallTime] = []
        while true {
            try budget.spend()
            let next = icalrecur_iterator_next(iterator)
            guard icaltime_is_null_time(next) == 0 else { return found }
            let wall = WallTime(next)
            guard wall.asUTC < to.asUTC else { return found }
            if wall.asUTC >= from.asUTC { found.append(wall) }
        }
    }
}

/// How much work a calendar may make: someone else wrote it.
struct ExpansionBudget {
    private var steps = 200_000
    private let end = ContinuousClock.now + .seconds(10)

    mutating func spend() throws(CalendarUnreadable) {
        steps -= 1
        guard steps > 0, ContinuousClock.now < end else { throw CalendarUnreadable("its rules take too long to follow") }
    }
}

/// A calendar that cannot be read, or not to its end: what it holds is not known.
struct CalendarUnreadable: Error, Hashable {
    /// What is wrong with it; never what an event is called.
    var reason: String
    init(_ reason: String) { self.reason = reason }
}
