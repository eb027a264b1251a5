import Foundation
import UsherCore

/// What clocks on the wall of a zone show, for some days: an offset is looked up once a day, and only where two days differ the change
/// between them is looked for.
package struct LocalDays: Sendable {
    package let zone: TimeZone
    /// Seconds east of Greenwich at 00:00 UTC of each day, from ``firstDay`` on.
    private let offsets: [Int]
    private let firstDay: Int64

    /// - Parameter range: with room for the dates beside it.
    package init(_ zone: TimeZone, covering range: Interval) {
        self.zone = zone
        firstDay = range.start.seconds / 86_400 - 3
        let last = range.end.seconds / 86_400 + 4
        offsets = (firstDay...max(firstDay, last)).map { zone.offset(at: Instant(seconds: $0 * 86_400)) }
    }

    private func offset(_ day: Int64) -> Int {
        let index = Int(day - firstDay)
        return offsets.indices.contains(index) ? offsets[index] : zone.offset(at: Instant(seconds: day * 86_400))
    }

    /// When clocks show a date's midnight and so many minutes more: the first of two such moments, or the moment of the change that skips
    /// it.
    package func instant(_ date: CalendarDate, minutes: Int) -> Instant {
        let wall = Instant(seconds: date.day * 86_400 + Int64(minutes) * 60)
        let day = wall.seconds.floorDividedBy86400
        let around = (offset(day - 1), offset(day), offset(day + 1), offset(day + 2))
        if around.0 == around.1, around.1 == around.2, around.2 == around.3 { return wall - .seconds(Int64(around.0)) }
        return WallTime(wall, offsetSeconds: 0).instant(in: zone)
    }

    /// The date that clocks show.
    package func date(_ instant: Instant) -> CalendarDate {
        let day = instant.seconds.floorDividedBy86400
        let offset = offset(day) == offset(day + 1) ? offset(day) : zone.offset(at: instant)
        return CalendarDate(day: (instant.seconds + Int64(offset)).floorDividedBy86400)
    }

    /// From the first moment of a date to that of another.
    package func interval(_ first: CalendarDate, to next: CalendarDate) -> Interval {
        Interval(instant(first, minutes: 0), instant(next, minutes: 0))
    }
}

extension Int64 {
    fileprivate var floorDividedBy86400: Int64 { (self - (self < 0 ? 86_399 : 0)) / 86_400 }
}
