import UsherCore

/// All that decides when one host can be booked for one meeting type.
package struct HostQuestion: Sendable {
    /// `nil` where the host has no schedule and the type names none.
    package var hours: OpenHours?
    /// The days of the host's zone.
    package var days: LocalDays
    package var step: Duration
    package var buffer: SlotBuffer
    /// The earliest start.
    package var earliest: Instant
    /// Where the horizon ends.
    package var horizonEnd: Instant
    package var busy: [Busy]
    /// Limits of the type and of the host.
    package var counted: [CountedMeetings]

    /// Takes each property as it is.
    package init(
        hours: OpenHours?, days: LocalDays, step: Duration, buffer: SlotBuffer = SlotBuffer(), earliest: Instant, horizonEnd: Instant,
        busy: [Busy] = [], counted: [CountedMeetings] = []
    ) {
        self.hours = hours
        self.days = days
        self.step = step
        self.buffer = buffer
        self.earliest = earliest
        self.horizonEnd = horizonEnd
        self.busy = busy
        self.counted = counted
    }

    /// Where the horizon of so many days ends: with the last one, which is whole.
    package static func horizonEnd(_ horizon: Int, from now: Instant, _ days: LocalDays) -> Instant {
        days.instant(days.date(now) + Int64(horizon) + 1, minutes: 0)
    }
}

/// The answer to a ``HostQuestion`` for meetings of one length: which starts are slots, and why others are none. Page, API and the
/// transaction that books ask this.
package struct HostAvailability: Sendable {
    /// Starts that are closed, whatever the grid.
    private struct Closed {
        var starts: Interval
        var reason: Unavailability
    }
    private let hours: OpenHours?
    private let step: Int64
    private let length: Duration
    private let closed: [Closed]
    /// The same, in order and united.
    private let closedStarts: [Interval]

    private static let always = Interval(Instant(microseconds: .min / 2), .never)

    /// - Parameters:
    ///   - length: of the meeting, without buffers.
    ///   - range: that starts are asked for in.
    package init(_ question: HostQuestion, length: Duration, in range: Interval) {
        hours = question.hours
        step = max(1, question.step.microseconds)
        self.length = length
        var closed = [
            Closed(starts: Interval(Self.always.start, question.earliest), reason: .notice),
            Closed(starts: Interval(question.horizonEnd, Self.always.end), reason: .horizon),
        ]
        for busy in question.busy { closed.append(Closed(starts: busy.starts(length, question.buffer), reason: busy.reason)) }
        for interval in question.hours?.closed ?? [] {
            closed.append(Closed(starts: Busy(interval, .calendar).starts(length, SlotBuffer()), reason: .outsideHours))
        }
        for counted in question.counted {
            closed += counted.fullPeriods(length, question.days, in: range).map { Closed(starts: $0, reason: .limit) }
        }
        self.closed = closed
        closedStarts = closed.map(\.starts).united
    }

    /// The starts of slots from `range.start` on and before `range.end`, in order.
    package func slots(in range: Interval) -> [Instant] {
        var slots: [Instant] = []
        var next = 0
        for window in hours?.windows ?? [] where window.interval.start < range.end {
            let end = min((window.interval.end - length).microseconds + 1, range.end.microseconds)
            for (index, grid) in window.grids.enumerated() {
                let gridEnd = index + 1 < window.grids.count ? min(end, window.grids[index + 1].microseconds) : end
                guard gridEnd > range.start.microseconds else { continue }
                var start = onGrid(grid, atLeast: range.start.microseconds)
                while start < gridEnd {
                    while next < closedStarts.count, closedStarts[next].end.microseconds <= start { next += 1 }
                    if next < closedStarts.count, closedStarts[next].start.microseconds <= start {
                        start = onGrid(grid, atLeast: closedStarts[next].end.microseconds)
                    } else {
                        slots.append(Instant(microseconds: start))
                        start += step
                    }
                }
            }
        }
        return slots
    }

    private func onGrid(_ grid: Instant, atLeast earliest: Int64) -> Int64 {
        let first = grid.microseconds
        guard earliest > first else { return first }
        return first + (earliest - first + step - 1) / step * step
    }

    /// A stretch of starts, and why none of them is a slot; no reasons where some are.
    package struct Stretch: Hashable, Sendable {
        package var starts: Interval
        package var reasons: [Unavailability]
    }

    /// All starts of `range`, those that have the same reasons together, in order.
    package func stretches(in range: Interval) -> [Stretch] {
        let windows = (hours?.windows ?? []).flatMap { [$0.interval.start, $0.interval.end - length + .microseconds(1)] }
        let edges = ([range.start, range.end] + windows + closed.flatMap { [$0.starts.start, $0.starts.end] })
            .filter { range.start <= $0 && $0 <= range.end }
        let ordered = Set(edges).sorted()
        let slots = slots(in: range)
        var (stretches, next): ([Stretch], Int) = ([], 0)
        for (start, end) in zip(ordered, ordered.dropFirst()) {
            while next < slots.count, slots[next] < start { next += 1 }
            let isOffered = next < slots.count && slots[next] < end
            let others = isOffered ? [] : reasons(against: start).filter { $0 != .notOnGrid }
            let reasons = isOffered || !others.isEmpty ? others : [.notOnGrid]
            if let last = stretches.last, last.reasons == reasons {
                stretches[stretches.count - 1].starts.end = end
            } else {
                stretches.append(Stretch(starts: Interval(start, end), reasons: reasons))
            }
        }
        return stretches
    }

    /// Why a start is no slot, each reason once; empty where it is one.
    package func reasons(against start: Instant) -> [Unavailability] {
        var reasons = Set(closed.filter { $0.starts.start <= start && start < $0.starts.end }.map(\.reason))
        if let hours {
            let meeting = Interval(start, start + length)
            if let window = hours.windows.first(where: { $0.interval.contains(meeting) }) {
                if (start - window.grid(at: start)).microseconds % step != 0 { reasons.insert(.notOnGrid) }
            } else {
                reasons.insert(.outsideHours)
            }
        } else {
            reasons.insert(.noSchedule)
        }
        return Unavailability.allCases.filter(reasons.contains)
    }
}
