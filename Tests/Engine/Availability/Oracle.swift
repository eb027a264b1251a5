import Foundation
import UsherAvailability
import UsherCore

/// An independent reading of the rules, minute by minute and without any speed: it knows nothing of grids that jump, united intervals or
/// offsets that are kept.
///
/// The wall clock of a zone is a table of what it shows at each minute; everything else is looked up there.
struct Oracle {
    /// Minutes since 1970 of the first entry.
    let first: Int
    /// What clocks show at each minute: minutes since 1970 as if they stood in Greenwich.
    let shown: [Int]

    init(_ zone: TimeZone, from first: Int, minutes: Int) {
        self.first = first
        shown = (first..<first + minutes).map { minute in
            minute + zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(minute) * 60)) / 60
        }
    }

    /// The first minute at which clocks show a wall time or a later one.
    func minute(showing wall: Int) -> Int {
        // Clocks show this at most 15 hours away from Greenwich.
        var index = max(0, wall - 15 * 60 - first)
        while index < shown.count, shown[index] < wall { index += 1 }
        return first + index
    }

    func date(_ minute: Int) -> Int { Int((Double(shown[minute - first]) / 1_440).rounded(.down)) }

    struct Event {
        var from: Int
        var to: Int
        /// What it wants free around it; `nil` for a calendar's event.
        var buffer: (before: Int, after: Int)?
        var isCapacity = false
    }

    struct Case {
        var weekly: [[Schedule.Window]]
        var exceptions: [Schedule.Exception]
        var closures: [(from: Int, to: Int)]
        var step: Int
        var length: Int
        var before: Int
        var after: Int
        var now: Int
        var notice: Int
        var horizon: Int
        var events: [Event]
        var limits: SlotLimits
        var counted: [(start: Int, length: Int)]
    }

    /// The minutes from which the host's windows go on, as unions of what touches: found by marking every minute.
    private func windows(_ question: Case) -> (window: [Int: Int], end: [Int: Int], excepted: Set<Int>) {
        var (open, excepted): (Set<Int>, Set<Int>) = ([], [])
        let dates = (date(first) - 2)...(date(first + shown.count - 1) + 1)
        for date in dates {
            let exception = question.exceptions.last { Int($0.first.day) <= date && date <= Int($0.last.day) }
            let weekday = ((date + 3) % 7 + 7) % 7
            for window in exception?.windows ?? question.weekly[weekday] {
                let (from, to) = (minute(showing: date * 1_440 + window.from), minute(showing: date * 1_440 + window.to))
                for minute in from..<max(from, to) {
                    open.insert(minute)
                    if exception != nil { excepted.insert(minute) }
                }
            }
        }
        var (window, end): ([Int: Int], [Int: Int]) = ([:], [:])
        var start = 0
        for minute in first..<first + shown.count where open.contains(minute) {
            if !open.contains(minute - 1) { start = minute }
            window[minute] = start
            end[start] = minute + 1
        }
        return (window, end, excepted)
    }

    /// Every minute of `range` from which a meeting may go.
    func slots(_ question: Case, in range: Range<Int>) -> [Int] {
        let (window, end, excepted) = windows(question)
        return range.filter { start in
            let (from, to) = (start, start + question.length)
            guard let begun = window[from], to <= end[begun]!, (from - begun) % question.step == 0 else { return false }
            guard from >= question.now + question.notice, date(from) <= date(question.now) + question.horizon else { return false }
            let isClosed = question.closures.contains { closure in
                (max(from, closure.from)..<max(max(from, closure.from), min(to, closure.to))).contains { !excepted.contains($0) }
            }
            guard !isClosed else { return false }
            for event in question.events {
                let (before, after): (Int, Int) =
                    if event.isCapacity { (0, 0) } else if let buffer = event.buffer {
                        (max(question.before, buffer.after), max(question.after, buffer.before))
                    } else { (question.before, question.after) }
                if from - before < event.to, event.from < to + after { return false }
            }
            return isWithinLimits(question, from)
        }
    }

    private func isWithinLimits(_ question: Case, _ start: Int) -> Bool {
        func week(_ date: Int) -> Int { Int((Double(date + 3) / 7).rounded(.down)) }
        func month(_ date: Int) -> Int {
            let parts = Calendar.utc.dateComponents([.year, .month], from: Date(timeIntervalSince1970: Double(date) * 86_400))
            return parts.year! * 12 + parts.month!
        }
        func fits(_ most: Int?, _ minutes: Int?, _ period: (Int) -> Int) -> Bool {
            guard most != nil || minutes != nil else { return true }
            let same = question.counted.filter { period(date($0.start)) == period(date(start)) }
            return same.count + 1 <= most ?? .max && same.reduce(question.length) { $0 + $1.length } <= minutes ?? .max
        }
        let limits = question.limits
        return fits(limits.day, limits.dayMinutes, { $0 }) && fits(limits.week, limits.weekMinutes, week)
            && fits(limits.month, limits.monthMinutes, month)
    }
}

extension Calendar {
    fileprivate static let utc: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: "UTC")!
        return calendar
    }()
}
