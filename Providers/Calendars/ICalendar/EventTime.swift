import Foundation
import UsherCore

/// A time as an event writes it (RFC 5545 §3.3.4 and §3.3.5).
struct EventTime {
    /// What the clock shows; midnight for a date.
    var wall: WallTime
    var isDate: Bool
    var zone: EventZone

    var instant: Instant { zone.instant(wall) }
    var date: CalendarDate { CalendarDate(wall) }

    /// Reads `20261019T100000`, `20261019T080000Z`, `20261019`; `nil` for anything else.
    init?(_ text: some StringProtocol, zone: EventZone) {
        let digits = Array(text.utf8)
        guard digits.count == 8 || (digits.count >= 15 && digits[8] == UInt8(ascii: "T")) else { return nil }
        func number(_ from: Int, _ count: Int) -> Int64? {
            digits[from..<from + count].reduce(Int64?(0)) { sum, byte in
                sum.flatMap { (48...57).contains(byte) ? $0 * 10 + Int64(byte - 48) : nil }
            }
        }
        guard let year = number(0, 4), let month = number(4, 2), let day = number(6, 2) else { return nil }
        isDate = digits.count == 8
        var wall = WallTime(.epoch, offsetSeconds: 0)
        (wall.year, wall.month, wall.day) = (year, month, day)
        if !isDate {
            guard let hour = number(9, 2), let minute = number(11, 2), let second = number(13, 2) else { return nil }
            // A leap second is the one before it.
            (wall.hour, wall.minute, wall.second) = (hour, minute, min(second, 59))
        }
        guard WallTime(wall.asUTC, offsetSeconds: 0) == wall else { return nil }
        self.wall = wall
        self.zone = digits.count > 15 && digits[15] == UInt8(ascii: "Z") ? .utc : zone
    }

    /// The same zone at another time.
    init(_ wall: WallTime, like other: EventTime) {
        self.wall = wall
        isDate = other.isDate
        zone = other.zone
    }
}

/// How long an event takes. One that says when it ends takes exactly so long each time it recurs; one that gives a duration ends so many
/// days later on the calendar (RFC 5545 §3.8.5.3).
struct EventLength {
    var days: Int64 = 0
    var exact: Duration = .zero

    /// From a start to an end.
    init(_ start: EventTime, to end: EventTime) {
        if start.isDate, end.isDate { days = end.date.day - start.date.day } else { exact = end.instant - start.instant }
    }

    /// So many days.
    init(days: Int64) { self.days = days }

    /// Reads `P1DT2H30M`, `PT15M`, `P2W`; `nil` for anything else, negative ones too.
    init?(_ text: String) {
        guard text.hasPrefix("P") || text.hasPrefix("+P") else { return nil }
        var (number, isTime): (Int64?, Bool) = (nil, false)
        for character in text.drop(while: { $0 != "P" }).dropFirst() {
            if let digit = character.wholeNumberValue, character.isASCII {
                number = (number ?? 0) * 10 + Int64(digit)
                guard number ?? 0 < 1_000_000 else { return nil }
                continue
            }
            if character == "T" {
                isTime = true
                continue
            }
            guard let count = number else { return nil }
            switch (character, isTime) {
            case ("W", false): days += count * 7
            case ("D", false): days += count
            case ("H", true): exact += .hours(count)
            case ("M", true): exact += .minutes(count)
            case ("S", true): exact += .seconds(count)
            default: return nil
            }
            number = nil
        }
        guard number == nil else { return nil }
    }

    /// The end of an event that begins then.
    func end(_ start: EventTime) -> Instant {
        guard days != 0 else { return start.instant + exact }
        let wall = WallTime(start.wall.asUTC + .days(days), offsetSeconds: 0)
        return EventTime(wall, like: start).instant + exact
    }
}
