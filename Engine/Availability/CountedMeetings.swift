import UsherCore

/// Limits, and the meetings that count towards them.
package struct CountedMeetings: Hashable, Sendable {
    package struct Meeting: Hashable, Sendable {
        package var start: Instant
        package var length: Duration

        /// Takes each property as it is.
        package init(start: Instant, length: Duration) {
            self.start = start
            self.length = length
        }
    }
    package var limits: SlotLimits
    /// Of whole months and weeks around what is asked for.
    package var meetings: [Meeting]

    /// Takes each property as it is.
    package init(_ limits: SlotLimits, _ meetings: [Meeting]) {
        self.limits = limits
        self.meetings = meetings
    }

    /// The periods that take no more meeting of this length.
    /// - Parameter days: of the host's zone.
    func fullPeriods(_ length: Duration, _ days: LocalDays, in range: Interval) -> [Interval] {
        guard !limits.isEmpty else { return [] }
        let periods: [(most: Int?, minutes: Int?, first: (CalendarDate) -> CalendarDate, next: (CalendarDate) -> CalendarDate)] = [
            (limits.day, limits.dayMinutes, { $0 }, { $0 + 1 }),
            (limits.week, limits.weekMinutes, { $0.monday }, { $0 + 7 }),
            (limits.month, limits.monthMinutes, { $0.firstOfMonth }, { $0.firstOfNextMonth }),
        ]
        let dates = meetings.map { (date: days.date($0.start), minutes: $0.length.wholeSeconds / 60) }
        return periods.flatMap { period -> [Interval] in
            guard period.most != nil || period.minutes != nil else { return [] }
            var taken: [CalendarDate: (count: Int, minutes: Int64)] = [:]
            for (date, minutes) in dates {
                taken[period.first(date), default: (0, 0)].count += 1
                taken[period.first(date), default: (0, 0)].minutes += minutes
            }
            var full: [Interval] = []
            var first = period.first(days.date(range.start))
            while first <= days.date(range.end) {
                let used = taken[first, default: (0, 0)]
                let isFull =
                    period.most.map { used.count >= $0 } ?? false
                    || period.minutes.map { used.minutes + length.wholeSeconds / 60 > Int64($0) } ?? false
                if isFull { full.append(days.interval(first, to: period.next(first))) }
                first = period.next(first)
            }
            return full
        }
    }
}
