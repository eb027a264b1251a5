import CLibICal
import Foundation
import UsherCore

/// Where an event's clock hangs.
enum EventZone {
    case utc
    case known(TimeZone)
    /// One that only the calendar's own rules describe; valid as long as the calendar is.
    case described(OpaquePointer)

    /// When its clock shows a time: the first of two such moments, or the moment of the change that skips it.
    func instant(_ wall: WallTime) -> Instant {
        switch self {
        case .utc: return wall.asUTC
        case .known(let zone): return wall.instant(in: zone)
        case .described(let zone):
            return Instant(seconds: Int64(icaltime_as_timet_with_zone(wall.icalTime, zone)))
        }
    }

    /// What its clock shows.
    func wall(_ instant: Instant) -> WallTime {
        switch self {
        case .utc: return WallTime(instant, offsetSeconds: 0)
        case .known(let zone): return WallTime(instant, in: zone)
        case .described(let zone):
            var isDaylight: Int32 = 0
            var time = WallTime(instant, offsetSeconds: 0).icalTime
            let offset = icaltimezone_get_utc_offset_of_utc_time(zone, &time, &isDaylight)
            return WallTime(instant, offsetSeconds: Int64(offset))
        }
    }
}

/// Finds the zones that a calendar's events name: IANA's by whole name or by the tail of a path, Windows' names, and last the rules that
/// the calendar brings along, which are wrong more often than names are.
struct EventZones {
    private let calendar: OpaquePointer
    /// Where times without a zone are meant.
    let floating: EventZone
    private var known: [String: EventZone] = [:]

    /// - Parameters:
    ///   - calendar: a `VCALENDAR`.
    ///   - owner: an IANA name.
    init(_ calendar: OpaquePointer, named: String?, owner: String) {
        self.calendar = calendar
        let zone = named.flatMap(Self.zone) ?? TimeZone(iana: owner) ?? .gmt
        floating = .known(zone)
    }

    /// - Parameter name: the value of `TZID`; `nil` for a floating time.
    mutating func zone(_ name: String?) -> EventZone {
        guard let name, !name.isEmpty else { return floating }
        if let zone = known[name] { return zone }
        let zone =
            Self.zone(name).map(EventZone.known) ?? icalcomponent_get_timezone(calendar, name).map(EventZone.described)
            ?? Self.fixed(name).map(EventZone.known) ?? floating
        known[name] = zone
        return zone
    }

    private static func zone(_ name: String) -> TimeZone? {
        if ["UTC", "GMT", "Etc/UTC", "Z"].contains(name) { return .gmt }
        if let zone = TimeZone(iana: name) { return zone }
        if let windows = WindowsZones.iana(name) { return TimeZone(iana: windows) }
        // `/mozilla.org/20070129_1/Europe/Berlin`: the shortest tail that is a name.
        let parts = name.split(separator: "/")
        return (1..<max(parts.count, 1)).lazy.compactMap { count in
            count > 1 || parts.count > 1 ? TimeZone(iana: parts.suffix(count + 1).joined(separator: "/")) : nil
        }.first
    }

    /// `UTC-11`, `GMT+0100`: of a calendar that describes no such zone.
    private static func fixed(_ name: String) -> TimeZone? {
        guard let match = name.wholeMatch(of: /(?:UTC|GMT)([+-])(\d{1,2}):?(\d{2})?/), let hours = Int(match.2), hours < 15 else {
            return nil
        }
        let seconds = hours * 3_600 + (match.3.flatMap { Int($0) } ?? 0) * 60
        return TimeZone(secondsFromGMT: match.1 == "-" ? -seconds : seconds)
    }
}

extension WallTime {
    /// Without a zone.
    var icalTime: icaltimetype {
        var time = icaltime_null_time()
        (time.year, time.month, time.day) = (Int32(year), Int32(month), Int32(day))
        (time.hour, time.minute, time.second) = (Int32(hour), Int32(minute), Int32(second))
        return time
    }

    init(_ time: icaltimetype) {
        self.init(.epoch, offsetSeconds: 0)
        (year, month, day) = (Int64(time.year), Int64(time.month), Int64(time.day))
        (hour, minute, second) = time.is_date == 1 ? (0, 0, 0) : (Int64(time.hour), Int64(time.minute), Int64(time.second))
    }
}
