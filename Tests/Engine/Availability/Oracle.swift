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

    /// What holds of each minute of the table.
    private struct Marks {
        /// Whether somebody is there at all, and by an exception.
        var isOpen: [Bool]
        var isExcepted: [Bool]
        /// Whether a grid begins.
        var beginsGrid: [Bool]
        /// Where the hours end that it belongs to, and where its grid began: minutes since 1970.
        var end: [Int]
        var grid: [Int]
    }

    private func marks(_ question: Case) -> Marks {
        let none = Array(repeating: false, count: shown.count)
        var marks = Marks(isOpen: none, isExcepted: none, beginsGrid: none, end: Array(repeating: 0, count: shown.count), grid: [])
        marks.grid = marks.end
        for date in (date(first) - 2)...(date(first + shown.count - 1) + 1) {
            let exception = question.exceptions.last { Int($0.first.day) <= date && date <= Int($0.last.day) }
            let windows = exception?.windows ?? question.weekly[((date + 3) % 7 + 7) % 7]
            for window in windows {
                let from = minute(showing: date * 1_440 + window.from) - first
                let to = min(minute(showing: date * 1_440 + window.to) - first, shown.count)
                for index in from..<max(from, to) {
                    marks.isOpen[index] = true
                    if exception != nil { marks.isExcepted[index] = true }
                }
                // A date whose hours go on for a day has a grid of its own.
                func isOpen(_ minute: Int) -> Bool { windows.contains { $0.from <= minute && minute < $0.to } }
                let isFirst = !isOpen(window.from - 1)
                if isFirst, from < shown.count, (window.from..<window.from + 1_440).allSatisfy(isOpen) { marks.beginsGrid[from] = true }
            }
        }
        var grid = 0
        for index in shown.indices where marks.isOpen[index] {
            if index == 0 || !marks.isOpen[index - 1] || marks.beginsGrid[index] { grid = first + index }
            marks.grid[index] = grid
        }
        var end = first + shown.count
        for index in shown.indices.reversed() {
            if marks.isOpen[index] { marks.end[index] = end } else { end = first + index }
        }
        return marks
    }

    /// Every minute of `range` from which a meeting may go.
    func slots(_ question: Case, in range: Range<Int>) -> [Int] {
        let marks = marks(question)
        return range.filter { start in
            let (from, to, index) = (start, start + question.length, start - first)
            guard marks.isOpen[index], to <= marks.end[index], (from - marks.grid[index]) % question.step == 0 else { return false }
            guard from >= question.now + question.notice, date(from) <= date(question.now) + question.horizon else { return false }
            let isClosed = question.closures.contains { closure in
                (max(from, closure.from)..<max(max(from, closure.from), min(to, closure.to))).contains { !marks.isExcepted[$0 - first] }
            }
            guard !isClosed else { return false }
            for event in question.events {
                let (before, after): (Int, Int) =
                    if event.isCapacity {
                        (0, 0)
                    } else if let buffer = event.buffer {
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
