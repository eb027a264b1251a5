import Foundation
import UsherAvailability
import UsherCore
import UsherMail
import UsherPipeline

/// A week as a picture: for each day a bar with hours and what takes them, and below it a thin one that says where a meeting can begin
/// and, by its colour, why not. The same stands in words under each day.
struct OwnerWeekPart {
    let week: OwnerWeek
    let owner: Owner
    let today: CalendarDate
    let now: Instant
    let siteName: String
    private let words: OwnerWords

    init(_ week: OwnerWeek, of owner: Owner, site: String, today: CalendarDate, now: Instant) {
        (self.week, self.owner, siteName, self.today, self.now) = (week, owner, site, today, now)
        words = OwnerWords(owner.language)
    }

    var values: WeekValues {
        let monday = week.days.first?.date ?? today
        return WeekValues(
            choice: choice(monday), earlierPath: url(monday - 7), weekName: words.page.day(monday), laterPath: url(monday + 7),
            verdict: verdict, weekdays: week.days.map(day), legend: legend, weekZone: words(.timesAre, ["zone": owner.timeZone]))
    }

    // MARK: Which week, which meeting

    private func url(_ date: CalendarDate) -> String {
        "/owners/me?week=\(date.text)\(week.type.map { "&type=\(Page.encoded($0.id))" } ?? "")#week"
    }

    private func choice(_ monday: CalendarDate) -> WeekValues.Choice? {
        guard let chosen = week.type else { return nil }
        let types = week.types.map { OptionPart(optionValue: $0.id, optionName: title($0), isChosen: $0.id == chosen.id) }
        return .init(monday: monday.text, types: types)
    }

    // MARK: Why

    /// What stands in the way most, where nothing can be booked in the whole week.
    private var verdict: WeekValues.Verdict? {
        guard let type = week.type, week.slots.isEmpty else { return nil }
        var lengths: [Unavailability: Duration] = [:]
        let ahead = week.starts.filter { $0.starts.end > now }
        guard !ahead.isEmpty else { return .init(why: words(.weekOver)) }
        for stretch in ahead where !stretch.reasons.contains(where: Self.isClosed) {
            for reason in stretch.reasons { lengths[reason, default: .zero] += stretch.starts.end - max(stretch.starts.start, now) }
        }
        let found = Set(ahead.flatMap(\.reasons))
        let most = lengths.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key
        guard let reason = most ?? [.noSchedule, .outsideHours].first(where: found.contains) else { return nil }
        let hasBegun = week.days[0].interval.start < now
        return .init(
            cannot: words(hasBegun ? .restFull : .weekFull, ["type": title(type)]),
            why: "\(words(.inTheWay, ["reason": cause(reason)])) \(words.remedy(of: reason.rawValue))")
    }

    private static func isClosed(_ reason: Unavailability) -> Bool { [.outsideHours, .noSchedule].contains(reason) }

    private func title(_ type: MeetingType) -> String { type.title(with: owner, site: siteName) }

    private func cause(_ reason: Unavailability) -> String { words.cause(of: reason.rawValue) }

    // MARK: A day

    private func day(_ day: OwnerWeek.Day) -> WeekValues.Day {
        let lines = starts(of: day).map { stretch in
            "\(clock(stretch.starts.start, day))–\(clock(stretch.starts.end, day)): \(meanings(stretch))"
        }
        let name = words.page.day(day.date)
        return .init(
            weekday: name, weekdaySum: summary(day), isToday: day.date == today, blocks: blocks(day),
            startsOn: words(.startsOn, ["day": name]), starts: .init(lines))
    }

    private func starts(of day: OwnerWeek.Day) -> [HostAvailability.Stretch] {
        week.starts.compactMap { stretch in
            var ofDay = stretch
            ofDay.starts = stretch.starts.intersection(day.interval)
            return ofDay.starts.isEmpty ? nil : ofDay
        }
    }

    private func summary(_ day: OwnerWeek.Day) -> String {
        let count = week.slots.filter { day.interval.start <= $0 && $0 < day.interval.end }.count
        let taken = week.taken.filter { $0.interval.overlaps(day.interval) }
        func number(_ reason: Unavailability, _ key: OwnerWords.Key) -> String? {
            let count = taken.filter { $0.by == reason }.count
            return count == 0 ? nil : words(key, ["count": "\(count)"])
        }
        let free = count == 0 ? words(.nothingFree) : words.page(.freeTimes, ["count": "\(count)"])
        let parts = [
            week.type == nil ? nil : free, number(.busyBooking, .bookings), number(.busyHold, .holds), number(.busyCalendar, .busyTimes),
        ]
        return parts.compactMap(\.self).joined(separator: words.page.comma)
    }

    private func meanings(_ stretch: HostAvailability.Stretch) -> String {
        stretch.reasons.isEmpty ? words(.canBook) : stretch.reasons.map(cause).joined(separator: words.page.comma)
    }

    /// `24:00` where a day ends.
    private func clock(_ instant: Instant, _ day: OwnerWeek.Day) -> String {
        if instant == day.interval.end { return "24:00" }
        // A stretch that ends after the last start of a window begins a microsecond later.
        let minutes = Instant(seconds: instant.seconds)
        return String(WallTime(minutes, in: TimeZone(iana: owner.timeZone) ?? .gmt).text.dropFirst(11).prefix(5))
    }

    // MARK: Pictures

    /// Of `week.html.mustache`.
    private static let width = 960.0

    /// What is drawn last lies on top.
    private func blocks(_ day: OwnerWeek.Day) -> [WeekValues.Block] {
        let open = week.open.map { block($0, day, 0, 24, "open", words(.hours)) }
        let taken = week.taken.map { taken in
            block(
                taken.interval, day, 3, 18, "by-\(taken.by.rawValue)",
                "\(cause(taken.by))\(taken.type.isEmpty ? "" : ": \(taken.type)")")
        }
        let starts = starts(of: day).map { stretch in
            block(stretch.starts, day, 27, 8, stretch.reasons.first.map { "by-\($0.rawValue)" } ?? "bookable", meanings(stretch))
        }
        return (open + taken + starts).compactMap(\.self)
    }

    /// - Returns: `nil` for what does not touch the day.
    private func block(
        _ interval: Interval, _ day: OwnerWeek.Day, _ y: Int, _ height: Int, _ look: String, _ words: String
    ) -> WeekValues.Block? {
        let shown = interval.intersection(day.interval)
        guard !shown.isEmpty else { return nil }
        let scale = Self.width / Double((day.interval.end - day.interval.start).microseconds)
        func place(_ instant: Instant) -> Double { Double((instant - day.interval.start).microseconds) * scale }
        let (from, to) = (place(shown.start), place(shown.end))
        return .init(
            look: look, x: Self.short(from), y: "\(y)", blockWidth: Self.short(max(to - from, 1)), blockHeight: "\(height)",
            saying: "\(clock(shown.start, day))–\(clock(shown.end, day)): \(words)")
    }

    private static func short(_ number: Double) -> String { String((number * 10).rounded() / 10) }

    private var legend: [WeekValues.Key] {
        [.init(look: "open", saying: words(.hours)), .init(look: "bookable", saying: words(.canBegin))]
            + [Unavailability.busyBooking, .busyHold, .busyCalendar, .calendarStale, .capacity, .limit, .notice, .horizon].map {
                .init(look: "by-\($0.rawValue)", saying: cause($0))
            }
    }
}
