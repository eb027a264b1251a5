import UsherCore

/// A rule (RFC 5545 §3.3.10) in words that libical 3.0 follows rightly. What it is known to get wrong is written otherwise where that is
/// possible, and else not followed: a calendar that cannot be read is better than a wrong time.
struct RuleText {
    private var parts: [String: String]
    private let start: EventTime

    private static let weeksWithinYears = 2...51
    private static let days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

    /// - Parameter text: the value of `RRULE`.
    init(_ text: String, from start: EventTime) {
        self.start = start
        parts = Dictionary(
            text.split(separator: ";").compactMap { part in
                let pair = part.split(separator: "=", maxSplits: 1).map { $0.uppercased() }
                return pair.count == 2 ? (pair[0], pair[1]) : nil
            }, uniquingKeysWith: { first, _ in first })
    }

    subscript(_ key: String) -> String? { parts[key] }
    /// As a number; 1 where there is none.
    var interval: Int { parts["INTERVAL"].flatMap { Int($0) } ?? 1 }

    /// The rule for libical.
    /// - Throws: for what libical would lead to wrong times.
    func followable() throws(CalendarUnreadable) -> String {
        var rule = self
        rule.endOnItsOwnClock()
        // Days have no hours.
        if start.isDate { for key in ["BYHOUR", "BYMINUTE", "BYSECOND"] { rule.parts[key] = nil } }
        rule.nameEachDayOnce()
        rule.nameMonths()
        try rule.mendWeeks()
        try rule.mendDays()
        return (["FREQ"] + rule.parts.keys.filter { $0 != "FREQ" }.sorted()).map { "\($0)=\(rule.parts[$0] ?? "")" }.joined(separator: ";")
    }

    /// Whether it may lead to occurrences at a time or later.
    func mayReach(_ wall: WallTime) -> Bool {
        guard let until = parts["UNTIL"], let end = EventTime(until, zone: start.zone) else { return true }
        // By a day more, in whichever zone it is written.
        return end.wall.asUTC + .days(2) > wall.asUTC
    }

    private func refusal() -> CalendarUnreadable {
        CalendarUnreadable("a rule cannot be followed: \(parts.map { "\($0)=\($1)" }.sorted().joined(separator: ";").prefix(80))")
    }

    /// Its end as the event's own clock shows it.
    private mutating func endOnItsOwnClock() {
        guard let until = parts["UNTIL"], let end = EventTime(until, zone: start.zone) else { return }
        let last = until.hasSuffix("Z") && !start.isDate ? start.zone.wall(end.instant) : end.wall
        let digits = last.text.filter(\.isNumber)
        // A date as the end of a series with times: that day is its last.
        parts["UNTIL"] =
            start.isDate ? String(digits.prefix(8)) : "\(digits.prefix(8))T" + (end.isDate ? "235959" : String(digits.suffix(6)))
    }

    /// libical counts a weekday twice that is named twice.
    private mutating func nameEachDayOnce() {
        guard let named = parts["BYDAY"]?.split(separator: ",") else { return }
        var seen: Set<Substring> = []
        parts["BYDAY"] = named.filter { seen.insert($0).inserted }.joined(separator: ",")
    }

    /// libical takes `BYMONTHDAY` in `YEARLY` for days of the start's month alone.
    private mutating func nameMonths() {
        guard parts["FREQ"] == "YEARLY", parts["BYMONTHDAY"] != nil, Set(parts.keys).isDisjoint(with: ["BYMONTH", "BYWEEKNO", "BYYEARDAY"])
        else { return }
        parts["BYMONTH"] = "1,2,3,4,5,6,7,8,9,10,11,12"
    }

    /// libical takes a wrong weekday for `BYWEEKNO` without `BYDAY`, wrong years for weeks that may reach into another year and for
    /// `INTERVAL`, and ignores `BYSETPOS` in `WEEKLY`.
    private mutating func mendWeeks() throws(CalendarUnreadable) {
        if let weeks = parts["BYWEEKNO"] {
            let isWithinYear = weeks.split(separator: ",").allSatisfy { Self.weeksWithinYears.contains(Int($0) ?? 0) }
            guard interval == 1, isWithinYear else { throw refusal() }
            if parts["BYDAY"] == nil { parts["BYDAY"] = Self.days[CalendarDate(start.wall).weekday - 1] }
        }
        guard parts["BYSETPOS"] == nil || ["MONTHLY", "YEARLY"].contains(parts["FREQ"]) else { throw refusal() }
    }

    /// libical ignores the month's last days in `DAILY`; `MONTHLY` with the same days means the same.
    private mutating func mendDays() throws(CalendarUnreadable) {
        guard parts["FREQ"] == "DAILY", parts["BYMONTHDAY"]?.contains("-") == true else { return }
        guard interval == 1 else { throw refusal() }
        parts["FREQ"] = "MONTHLY"
    }

    /// Of every second week, or rarer, with one day that is still to come in the first: that day. libical would begin a week late where
    /// it is a Sunday.
    var firstOfWeek: WallTime {
        guard parts["FREQ"] == "WEEKLY", interval > 1, let day = Self.days.firstIndex(of: parts["BYDAY"] ?? ""),
            let weekStart = Self.days.firstIndex(of: parts["WKST"] ?? "MO")
        else { return start.wall }
        let place = (CalendarDate(start.wall).weekday - 1 - weekStart + 7) % 7
        let wait = (day - weekStart + 7) % 7 - place
        return wait > 0 ? WallTime(start.wall.asUTC + .days(Int64(wait)), offsetSeconds: 0) : start.wall
    }
}
