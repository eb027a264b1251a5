import Foundation
import UsherCore

/// A meeting's time as one reader sees it: in their zone, by the custom of their language and region.
package struct ReaderTime: Sendable {
    /// `Tuesday 1 December 2026`, in the United States `Tuesday, December 1, 2026`.
    package let date: String
    /// `10:00`, `4:00 AM`.
    package let time: String
    /// `10:00 – 10:45`, `4:00 – 4:30 AM`, with the second date where the meeting ends on another day, and with the offsets where the clocks change
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
        let home: String
    }
    /// The readers of one booking have the same times before them.
    private static let known = Memo<Key, ReaderTime>(limit: 1_000)

    /// - Parameters:
    ///   - language: of the reader, with or without a region.
    ///   - home: the reader's own zone, whose country decides on the form where the language names no region; `timeZone` where it is
    ///     not given.
    package static func of(
        start: Instant, end: Instant, timeZone: String, language: String, home: String? = nil
    ) -> ReaderTime {
        let key = Key(start: start, end: end, timeZone: timeZone, language: language, home: home ?? timeZone)
        return known.value(key) { ReaderTime(key) }
    }

    private init(_ key: Key) {
        let (start, end) = (key.start, key.end)
        let zone = TimeZone(iana: key.timeZone) ?? .gmt
        let styles = Styles.of(key.language, zone, home: key.home)
        let (from, to) = (start.date, end.date)
        let (first, last) = (zone.offset(at: start), zone.offset(at: end))
        date = styles.date(start, first)
        time = styles.time(start, first)
        let endsAnotherDay = start.localDay(first) != end.localDay(last)
        let endTime = (endsAnotherDay ? styles.date(end, last) + styles.comma : "") + styles.time(end, last)
        func name(_ date: Date, _ offset: Int) -> String {
            "\(styles.zoneName(isDaylight: zone.isDaylightSavingTime(for: date))) (\(Self.offset(offset)))"
        }
        offset = first
        if first == last {
            range = "\(endsAnotherDay ? time : Self.withoutPeriod(time, before: endTime)) – \(endTime)"
            self.zone = name(from, first)
        } else {
            range = "\(time) (\(Self.offset(first))) – \(endTime) (\(Self.offset(last)))"
            self.zone = "\(name(from, first)) / \(name(to, last))"
        }
    }

    /// `4:00` of `4:00 AM` before `4:30 AM`: the half of the day is said once.
    private static func withoutPeriod(_ time: String, before end: String) -> String {
        let (one, other) = (time.split(separator: " ", maxSplits: 1), end.split(separator: " ", maxSplits: 1))
        return one.count == 2 && other.count == 2 && one[1] == other[1] ? String(one[0]) : time
    }

    private static func offset(_ seconds: Int) -> String {
        let minutes = Int64(abs(seconds) / 60)
        return "UTC\(seconds < 0 ? "−" : "+")\(padded(minutes / 60, 2)):\(padded(minutes % 60, 2))"
    }
}

/// The formats of one language, region and zone: making them costs far more than using them.
private struct Styles: Sendable {
    private let dateStyle: Date.FormatStyle
    private let timeStyle: Date.FormatStyle
    private let isEnglish: Bool
    let comma: String
    let standardName: String
    let daylightName: String

    private static let known = Memo<String, Styles>(limit: 5_000)

    /// By local day since 1970, and by local minute of the day: a calendar knows few of either.
    private let dates = Memo<Int64, String>(limit: 1_000)
    private let times = Memo<Int64, String>(limit: 24 * 60)

    static func of(_ language: String, _ zone: TimeZone, home: String) -> Styles {
        known.value("\(language) \(zone.identifier) \(home)") { Styles(language, zone, ReaderLocale.of(language, zone: home)) }
    }

    private init(_ language: String, _ zone: TimeZone, _ reader: ReaderLocale) {
        let base = Date.FormatStyle(locale: reader.locale, timeZone: zone)
        isEnglish = Language.base(language) == "en"
        comma = reader.comma
        timeStyle = base.hour().minute()
        let local = base.weekday(.wide).day().month(.wide).year()
        // English is written in many countries in a mixture of habits; two of them are known everywhere.
        let isMonthFirst = isEnglish && Self.isMonthFirst(local)
        dateStyle =
            isEnglish
            ? Date.FormatStyle(locale: Locale(identifier: isMonthFirst ? "en_US" : "en_GB"), timeZone: zone)
                .weekday(.wide).day().month(.wide).year() : local
        let standard = zone.localizedName(for: .standard, locale: reader.locale) ?? zone.identifier
        standardName = standard
        daylightName = zone.localizedName(for: .daylightSaving, locale: reader.locale) ?? standard
    }

    private static func isMonthFirst(_ style: Date.FormatStyle) -> Bool {
        let text = Date(timeIntervalSince1970: 0).formatted(style)
        guard let month = text.firstIndex(of: "J") ?? text.firstIndex(of: "D") else { return false }
        return !text[..<month].contains(where: \.isNumber)
    }

    /// - Parameter offset: of the zone at that instant, in seconds.
    func date(_ instant: Instant, _ offset: Int) -> String { dates.value(instant.localDay(offset)) { written(instant.date) } }

    /// - Parameter offset: of the zone at that instant, in seconds.
    func time(_ instant: Instant, _ offset: Int) -> String {
        times.value(instant.localMinute(offset)) { Self.plain(instant.date.formatted(timeStyle)) }
    }

    private func written(_ date: Date) -> String {
        let text = Self.plain(date.formatted(dateStyle))
        // `Tuesday 1 December 2026`: the comma belongs to the month-first form.
        guard isEnglish, dateStyle.locale.identifier == "en_GB" else { return text }
        return text.replacing(", ", with: " ")
    }

    /// Locale data joins with narrow blanks that some mail programs show as boxes.
    private static func plain(_ text: String) -> String {
        text.replacing("\u{202F}", with: " ").replacing("\u{2009}", with: " ").replacing("\u{A0}", with: " ")
    }

    func zoneName(isDaylight: Bool) -> String { isDaylight ? daylightName : standardName }
}

extension Instant {
    var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }

    /// The day since 1970 where clocks are `offset` seconds ahead of Greenwich.
    fileprivate func localDay(_ offset: Int) -> Int64 { (seconds + Int64(offset)) / 86_400 }
    /// The minute of that day.
    fileprivate func localMinute(_ offset: Int) -> Int64 { (seconds + Int64(offset)) % 86_400 / 60 }
}
