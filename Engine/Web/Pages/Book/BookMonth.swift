import Foundation
import Hummingbird
import UsherCore
import UsherMail
import UsherPipeline

/// A month with its free days, and a day's times: links and buttons, so that no script is needed.
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
        let about: HTML = visit.description.isEmpty ? "" : "<p>\(visit.description)</p>"
        return about + choices + months + (visit.day.map(times) ?? "")
    }

    // MARK: Parts

    private var choices: HTML {
        let lengths = visit.offer.type.durations
        let length: HTML =
            lengths.count < 2
            ? "<input type=hidden name=duration value=\"\(visit.duration.inWords)\">"
            : "<label for=duration>\(words(.length))</label> <select id=duration name=duration>\(lengths.map { one -> HTML in "<option value=\"\(one.inWords)\"\(one == visit.duration ? " selected" : "")>\(words.duration(one))</option>" }.joined())</select> "
        return """
            <form class=choices method=get action="\(visit.path)">\(Self.hidden(visit.carried.filter { ["language", "embed"].contains($0.0) } + visit.filled))\(length)
            <label for=timeZone>\(words(.zone))</label> <select id=timeZone name=timeZone data-own-zone>\(Self.zones(visit.zone.identifier))</select>
            <button class="button plain">\(words(.show))</button></form>
            """
    }

    /// Every zone of a region and a city.
    private static func zones(_ chosen: String) -> HTML {
        let known = TimeZone.knownTimeZoneIdentifiers.filter { $0.contains("/") && TimeZone(iana: $0) != nil }
        let all = known.contains(chosen) ? known : [chosen] + known
        return all.map { zone -> HTML in
            "<option value=\"\(zone)\"\(zone == chosen ? " selected" : "")>\(zone.replacing("_", with: " "))</option>"
        }.joined()
    }

    private var months: HTML {
        let (before, after) = (visit.month - 1, visit.month.firstOfNextMonth)
        let earlier: HTML =
            visit.month > today.firstOfMonth
            ? "<a class=\"button plain\" rel=prev href=\"\(visit.url(month: before.firstOfMonth))\">\(words(.earlier))</a> " : ""
        let name = words.month(visit.month)
        let empty: HTML
        if slots.isEmpty {
            let onward: HTML =
                next.map { day -> HTML in
                    "<p><a href=\"\(visit.url(day: day))\">\(words(.nextFree, ["date": words.day(day)]))</a></p>"
                } ?? ""
            empty = "<p role=status>\(words(.noneFree, ["month": name]))</p>\(onward)"
        } else {
            empty = ""
        }
        return
            "<section><h2>\(words(.chooseDay))</h2><nav>\(earlier)<strong>\(name)</strong> <a class=\"button plain\" rel=next href=\"\(visit.url(month: after))\">\(words(.later))</a></nav>\(empty)\(table)</section>"
    }

    private var table: HTML {
        let columns = words.weekdays
        let (free, first) = (byDay, visit.month)
        let lead = columns.firstIndex { $0.number == first.weekday } ?? 0
        let days = first.firstOfNextMonth.day - first.day
        let head = columns.map { column -> HTML in "<th scope=col>\(column.name)</th>" }.joined()
        var rows: HTML = ""
        for week in 0..<(lead + Int(days) + 6) / 7 {
            let cells = (0..<7).map { column -> HTML in
                let number = week * 7 + column - lead
                guard number >= 0, number < days else { return "<td></td>" }
                return cell(first + Int64(number), free)
            }
            rows += "<tr>\(cells.joined())</tr>"
        }
        return "<table class=month><thead><tr>\(head)</tr></thead><tbody>\(rows)</tbody></table>"
    }

    private func cell(_ date: CalendarDate, _ free: [CalendarDate: [SlotService.Slot]]) -> HTML {
        let number = date.midnight.day
        guard let count = free[date]?.count else { return "<td><time datetime=\"\(date.text)\">\(number)</time></td>" }
        let name = "\(words.day(date)), \(words(.freeTimes, ["count": "\(count)"]))"
        let current: HTML = date == visit.day ? " aria-current=date" : ""
        return
            "<td><a href=\"\(visit.url(day: date))#times\" aria-label=\"\(name)\"\(current)><time datetime=\"\(date.text)\">\(number)</time></a></td>"
    }

    private func times(_ day: CalendarDate) -> HTML {
        let slots = byDay[day] ?? []
        guard let first = slots.first else { return "" }
        let buttons = BookMonth.buttons(slots.map(\.start), visit)
        return """
            <section id=times><h2>\(words(.chooseSlot)): \(words.day(day))</h2>
            <p class=quiet>\(words(.timesIn, ["zone": visit.time(first.start, first.end).zone]))</p>
            <form class=times method=post action="\(visit.path)">\(Self.hidden(visit.carried + visit.filled + [("step", "time")]))\(buttons)</form></section>
            """
    }

    static func buttons(_ starts: [Instant], _ visit: BookVisit, withDay: Bool = false) -> HTML {
        starts.map { start -> HTML in
            let time = visit.time(start, start + visit.duration)
            let label = withDay ? "\(time.date), \(time.time)" : time.time
            return "<button class=\"button plain\" name=start value=\"\(start.rfc3339)\">\(label)</button> "
        }.joined()
    }

    static func hidden(_ fields: [(String, String)]) -> HTML {
        fields.map { field -> HTML in "<input type=hidden name=\"\(field.0)\" value=\"\(field.1)\">" }.joined()
    }
}
