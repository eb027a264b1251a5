import UsherCore

/// A half-open interval of time: its end belongs to it no more.
package struct Interval: Hashable, Sendable {
    package var start: Instant
    package var end: Instant

    /// Takes each property as it is.
    package init(_ start: Instant, _ end: Instant) {
        self.start = start
        self.end = end
    }

    package var isEmpty: Bool { end <= start }
    package func overlaps(_ other: Interval) -> Bool { start < other.end && other.start < end }
    package func contains(_ other: Interval) -> Bool { start <= other.start && other.end <= end }
    package func intersection(_ other: Interval) -> Interval { Interval(max(start, other.start), min(end, other.end)) }
}

extension [Interval] {
    /// In order, what touches or overlaps made one.
    package var united: [Interval] {
        var united: [Interval] = []
        for interval in filter({ !$0.isEmpty }).sorted(by: { $0.start < $1.start }) {
            if let last = united.last, interval.start <= last.end {
                united[united.count - 1].end = Swift.max(last.end, interval.end)
            } else {
                united.append(interval)
            }
        }
        return united
    }

    /// What is in both; each is in order, and nothing in it overlaps.
    package func intersection(_ other: [Interval]) -> [Interval] {
        var (common, mine, theirs): ([Interval], Int, Int) = ([], 0, 0)
        while mine < count, theirs < other.count {
            let both = self[mine].intersection(other[theirs])
            if !both.isEmpty { common.append(both) }
            if self[mine].end < other[theirs].end { mine += 1 } else { theirs += 1 }
        }
        return common
    }

    /// What is in the first alone; each is in order, and nothing in it overlaps.
    package func subtracting(_ other: [Interval]) -> [Interval] {
        var left: [Interval] = []
        var index = 0
        for interval in self {
            var start = interval.start
            while index < other.count, other[index].end <= start { index += 1 }
            var next = index
            while next < other.count, other[next].start < interval.end {
                if other[next].start > start { left.append(Interval(start, other[next].start)) }
                start = Swift.max(start, other[next].end)
                next += 1
            }
            if start < interval.end { left.append(Interval(start, interval.end)) }
        }
        return left
    }
}
