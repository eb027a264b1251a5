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

    private static let words = PageWords("en")

    var html: HTML {
        let days = week.days.map { day($0) }.joined()
        return
            "<section id=week><h2>Your week</h2>\(choice)\(navigation)\(verdict)\(Self.axis)\(days)\(Self.legend)<p class=quiet>In \(owner.timeZone).</p></section>"
    }

    // MARK: Which week, which meeting

    private func url(_ date: CalendarDate) -> String {
        "/owners/me?week=\(date.text)\(week.type.map { "&type=\(Page.encoded($0.id))" } ?? "")#week"
    }

    private var navigation: HTML {
        guard let monday = week.days.first?.date else { return "" }
        return
            "<nav aria-label=Weeks><a class=\"button plain\" rel=prev href=\"\(url(monday - 7))\">Earlier</a><strong>\(Self.words.day(monday))</strong> <a class=\"button plain\" rel=next href=\"\(url(monday + 7))\">Later</a></nav>"
    }

    private var choice: HTML {
        guard let chosen = week.type, let monday = week.days.first?.date else {
            return "<p>None of your meeting types has slots: nobody chooses a time of yours here.</p>"
        }
        let options = week.types.map { type -> HTML in
            "<option value=\"\(type.id)\"\(type.id == chosen.id ? " selected" : "")>\(type.id)</option>"
        }
        return """
            <form method=get action="/owners/me#week"><input type=hidden name=week value="\(monday.text)"><label for=weektype>When can this be booked?</label>
            <select id=weektype name=type>\(options.joined())</select> <button class="button plain">Show</button></form>
            """
    }

    // MARK: Why

    /// What stands in the way most, where nothing can be booked in the whole week.
    private var verdict: HTML {
        guard let type = week.type, week.slots.isEmpty else { return "" }
        var lengths: [Unavailability: Duration] = [:]
        let ahead = week.starts.filter { $0.starts.end > now }
        guard !ahead.isEmpty else { return "<p role=status>This week is over.</p>" }
        for stretch in ahead where !stretch.reasons.contains(where: Self.isClosed) {
            for reason in stretch.reasons { lengths[reason, default: .zero] += stretch.starts.end - max(stretch.starts.start, now) }
        }
        let found = Set(ahead.flatMap(\.reasons))
        let most = lengths.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key
        guard let reason = most ?? [.noSchedule, .outsideHours].first(where: found.contains) else { return "" }
        return
            "<p role=status><strong>\(type.id) cannot be booked in \(week.days[0].interval.start < now ? "what is left of this week" : "this week").</strong> What stands in the way: \(Self.meaning(reason)). \(Self.remedy(reason))</p>"
    }

    private static func isClosed(_ reason: Unavailability) -> Bool { [.outsideHours, .noSchedule].contains(reason) }

    private static func meaning(_ reason: Unavailability) -> String {
        switch reason {
        case .noSchedule: "you have no hours"
        case .outsideHours: "outside of your hours, or a day off"
        case .notOnGrid: "between two slots"
        case .notice: "over, or too soon"
        case .horizon: "too far ahead"
        case .limit: "enough meetings by then"
        case .busyBooking: "another booking, or the free time around it"
        case .busyHold: "held for somebody who is booking"
        case .busyCalendar: "busy by a calendar"
        case .calendarStale: "a calendar has not been heard of for too long"
        case .capacity: "no room left at the provider"
        }
    }

    private static func remedy(_ reason: Unavailability) -> String {
        switch reason {
        case .noSchedule: "An admin gives you a schedule in meeting-types.yaml, or by the API."
        case .outsideHours: "Your hours stand in meeting-types.yaml; your days off below."
        case .notOnGrid, .notice, .horizon, .limit: "The meeting type's rules say so, in meeting-types.yaml."
        case .busyBooking: "Your bookings stand below."
        case .busyHold: "It is given free within minutes where nobody books."
        case .busyCalendar: "Below you choose which calendars count."
        case .calendarStale: "See below what is wrong with it."
        case .capacity: "The account at the provider hosts other meetings then."
        }
    }

    // MARK: A day

    private func day(_ day: OwnerWeek.Day) -> HTML {
        let name = Self.words.day(day.date)
        let summary = summary(day)
        let lines = starts(of: day).map { stretch -> HTML in
            "<li>\(clock(stretch.starts.start, day))–\(clock(stretch.starts.end, day)): \(meanings(stretch))</li>"
        }
        let details: HTML =
            lines.isEmpty ? "" : "<details><summary>Starts on \(name)</summary><ul>\(lines.joined())</ul></details>"
        return
            "<h3\(day.date == today ? " aria-current=date" : "")>\(name) <span class=quiet>\(summary)</span></h3>\(picture(day, "\(name): \(summary)"))\(details)"
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
        func number(_ reason: Unavailability, _ one: String, _ many: String) -> String? {
            let count = taken.filter { $0.by == reason }.count
            return count == 0 ? nil : "\(count) \(count == 1 ? one : many)"
        }
        let parts = [
            week.type == nil ? nil : count == 0 ? "nothing free" : "\(count) free", number(.busyBooking, "booking", "bookings"),
            number(.busyHold, "hold", "holds"), number(.busyCalendar, "busy time", "busy times"),
        ]
        return parts.compactMap(\.self).joined(separator: ", ")
    }

    private func meanings(_ stretch: HostAvailability.Stretch) -> String {
        stretch.reasons.isEmpty ? "can be booked" : stretch.reasons.map(Self.meaning).joined(separator: "; ")
    }

    /// `24:00` where a day ends.
    private func clock(_ instant: Instant, _ day: OwnerWeek.Day) -> String {
        if instant == day.interval.end { return "24:00" }
        // A stretch that ends after the last start of a window begins a microsecond later.
        let minutes = Instant(seconds: instant.seconds)
        return String(WallTime(minutes, in: TimeZone(iana: owner.timeZone) ?? .gmt).text.dropFirst(11).prefix(5))
    }

    // MARK: Pictures

    private static let width = 960.0

    /// What is drawn last lies on top.
    private func picture(_ day: OwnerWeek.Day, _ label: String) -> HTML {
        let open = week.open.map { block($0, day, 0, 24, "open", "Your hours") }
        let taken = week.taken.map { taken -> HTML in
            block(
                taken.interval, day, 3, 18, "by-\(taken.by.rawValue)",
                "\(Self.meaning(taken.by))\(taken.type.isEmpty ? "" : ": \(taken.type)")")
        }
        let starts = starts(of: day).map { stretch in
            block(stretch.starts, day, 27, 8, stretch.reasons.first.map { "by-\($0.rawValue)" } ?? "bookable", meanings(stretch))
        }
        return """
            <svg class=day viewBox="0 0 \(Int(Self.width)) 36" preserveAspectRatio=none role=img aria-label="\(label)">            <rect class=night x=0 y=0 width=\(Int(Self.width)) height=24 />\((open + taken + starts).joined())</svg>
            """
    }

    private func block(_ interval: Interval, _ day: OwnerWeek.Day, _ y: Int, _ height: Int, _ look: String, _ words: String) -> HTML {
        let shown = interval.intersection(day.interval)
        guard !shown.isEmpty else { return "" }
        let scale = Self.width / Double((day.interval.end - day.interval.start).microseconds)
        func place(_ instant: Instant) -> Double { Double((instant - day.interval.start).microseconds) * scale }
        let (from, to) = (place(shown.start), place(shown.end))
        return
            "<rect class=\(look) x=\(Self.short(from)) y=\(y) width=\(Self.short(max(to - from, 1))) height=\(height)><title>\(clock(shown.start, day))–\(clock(shown.end, day)): \(words)</title></rect>"
    }

    private static func short(_ number: Double) -> String { String((number * 10).rounded() / 10) }

    private static let axis: HTML =
        "<p class=hours aria-hidden=true><span>0</span><span>6</span><span>12</span><span>18</span><span>24</span></p>"

    private static var legend: HTML {
        let looks: [(String, String)] =
            [("open", "your hours"), ("bookable", "a meeting can begin")]
            + [Unavailability.busyBooking, .busyHold, .busyCalendar, .calendarStale, .capacity, .limit, .notice, .horizon].map {
                ("by-\($0.rawValue)", meaning($0))
            }
        let items = looks.map { look, words -> HTML in
            "<li><svg class=key viewBox=\"0 0 20 12\" aria-hidden=true><rect class=\(look) width=20 height=12 /></svg> \(words)</li>"
        }
        return
            "<details><summary>What the colours say</summary><p>Each upper bar is your day, with what takes it; the lower one says where a meeting can begin, and why not.</p><ul class=keys>\(items.joined())</ul></details>"
    }
}
