/// A date of the Gregorian calendar, without a zone.
public struct CalendarDate: Hashable, Comparable, Sendable, Codable {
    /// Days since 1970-01-01.
    public var day: Int64

    /// Days since 1970-01-01.
    public init(day: Int64) { self.day = day }

    /// The date that a clock on the wall shows.
    public init(_ wall: WallTime) {
        var midnight = wall
        (midnight.hour, midnight.minute, midnight.second) = (0, 0, 0)
        day = midnight.asUTC.seconds / 86_400
    }

    /// Reads `2026-12-24`; `nil` for anything else, impossible dates included.
    public init?(_ text: String) {
        guard text.utf8.count == 10, case .wall(let wall)? = WrittenTime(text + "T00:00") else { return nil }
        self.init(wall)
    }

    /// 1 for Monday to 7 for Sunday.
    public var weekday: Int { Int((day + 3).floorDivided(by: 7).remainder) + 1 }
    /// Midnight at its beginning.
    public var midnight: WallTime { WallTime(Instant(seconds: day * 86_400), offsetSeconds: 0) }
    /// The Monday of its week (ISO 8601).
    public var monday: CalendarDate { self - Int64(weekday - 1) }
    /// The first of its month.
    public var firstOfMonth: CalendarDate { self - (midnight.day - 1) }
    /// The first of the month after.
    public var firstOfNextMonth: CalendarDate { (firstOfMonth + 31).firstOfMonth }
    /// `2026-12-24`.
    public var text: String { String(midnight.text.prefix(10)) }

    /// So many days later.
    public static func + (date: CalendarDate, days: Int64) -> CalendarDate { CalendarDate(day: date.day + days) }
    /// So many days earlier.
    public static func - (date: CalendarDate, days: Int64) -> CalendarDate { CalendarDate(day: date.day - days) }
    /// Whether the left is earlier.
    public static func < (left: CalendarDate, right: CalendarDate) -> Bool { left.day < right.day }
}
