import Foundation
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline

/// A month with its free days, and a day's times: links and buttons, so that no script is needed (`month.html.mustache`).
struct BookMonth {
    let visit: BookVisit
    /// In order.
    let slots: [SlotService.Slot]
    /// Where the month has nothing: the first free day after it.
    let next: CalendarDate?
    let today: CalendarDate

    private var words: PageWords { visit.words }
    private var byDay: [CalendarDate: [SlotService.Slot]] {
        Dictionary(grouping: slots) { CalendarDate(WallTime($0.start, in: visit.zone)) }
    }

    var body: HTML {
        let (before, name) = (visit.month - 1, words.month(visit.month))
        return HTML(
            .month,
            Values(
                about: visit.description.isEmpty ? nil : visit.description, path: visit.path, kept: HiddenField.all(kept),
                hasLengths: lengths.count > 1, lengthName: words(.length), lengths: lengths, zoneName: words(.zone),
                zones: Self.zones(visit.zone.identifier), show: words(.show), chooseDay: words(.chooseDay),
                earlierPath: visit.month > today.firstOfMonth ? visit.url(month: before.firstOfMonth) : nil, earlier: words(.earlier),
                monthName: name, laterPath: visit.url(month: visit.month.firstOfNextMonth), later: words(.later),
                noneFree: slots.isEmpty ? words(.noneFree, ["month": name]) : nil, nextPath: next.map { visit.url(day: $0) },
                nextFree: next.map { words(.nextFree, ["date": words.day($0)]) } ?? "", weekdays: words.weekdays.map(\.name), weeks: weeks,
                day: visit.day.flatMap(day)))
    }

    /// The values of `month.html.mustache`.
    private struct Values {
        var about: String?
        var path: String
        var kept: [HiddenField]
        var hasLengths: Bool
        var lengthName: String
        var lengths: [OptionPart]
        var zoneName: String
        /// By `zones.html.mustache`: hundreds, so what was made of them is kept.
        var zones: String
        var show, chooseDay: String
        var earlierPath: String?
        var earlier, monthName, laterPath, later: String
        var noneFree, nextPath: String?
        var nextFree: String
        var weekdays: [String]
        var weeks: [Week]
        var day: Day?
    }
    private struct Week { var cells: [Cell] }
    private struct Cell {
        /// `nil` outside of the month.
        var dayNumber: String?
        var dateText = ""
        /// Where the day's times are; `nil` where it has none.
        var dayPath: String?
        var dayName = ""
        var isChosen = false
    }
    private struct Day {
        var chooseSlot, chosenDay, timesIn: String
        var offered: TimesPart
    }

    // MARK: Choices

    private var lengths: [OptionPart] {
        visit.offer.type.durations.map {
            OptionPart(optionValue: $0.inWords, optionName: words.duration($0), isChosen: $0 == visit.duration)
        }
    }

    private var kept: [(String, String)] {
        visit.carried.filter { ["language", "embed"].contains($0.0) } + visit.filled
            + (lengths.count > 1 ? [] : [("duration", visit.duration.inWords)])
    }

    /// Every zone of a region and a city.
    private static func zones(_ chosen: String) -> String {
        struct Values { var zones: [OptionPart] }
        return SiteFrame.current.look.render(.zones, keptAs: chosen) {
            Values(
                zones: (known.contains(chosen) ? known : [chosen] + known).map {
                    OptionPart(optionValue: $0, optionName: $0.replacing("_", with: " "), isChosen: $0 == chosen)
                })
        }
    }

    private static let known = TimeZone.knownTimeZoneIdentifiers.filter { $0.contains("/") && TimeZone(iana: $0) != nil }

    // MARK: Days

    private var weeks: [Week] {
        let (free, first) = (byDay, visit.month)
        let lead = words.weekdays.firstIndex { $0.number == first.weekday } ?? 0
        let days = Int(first.firstOfNextMonth.day - first.day)
        return (0..<(lead + days + 6) / 7).map { week in
            Week(
                cells: (0..<7).map { column in
                    let number = week * 7 + column - lead
                    return (0..<days).contains(number) ? cell(first + Int64(number), free[first + Int64(number)]?.count) : Cell()
                })
        }
    }

    private func cell(_ date: CalendarDate, _ count: Int?) -> Cell {
        var cell = Cell(dayNumber: "\(date.midnight.day)", dateText: date.text)
        guard let count else { return cell }
        cell.dayPath = visit.url(day: date) + "#times"
        cell.dayName = "\(words.day(date)), \(words(.freeTimes, ["count": "\(count)"]))"
        cell.isChosen = date == visit.day
        return cell
    }

    private func day(_ date: CalendarDate) -> Day? {
        guard let slots = byDay[date], let first = slots.first else { return nil }
        let carried = visit.carried + visit.filled + [("step", "time")]
        return Day(
            chooseSlot: words(.chooseSlot), chosenDay: words.day(date),
            timesIn: words(.timesIn, ["zone": visit.time(first.start, first.end).zone]),
            offered: Self.times(slots.map(\.start), visit, carried))
    }

    /// Buttons that keep a time.
    /// - Parameter isOfManyDays: each says its day, too.
    static func times(_ starts: [Instant], _ visit: BookVisit, _ carried: [(String, String)], isOfManyDays: Bool = false) -> TimesPart {
        let buttons = starts.map { start -> TimesPart.Start in
            let time = visit.time(start, start + visit.duration)
            return .init(startsAt: start.rfc3339, startName: isOfManyDays ? "\(time.date), \(time.time)" : time.time)
        }
        return TimesPart(timesAction: visit.path, carried: HiddenField.all(carried), days: [.init(starts: buttons)])
    }
}
