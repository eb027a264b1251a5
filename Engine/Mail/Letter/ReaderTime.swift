import Foundation
import UsherCore

/// A meeting's time as one reader sees it: in their zone, by the custom of their language.
package struct ReaderTime: Sendable {
    /// `Tuesday, 1 December 2026`.
    package let date: String
    /// `10:00`.
    package let time: String
    /// `10:00 – 10:45`, with the second date where the meeting ends on another day, and with the offsets where the clocks change
    /// meanwhile: `01:30 (UTC−04:00) – 01:00 (UTC−05:00)`.
    package let range: String
    /// `Central European Standard Time (UTC+01:00)`, and after a stroke the one at the end where the clocks change meanwhile.
    package let zone: String
    /// Seconds east of Greenwich.
    let offset: Int

    private struct Key: Hashable, Sendable {
        let start: Instant
        let end: Instant
        let timeZone: String
        let language: String
    }
    /// The readers of one booking have the same times before them.
    private static let known = Memo<Key, ReaderTime>(limit: 1_000)

    package static func of(start: Instant, end: Instant, timeZone: String, language: String) -> ReaderTime {
        known.value(Key(start: start, end: end, timeZone: timeZone, language: language)) {
            ReaderTime(start: start, end: end, timeZone: timeZone, language: language)
        }
    }

    private init(start: Instant, end: Instant, timeZone: String, language: String) {
        let zone = TimeZone(iana: timeZone) ?? .gmt
        let styles = Styles.of(language, zone)
        let (from, to) = (start.date, end.date)
        date = from.formatted(styles.date)
        time = from.formatted(styles.time)
        let (first, last) = (zone.offset(at: start), zone.offset(at: end))
        let endsAnotherDay = Self.day(start, first) != Self.day(end, last)
        let endTime = (endsAnotherDay ? to.formatted(styles.date) + ", " : "") + to.formatted(styles.time)
        func name(_ date: Date, _ offset: Int) -> String {
            "\(styles.zoneName(isDaylight: zone.isDaylightSavingTime(for: date))) (\(Self.offset(offset)))"
        }
        offset = first
        if first == last {
            range = "\(time) – \(endTime)"
            self.zone = name(from, first)
        } else {
            range = "\(time) (\(Self.offset(first))) – \(endTime) (\(Self.offset(last)))"
            self.zone = "\(name(from, first)) / \(name(to, last))"
        }
    }

    private static func day(_ instant: Instant, _ offset: Int) -> Int64 { (instant.seconds + Int64(offset)) / 86_400 }

    private static func offset(_ seconds: Int) -> String {
        let minutes = Int64(abs(seconds) / 60)
        return "UTC\(seconds < 0 ? "−" : "+")\(padded(minutes / 60, 2)):\(padded(minutes % 60, 2))"
    }
}

/// The formats of one language and zone: making them costs far more than using them.
private struct Styles: Sendable {
    let date: Date.FormatStyle
    let time: Date.FormatStyle
    let standardName: String
    let daylightName: String

    private static let known = Memo<String, Styles>(limit: 5_000)

    static func of(_ language: String, _ zone: TimeZone) -> Styles {
        known.value("\(language) \(zone.identifier)") {
            let locale = ReaderLocale.of(language).locale
            let base = Date.FormatStyle(locale: locale, timeZone: zone)
            let standard = zone.localizedName(for: .standard, locale: locale) ?? zone.identifier
            return Styles(
                date: base.weekday(.wide).day().month(.wide).year(), time: base.hour().minute(), standardName: standard,
                daylightName: zone.localizedName(for: .daylightSaving, locale: locale) ?? standard)
        }
    }

    func zoneName(isDaylight: Bool) -> String { isDaylight ? daylightName : standardName }
}

extension Instant {
    var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }
}
