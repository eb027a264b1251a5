import UsherCore

/// A host's hours in a stretch of time: windows, each with a grid of its own, and what is closed within them.
package struct OpenHours: Hashable, Sendable {
    /// In order; none touches or overlaps another.
    package var windows: [Interval]
    /// Times that are closed, without moving the grid; in order.
    package var closed: [Interval]

    /// Takes each property as it is.
    package init(windows: [Interval], closed: [Interval] = []) {
        self.windows = windows
        self.closed = closed
    }

    /// A schedule's hours.
    /// - Parameters:
    ///   - days: the days of the schedule's zone.
    ///   - range: what they are asked for; windows that reach out of it are whole.
    ///   - closures: the events of ``Schedule/closedBy``. An exception's windows are open in spite of them.
    package init(_ schedule: Schedule, _ days: LocalDays, in range: Interval, closures: [Interval] = []) {
        var (weekly, excepted): ([Interval], [Interval]) = ([], [])
        // A window reaches into the next date at most, and one that touches it is to be whole.
        var date = days.date(range.start) - 2
        let last = days.date(range.end) + 1
        while date <= last {
            let (windows, isException) = schedule.windows(on: date)
            for window in windows {
                let interval = Interval(days.instant(date, minutes: window.from), days.instant(date, minutes: window.to))
                if isException { excepted.append(interval) } else { weekly.append(interval) }
            }
            date = date + 1
        }
        windows = (weekly + excepted).united
        closed = closures.isEmpty ? [] : closures.united.subtracting(excepted.united)
    }

    /// What is open in both; each window of it has its own grid.
    package func intersection(_ other: OpenHours) -> OpenHours {
        OpenHours(windows: windows.intersection(other.windows), closed: (closed + other.closed).united)
    }
}
