import UsherCore
import Yams

/// `schedules:`
struct ScheduleSection {
    private let report: Reporter
    private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// What is wrong with the calendar at a path.
    private let closures: (String) -> String?

    init(_ report: Reporter, _ closures: @escaping (String) -> String?) {
        self.report = report
        self.closures = closures
    }

    func read(_ node: Node) -> [Schedule] {
        guard let schedules = Fields(node, "schedules", report) else { return [] }
        return schedules.entries.compactMap { field in
            checkID(field.key, field.mark, "a schedule's name", report)
            guard let fields = Fields(field.value, "schedules.\(field.key)", report) else { return nil }
            fields.refuseUnknown(["time-zone", "weekly", "except", "closed-by"])
            fields.require(["weekly"])
            let zone = fields.text("time-zone")
            checkZone(zone, fields.path("time-zone"), report)
            let weekly = fields["weekly"].flatMap { Fields($0, fields.path("weekly"), report) }.map(weekly)
            let except = fields["except"].flatMap { Fields($0, fields.path("except"), report) }
            let closed = fields.text("closed-by")
            if let closed, let wrong = closures(closed.value) {
                report.error(.value, closed.mark, "'\(fields.path("closed-by"))': \(wrong)")
            }
            let schedule = Schedule(
                name: field.key, timeZone: zone?.value, weekly: weekly ?? Array(repeating: [], count: 7),
                exceptions: except.map(exceptions) ?? [], closedBy: closed?.value)
            if let except { check(schedule, except) }
            return schedule
        }
    }

    // MARK: The week

    private func weekly(_ fields: Fields) -> [[Schedule.Window]] {
        var week: [[Schedule.Window]?] = Array(repeating: nil, count: 7)
        for field in fields.entries {
            let windows = self.windows(field, fields)
            guard let days = days(field.key) else {
                report.error(.value, field.mark, "'\(field.key)' is no day; write mon, sat, or mon-fri")
                continue
            }
            for day in days {
                if week[day] != nil {
                    report.error(.duplicate, field.mark, "'\(Self.days[day])' stands twice in '\(fields.path)'")
                } else {
                    week[day] = windows
                }
            }
        }
        let whole = week.map { $0 ?? [] }
        // What passes midnight meets the next day's.
        for day in 0..<7 where Self.meet(whole[day], whole[(day + 1) % 7]) {
            let mark = fields.entries.first { days($0.key)?.contains(day) == true }?.mark
            report.error(
                .value, mark,
                "the hours of \(Self.days[day]) pass midnight into those of \(Self.days[(day + 1) % 7]) in '\(fields.path)'")
        }
        return whole
    }

    /// Whether a date's hours last into those of the next.
    private static func meet(_ windows: [Schedule.Window], _ next: [Schedule.Window]) -> Bool {
        windows.contains { late in next.contains { $0.from + 1_440 < late.to } }
    }

    /// `mon`, `mon-thu`, `sat-mon`.
    private func days(_ text: String) -> [Int]? {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Self.days.firstIndex(of: String($0)) }
        switch (ends.count, ends.first ?? nil, ends.last ?? nil) {
        case (1, let day?, _): return [day]
        case (2, let first?, let last?): return (0...(last - first + 7) % 7).map { (first + $0) % 7 }
        default: return nil
        }
    }

    /// A day's windows.
    private func windows(_ field: Fields.Field, _ fields: Fields) -> [Schedule.Window] {
        guard case .sequence(let items) = field.value else {
            report.error(.type, field.value.place, "'\(fields.path(field.key))' must be a list of hours: [\"09:00-12:30\"]")
            return []
        }
        let windows = items.compactMap { item -> Schedule.Window? in
            let text = item.string ?? ""
            if let window = Schedule.Window(text) { return window }
            report.error(
                .value, item.place,
                "'\(text)' are no hours; write \"09:00-12:30\", \"22:00-02:00\" for past midnight, \"20:00-24:00\" until it")
            return nil
        }
        if Self.overlap(windows) {
            report.error(.value, field.value.place, "hours of '\(fields.path(field.key))' overlap; write each time once")
        }
        return windows
    }

    private static func overlap(_ windows: [Schedule.Window]) -> Bool {
        let ordered = windows.sorted { $0.from < $1.from }
        return zip(ordered, ordered.dropFirst()).contains { $0.to > $1.from }
    }

    // MARK: Exceptions

    /// Exceptions that hold one date, and hours of theirs that meet those of the dates beside them.
    private func check(_ schedule: Schedule, _ fields: Fields) {
        var seen: [Schedule.Exception] = []
        for exception in schedule.exceptions {
            let name = exception.first == exception.last ? exception.first.text : "\(exception.first.text)..\(exception.last.text)"
            let mark = fields.entries.first { $0.key == name }?.mark
            if seen.contains(where: { $0.first <= exception.last && exception.first <= $0.last }) {
                report.error(.duplicate, mark, "'\(name)' holds a date that stands in '\(fields.path)' before; write each date once")
            }
            seen.append(exception)
            for date in [exception.first - 1, exception.last]
            where Self.meet(schedule.windows(on: date).windows, schedule.windows(on: date + 1).windows) {
                report.error(
                    .value, mark, "the hours of \(date.text) pass midnight into those of \((date + 1).text), by '\(fields.path(name))'")
            }
            if exception.first < exception.last, Self.meet(exception.windows, exception.windows) {
                report.error(.value, mark, "the hours of '\(fields.path(name))' pass midnight into those of the next date")
            }
        }
    }

    private func exceptions(_ fields: Fields) -> [Schedule.Exception] {
        fields.entries.compactMap { field in
            let windows = self.windows(field, fields)
            let ends = field.key.split(separator: "..", omittingEmptySubsequences: false).map { CalendarDate(String($0)) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1] else {
                report.error(
                    .value, field.mark, "'\(field.key)' is no date; write 2026-12-24, or 2026-12-27..2027-01-03 with the last day in it")
                return nil
            }
            if last < first { report.error(.value, field.mark, "'\(field.key)' ends before it begins") }
            return Schedule.Exception(first: first, last: last, windows: windows)
        }
    }
}

/// The names of the schedules, and whether a reference to one holds.
struct ScheduleNames {
    private let names: [String]
    private let report: Reporter

    init(_ names: [String], _ report: Reporter) {
        self.names = names
        self.report = report
    }

    /// The schedule that a key names.
    func name(_ fields: Fields, _ key: String) -> String? {
        guard let (name, mark) = fields.text(key) else { return nil }
        if !names.contains(name) {
            let near = hint(name, names, otherwise: names.isEmpty ? "; there are none" : "; there are: \(names.joined(separator: ", "))")
            report.error(
                .reference, mark, "'\(fields.path(key))' names the schedule '\(name)', which does not stand under schedules\(near)")
        }
        return name
    }
}

extension SlotLimits {
    /// `limits:`
    init?(_ node: Node, _ path: String, _ report: Reporter) {
        guard let fields = Fields(node, path, report) else { return nil }
        fields.refuseUnknown(["day", "week", "month", "day-minutes", "week-minutes", "month-minutes"])
        self.init(
            day: fields.number("day", 1...1_000), week: fields.number("week", 1...10_000), month: fields.number("month", 1...100_000),
            dayMinutes: fields.number("day-minutes", 1...1_440), weekMinutes: fields.number("week-minutes", 1...10_080),
            monthMinutes: fields.number("month-minutes", 1...44_640))
    }
}
