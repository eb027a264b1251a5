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
        let parts = Self.parts(text)
        let text = Self.inItsOwnZone(text, parts, start)
        let rule = icalrecurrencetype_from_string(text)
        guard rule.freq != ICAL_NO_RECURRENCE, rule.freq.rawValue >= ICAL_DAILY_RECURRENCE.rawValue else {
            throw CalendarUnreadable("a rule cannot be followed: \(text.prefix(80))")
        }
        self.rule = rule
        self.start = start
        first = Self.firstOfWeek(parts, start.wall, rule)
        mayBeginLater = parts["COUNT"] == nil && rule.interval == 1
    }

    private static func parts(_ text: String) -> [String: String] {
        Dictionary(
            text.split(separator: ";").compactMap { part in
                let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
                return pair.count == 2 ? (pair[0].uppercased(), pair[1]) : nil
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Its end as the event's own clock shows it; and what libical leaves out, the months of days of a year.
    private static func inItsOwnZone(_ text: String, _ parts: [String: String], _ start: EventTime) -> String {
        var text = text
        if let until = parts["UNTIL"], let end = EventTime(until, zone: start.zone) {
            let last = until.hasSuffix("Z") && !start.isDate ? start.zone.wall(end.instant) : end.wall
            let digits = last.text.filter(\.isNumber)
            // A date as the end of a series with times: that day is its last.
            let local =
                start.isDate ? String(digits.prefix(8)) : "\(digits.prefix(8))T" + (end.isDate ? "235959" : String(digits.suffix(6)))
            text = text.replacing("UNTIL=\(until)", with: "UNTIL=\(local)")
        }
        if parts["FREQ"] == "YEARLY", parts["BYMONTHDAY"] != nil, Set(parts.keys).isDisjoint(with: ["BYMONTH", "BYWEEKNO", "BYYEARDAY"]) {
            text += ";BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12"
        }
        return text
    }

    /// Of every second week, or rarer, with one day that is still to come in the first: that day. libical would begin a week late where
    /// it is a Sunday.
    private static func firstOfWeek(_ parts: [String: String], _ start: WallTime, _ rule: icalrecurrencetype) -> WallTime {
        let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        guard parts["FREQ"] == "WEEKLY", rule.interval > 1, let day = days.firstIndex(of: parts["BYDAY"] ?? ""),
            let weekStart = days.firstIndex(of: parts["WKST"] ?? "MO")
        else { return start }
        let place = (CalendarDate(start).weekday - 1 - weekStart + 7) % 7
        let wait = (day - weekStart + 7) % 7 - place
        return wait > 0 ? WallTime(start.asUTC + .days(Int64(wait)), offsetSeconds: 0) : start
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
