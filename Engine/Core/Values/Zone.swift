import Foundation

extension TimeZone {
    /// The zone of an IANA name, `nil` for anything else.
    ///
    /// Foundation also takes fixed offsets such as `GMT+5` or `Etc/GMT-5`; they know no daylight saving and are refused. `UTC` is fine.
    public init?(iana name: String) {
        guard !name.isEmpty, !["EST", "MST", "HST"].contains(name), !name.contains("+"), name.dropFirst(3).first != "-",
            !name.hasPrefix("Etc/GMT-"),
            TimeZone(identifier: name) != nil
        else { return nil }
        self.init(identifier: name)
    }

    /// Seconds east of Greenwich at `instant`.
    public func offset(at instant: Instant) -> Int {
        secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant.seconds)))
    }
}

extension Instant {
    /// RFC 3339 with a zone's offset, to the second: `2026-12-01T10:00:00+01:00`; with `Z` where there is no zone.
    public func rfc3339(in zone: TimeZone?) -> String {
        guard let zone else { return rfc3339 }
        let seconds = Int64(zone.offset(at: self))
        let minutes = abs(seconds) / 60
        return WallTime(self, in: zone).text + (seconds < 0 ? "-" : "+") + padded(minutes / 60, 2) + ":" + padded(minutes % 60, 2)
    }
}

extension CalendarDate {
    /// The first moment at which clocks in a zone show this date.
    public func beginning(in zone: TimeZone) -> Instant { midnight.instant(in: zone) }
}

extension WallTime {
    /// When clocks in a zone show this: the first of two such moments, or the moment of the change that skips it.
    public func instant(in zone: TimeZone) -> Instant {
        switch WallTimeMeaning(self, in: zone) {
        case .once(let instant), .twice(earlier: let instant, later: _): return instant
        case .skipped:
            let wall = asUTC.seconds
            var (before, after) = (wall - 86_400, wall + 86_400)
            // Before the change a clock shows less than this; from it on, more.
            while after - before > 1 {
                let middle = before + (after - before) / 2
                if middle + Int64(zone.offset(at: Instant(seconds: middle))) < wall { before = middle } else { after = middle }
            }
            return Instant(seconds: after)
        }
    }
}

/// The instants at which a clock in a zone shows a wall time: one, none (a change to summer time skips it)
/// or two (a change back repeats it).
public enum WallTimeMeaning: Hashable, Sendable {
    case once(Instant)
    case skipped
    case twice(earlier: Instant, later: Instant)

    /// Finds what `wall` means in `zone`.
    public init(_ wall: WallTime, in zone: TimeZone) {
        let guess = wall.asUTC
        let offsets = Set([guess - .days(1), guess + .days(1)].map { zone.offset(at: $0) })
        let fitting =
            offsets
            .map { (offset: $0, instant: guess - .seconds(Int64($0))) }
            .filter { zone.offset(at: $0.instant) == $0.offset }
            .map(\.instant).sorted()
        switch fitting.count {
        case 0: self = .skipped
        case 1: self = .once(fitting[0])
        default: self = .twice(earlier: fitting[0], later: fitting[1])
        }
    }
}
