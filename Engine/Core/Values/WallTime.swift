import Foundation

/// A date and time as a clock on the wall shows it, without a zone.
public struct WallTime: Hashable, Sendable {
    /// Of the Gregorian calendar.
    public var year: Int64
    /// 1 to 12.
    public var month: Int64
    /// 1 to 31.
    public var day: Int64
    /// 0 to 23.
    public var hour: Int64
    /// 0 to 59.
    public var minute: Int64
    /// 0 to 59.
    public var second: Int64

    /// What a clock `offsetSeconds` east of Greenwich shows at `instant`.
    public init(_ instant: Instant, offsetSeconds: Int64) {
        let (days, rest) = (instant.seconds + offsetSeconds).floorDivided(by: 86_400)
        // Howard Hinnant's civil-from-days: https://howardhinnant.github.io/date_algorithms.html
        let z = days + 719_468
        let (era, dayOfEra) = z.floorDivided(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        (hour, minute, second) = (rest / 3_600, rest % 3_600 / 60, rest % 60)
    }

    /// What a clock in `zone` shows at `instant`.
    public init(_ instant: Instant, in zone: TimeZone) {
        self.init(instant, offsetSeconds: Int64(zone.offset(at: instant)))
    }

    /// The instant at which a clock in Greenwich shows this.
    public var asUTC: Instant {
        let y = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = y.floorDivided(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Instant(seconds: days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    /// `2026-12-01T10:00:00`.
    public var text: String {
        var text = Array(padded(year, 4).utf8)
        func add(_ mark: Unicode.Scalar, _ number: Int64) {
            text.append(UInt8(ascii: mark))
            text.append(UInt8(ascii: "0") + UInt8(number / 10))
            text.append(UInt8(ascii: "0") + UInt8(number % 10))
        }
        add("-", month)
        add("-", day)
        add("T", hour)
        add(":", minute)
        add(":", second)
        return String(decoding: text, as: UTF8.self)
    }
}

/// `value` in decimal with leading zeros up to `width`.
public func padded(_ value: Int64, _ width: Int) -> String {
    var digits = String(value)
    while digits.utf8.count < width { digits = "0" + digits }
    return digits
}

/// A time as a caller writes it: RFC 3339 with an offset, or a wall-clock time.
public enum WrittenTime: Hashable, Sendable {
    case instant(Instant)
    case wall(WallTime)

    /// Reads `2026-12-01T10:00[:00[.000]]` with or without `Z` or `±hh:mm`. `nil` for anything else, impossible dates included.
    /// Source: RFC 3339 §5.6; seconds may be missing, since people type times by hand.
    public init?(_ text: String) {
        var reader = TimeReader(rest: Substring(text))
        guard let wall = reader.wallTime() else { return nil }
        if reader.rest.isEmpty {
            self = .wall(wall)
        } else if let offset = reader.offset(), reader.rest.isEmpty {
            self = .instant(wall.asUTC - offset)
        } else {
            return nil
        }
    }
}

/// Takes the parts of a written time off its front.
private struct TimeReader {
    var rest: Substring

    private mutating func number(_ digits: Int) -> Int64? {
        let part = rest.prefix(digits)
        guard part.utf8.count == digits, part.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        rest = rest.dropFirst(digits)
        return Int64(part)
    }

    private mutating func take(_ characters: String) -> Bool {
        guard let first = rest.first, characters.contains(first) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// A date that the calendar has and a time of day; a fraction of a second is dropped.
    mutating func wallTime() -> WallTime? {
        guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2), take("Tt "),
            let hour = number(2), take(":"), let minute = number(2), let second = seconds()
        else { return nil }
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60 else { return nil }
        var wall = WallTime(Instant(seconds: 0), offsetSeconds: 0)
        (wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second) = (year, month, day, hour, minute, second)
        return WallTime(wall.asUTC, offsetSeconds: 0) == wall ? wall : nil
    }

    private mutating func seconds() -> Int64? {
        guard take(":") else { return 0 }
        guard let seconds = number(2) else { return nil }
        guard take(".") else { return seconds }
        let fraction = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(fraction.count)
        return fraction.isEmpty ? nil : seconds
    }

    /// `Z`, or `±hh:mm`: what local time is ahead of UTC.
    mutating func offset() -> Duration? {
        if take("Zz") { return .zero }
        let isEast = rest.first == "+"
        guard take("+-"), let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return .seconds((hours * 60 + minutes) * (isEast ? 60 : -60))
    }
}

extension Instant {
    /// What a service writes as a time with an offset (RFC 3339): `2026-12-01T09:00:00Z`; `nil` for anything else.
    public init?(rfc3339 text: String) {
        guard case .instant(let instant)? = WrittenTime(text) else { return nil }
        self = instant
    }
}
