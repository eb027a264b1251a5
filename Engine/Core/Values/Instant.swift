/// A point in time: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// It is stored and compared as one integer, so that both databases and every process agree to the digit.
public struct Instant: Hashable, Comparable, Sendable, Codable {
    /// Since 1970-01-01T00:00:00Z; negative before.
    public var microseconds: Int64

    /// Takes the property as it is.
    public init(microseconds: Int64) { self.microseconds = microseconds }
    /// Since 1970-01-01T00:00:00Z.
    public init(seconds: Int64) { self.microseconds = seconds * 1_000_000 }

    /// 1970-01-01T00:00:00Z, earlier than anything that Usher does.
    public static let epoch = Instant(microseconds: 0)
    /// Later than any instant that happens: the due time of work that waits for a person.
    public static let never = Instant(microseconds: Int64.max / 2)

    /// Whole seconds since 1970, rounded down.
    public var seconds: Int64 { microseconds.floorDivided(by: 1_000_000).quotient }

    /// Whether the left is earlier.
    public static func < (left: Instant, right: Instant) -> Bool { left.microseconds < right.microseconds }
    /// The instant so much later.
    public static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(microseconds: instant.microseconds + duration.microseconds)
    }
    /// The instant so much earlier.
    public static func - (instant: Instant, duration: Duration) -> Instant {
        Instant(microseconds: instant.microseconds - duration.microseconds)
    }
    /// The time from the right to the left; negative where the right is later.
    public static func - (left: Instant, right: Instant) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }

    /// Reads a number of microseconds.
    public init(from decoder: any Decoder) throws {
        microseconds = try decoder.singleValueContainer().decode(Int64.self)
    }
    /// Writes a number of microseconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microseconds)
    }
}

extension Instant {
    /// RFC 3339 in UTC, to the second: `2026-12-01T09:00:00Z`.
    public var rfc3339: String { WallTime(self, offsetSeconds: 0).text + "Z" }

    /// 00:00 UTC of the day that follows: when daily quotas begin anew.
    public var nextDayUTC: Instant {
        Instant(seconds: (seconds.floorDivided(by: 86_400).quotient + 1) * 86_400)
    }
}

extension Duration {
    /// Rounded towards zero.
    public var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
    /// Rounded towards zero.
    public var wholeSeconds: Int64 { components.seconds }
    /// So many times 60 seconds.
    public static func minutes(_ count: Int64) -> Duration { .seconds(count * 60) }
    /// So many times 3,600 seconds.
    public static func hours(_ count: Int64) -> Duration { .seconds(count * 3_600) }
    /// So many times 86,400 seconds.
    public static func days(_ count: Int64) -> Duration { .seconds(count * 86_400) }
}

extension Int64 {
    func floorDivided(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
