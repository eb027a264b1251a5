import UsherCore

/// A stretch of open hours. A meeting may go on over the whole of it; its start is on the grid that began last.
package struct OpenWindow: Hashable, Sendable {
    package var interval: Interval
    /// Where grids begin, in order: the first at the beginning of ``interval``.
    package var grids: [Instant]

    /// - Parameter grids: beside the one that begins with the interval.
    package init(_ interval: Interval, grids: [Instant] = []) {
        self.interval = interval
        self.grids = [interval.start] + grids.filter { interval.start < $0 && $0 < interval.end }
    }

    /// The beginning of the grid that a start is on.
    func grid(at start: Instant) -> Instant { grids.last { $0 <= start } ?? interval.start }
}

/// A host's hours in a stretch of time: windows, each with a grid of its own, and what is closed within them.
package struct OpenHours: Hashable, Sendable {
    /// In order; none touches or overlaps another.
    package var windows: [OpenWindow]
    /// Times that are closed, without moving the grid; in order.
    package var closed: [Interval]

    /// Windows that touch are one, with one grid. Where they touch without end, a grid begins with each that lasts a day or longer: so no
    /// grid depends on where a question begins. In any week of hours without a gap there is one.
    private static let wholeDay: Int64 = 1_440
    private static let lookBack: Int64 = 9

    /// Takes each property as it is.
    package init(windows: [OpenWindow], closed: [Interval] = []) {
        self.windows = windows
        self.closed = closed
    }

    /// A schedule's hours.
    /// - Parameters:
    ///   - days: the days of the schedule's zone.
    ///   - range: what they are asked for; windows that reach out of it are whole, or begin more than a week before it.
    ///   - closures: the events of ``Schedule/closedBy``. An exception's windows are open in spite of them.
    package init(_ schedule: Schedule, _ days: LocalDays, in range: Interval, closures: [Interval] = []) {
        var (all, excepted, grids): ([Interval], [Interval], [Instant]) = ([], [], [])
        var date = days.date(range.start) - Self.lookBack
        let last = days.date(range.end) + 1
        while date <= last {
            let (windows, isException) = schedule.windows(on: date)
            for window in Self.united(windows) {
                let interval = Interval(days.instant(date, minutes: window.from), days.instant(date, minutes: window.to))
                all.append(interval)
                if isException { excepted.append(interval) }
                if Int64(window.to - window.from) >= Self.wholeDay { grids.append(interval.start) }
            }
            date = date + 1
        }
        windows = all.united.map { OpenWindow($0, grids: grids) }
        closed = closures.isEmpty ? [] : closures.united.subtracting(excepted.united)
    }

    /// A date's windows, what touches made one.
    private static func united(_ windows: [Schedule.Window]) -> [Schedule.Window] {
        windows.sorted { $0.from < $1.from }.reduce(into: []) { united, window in
            guard let last = united.last, window.from <= last.to else { return united.append(window) }
            united[united.count - 1].to = max(last.to, window.to)
        }
    }

    /// Closes further times, without moving the grid.
    package mutating func close(_ times: [Interval]) {
        if !times.isEmpty { closed = (closed + times).united }
    }

    /// What is open in both; each window of it has its own grid.
    package func intersection(_ other: OpenHours) -> OpenHours {
        let grids = (windows + other.windows).flatMap(\.grids).sorted()
        let common = windows.map(\.interval).intersection(other.windows.map(\.interval))
        return OpenHours(windows: common.map { OpenWindow($0, grids: grids) }, closed: (closed + other.closed).united)
    }
}
