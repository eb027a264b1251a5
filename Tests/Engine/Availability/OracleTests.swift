import Foundation
import Testing
import UsherAvailability
import UsherCore

/// The engine beside an oracle that looks at every minute.
@Suite(.timeLimit(.minutes(30)))
struct OracleTests {
    @Test("slots and reasons are those of a checker that looks at every minute, in every zone around every change of its clocks")
    func agree() async throws {
        let isSoak = Self.isSoak
        let changes = Self.changes
        #expect(changes.count > 1_000)
        let places = isSoak ? changes : Array(changes.enumerated().filter { $0.offset % 10 == 0 }.map(\.element))
        let each = max(1, (isSoak ? 100_000 : 10_000) / places.count + 1)
        let disagreements = await withTaskGroup(of: [String].self) { group in
            for half in 0..<2 {
                group.addTask {
                    places.enumerated().filter { $0.offset % 2 == half }.flatMap {
                        Self.compare($0.element, cases: each, seed: UInt64($0.offset))
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(disagreements.isEmpty, "\(disagreements.prefix(3).joined(separator: "\n")) of \(places.count * each) cases")
    }

    private static let isSoak = ProcessInfo.processInfo.environment["USHER_SOAK"] != nil

    private struct Change: Sendable {
        var zone: TimeZone
        /// Minutes since 1970, to a day.
        var near: Int
    }

    /// Every day between 2024 and 2030 on which the clocks of a zone change, and a few on which they do not.
    private static let changes: [Change] = TimeZone.knownTimeZoneIdentifiers.sorted().flatMap { name -> [Change] in
        guard let zone = TimeZone(iana: name) else { return [] }
        let days = (19_723..<22_280).map { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double($0) * 86_400)) }
        let found = days.indices.dropFirst().filter { days[$0] != days[$0 - 1] }
        return (found.isEmpty ? [700] : found).map { Change(zone: zone, near: (19_723 + $0) * 1_440) }
    }

    private static func compare(_ change: Change, cases: Int, seed: UInt64) -> [String] {
        // Two days before the change to two days after it are asked for; windows, weeks and months reach beyond.
        let oracle = Oracle(change.zone, from: change.near - 12 * 1_440, minutes: 21 * 1_440)
        let range = (change.near - 2 * 1_440)..<(change.near + 2 * 1_440)
        var dice = Dice(state: seed &* 7_919 &+ 17)
        return (0..<cases).compactMap { number in
            let question = randomCase(change.near, oracle, &dice)
            let expected = oracle.slots(question, in: range)
            let (answer, mismatch) = engine(question, change.zone, range, withPicture: number % 10 == 0)
            if answer != expected || mismatch != nil {
                let (missing, extra) = (Set(expected).subtracting(answer).sorted(), Set(answer).subtracting(expected).sorted())
                return
                    "\(change.zone.identifier) seed \(seed).\(number): missing \(missing.prefix(3)), extra \(extra.prefix(3)), \(mismatch ?? "") \(question)"
            }
            return nil
        }
    }

    /// The engine's slots, and where its reasons say otherwise.
    /// - Parameter withPicture: whether the stretches of a picture are compared as well.
    private static func engine(
        _ question: Oracle.Case, _ zone: TimeZone, _ range: Range<Int>, withPicture: Bool
    ) -> ([Int], String?) {
        func at(_ minute: Int) -> Instant { Instant(seconds: Int64(minute) * 60) }
        let asked = Interval(at(range.lowerBound), at(range.upperBound))
        let days = LocalDays(zone, covering: asked)
        let schedule = Schedule(name: "s", weekly: question.weekly, exceptions: question.exceptions)
        let hours = OpenHours(schedule, days, in: asked, closures: question.closures.map { Interval(at($0.from), at($0.to)) })
        let busy = question.events.map { event in
            Busy(
                Interval(at(event.from), at(event.to)),
                event.isCapacity
                    ? .capacity
                    : event.buffer.map { .booking(SlotBuffer(before: .minutes(Int64($0.before)), after: .minutes(Int64($0.after)))) }
                        ?? .calendar)
        }
        let host = HostAvailability(
            HostQuestion(
                hours: hours, days: days, step: .minutes(Int64(question.step)),
                buffer: SlotBuffer(before: .minutes(Int64(question.before)), after: .minutes(Int64(question.after))),
                earliest: at(question.now + question.notice),
                horizonEnd: HostQuestion.horizonEnd(question.horizon, from: at(question.now), days),
                busy: busy,
                counted: [
                    CountedMeetings(
                        question.limits, question.counted.map { .init(start: at($0.start), length: .minutes(Int64($0.length))) })
                ]), length: .minutes(Int64(question.length)), in: asked)
        let slots = host.slots(in: asked).map { Int($0.seconds / 60) }
        let among = Set(slots)
        // One answer, asked in two ways.
        let mismatch = stride(from: range.lowerBound, to: range.upperBound, by: isSoak ? 5 : 20).first {
            host.reasons(against: at($0)).isEmpty != among.contains($0)
        }
        return (
            slots,
            mismatch.map { "at \($0) the reasons say otherwise: \(host.reasons(against: at($0)))" }
                ?? (withPicture ? picture(host, asked, among) : nil)
        )
    }

    /// Where the stretches of a picture say otherwise than slots and reasons.
    private static func picture(_ host: HostAvailability, _ range: Interval, _ slots: Set<Int>) -> String? {
        let stretches = host.stretches(in: range)
        let edges = stretches.flatMap { [$0.starts.start, $0.starts.end] }
        guard edges.first == range.start, edges.last == range.end, zip(edges.dropFirst(), edges.dropFirst(2)).allSatisfy(<=),
            zip(stretches, stretches.dropFirst()).allSatisfy({ $0.starts.end == $1.starts.start && $0.reasons != $1.reasons })
        else { return "the stretches leave gaps: \(stretches)" }
        return stretches.lazy.compactMap { stretch -> String? in
            let minutes =
                Int(
                    (stretch.starts.start.microseconds + 59_999_999) / 60_000_000)..<Int(
                    (stretch.starts.end.microseconds + 59_999_999) / 60_000_000)
            guard stretch.reasons.isEmpty == minutes.contains(where: slots.contains) else {
                return "\(stretch) says otherwise than the slots"
            }
            let wrong = stride(from: minutes.lowerBound, to: minutes.upperBound, by: 15).first { minute in
                let reasons = host.reasons(against: Instant(seconds: Int64(minute) * 60)).filter { $0 != .notOnGrid }
                return reasons != stretch.reasons.filter { $0 != .notOnGrid }
            }
            return wrong.map { "at \($0) \(stretch) says otherwise than the reasons" }
        }.first
    }

    private static func randomCase(_ near: Int, _ oracle: Oracle, _ dice: inout Dice) -> Oracle.Case {
        func window(_ dice: inout Dice) -> Schedule.Window {
            let from = dice.pick([0, 30, 60, 90, 120, 150, 180, 540, 600, 1_320, 1_380, 1_425])
            return Schedule.Window(from: from, to: from + dice.pick([15, 30, 60, 90, 120, 180, 240, 480, 720]))
        }
        func windows(_ dice: inout Dice) -> [Schedule.Window] {
            if dice.below(8) == 0 { return [Schedule.Window(from: 0, to: 1_440)] }
            return (0..<dice.below(3)).map { _ in window(&dice) }
        }
        func minute(_ dice: inout Dice) -> Int { near + (dice.below(5 * 1_440) - 5 * 720) / 5 * 5 }
        func event(_ dice: inout Dice) -> Oracle.Event {
            let from = minute(&dice)
            let kind = dice.below(5)
            return Oracle.Event(
                from: from, to: from + dice.pick([5, 30, 60, 600]),
                buffer: kind < 3 ? (dice.pick([0, 5, 15]), dice.pick([0, 10, 20])) : nil, isCapacity: kind == 4)
        }
        let date = CalendarDate(day: Int64(near / 1_440) + Int64(dice.below(4)) - 2)
        func limit(_ dice: inout Dice, _ values: [Int]) -> Int? { dice.below(4) == 0 ? dice.pick(values) : nil }
        return Oracle.Case(
            weekly: (0..<7).map { _ in windows(&dice) },
            exceptions: (0..<dice.below(2)).map { _ in
                Schedule.Exception(first: date, last: date + Int64(dice.below(2)), windows: windows(&dice))
            },
            closures: (0..<dice.below(2)).map { _ in
                let from = minute(&dice)
                return (from, from + dice.pick([60, 1_440]))
            },
            step: dice.pick([5, 10, 15, 30, 60]), length: dice.pick([15, 30, 45, 60, 90]), before: dice.pick([0, 5, 15]),
            after: dice.pick([0, 10]), now: near - dice.below(4 * 1_440), notice: dice.pick([0, 120, 1_440]),
            horizon: dice.below(6), events: (0..<dice.below(6)).map { _ in event(&dice) },
            limits: SlotLimits(
                day: limit(&dice, [1, 2]), week: limit(&dice, [1, 3]), month: limit(&dice, [2, 4]), dayMinutes: limit(&dice, [45, 90]),
                weekMinutes: limit(&dice, [120]), monthMinutes: limit(&dice, [240])),
            counted: (0..<dice.below(4)).map { _ in (minute(&dice), dice.pick([15, 30, 60])) })
    }
}

/// Numbers that follow from a seed (SplitMix64, https://prng.di.unimi.it/splitmix64.c).
struct Dice {
    var state: UInt64
    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(limit))
    }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }
}
