import Foundation
import UsherAvailability
import UsherCore

/// The one function that decides when somebody is free, without a database.
enum SlotBench {
    static func run() {
        let now = Instant(seconds: 1_795_507_200)
        let range = Interval(now, now + .days(31))
        let one = Bench.median((0..<Bench.rounds).map { _ in time(200) { _ = slots(.hours(1), range, host: 0) } })
        print("slots of one owner, 31 days, 200 busy intervals: \(Bench.text(one, 3)) ms (at most 0.3)")
        let pool = Bench.median(
            (0..<Bench.rounds).map { _ in
                time(10) { _ = Pool.union((0..<50).map { slots(.minutes(5), range, host: $0) }) }
            })
        print("a pool of 50, 31 days, a slot every 5 minutes: \(Bench.text(pool, 2)) ms (at most 10)")
    }

    /// Milliseconds for one run.
    private static func time(_ count: Int, _ body: () -> Void) -> Double {
        body()
        let began = ContinuousClock.now
        for _ in 0..<count { body() }
        return Double((ContinuousClock.now - began).microseconds) / 1_000 / Double(count)
    }

    /// A host's slots, hours and all, as for a call of the API.
    private static func slots(_ step: Duration, _ range: Interval, host: Int64) -> [Instant] {
        let days = LocalDays(TimeZone(identifier: "Europe/Berlin")!, covering: range)
        let schedule = Schedule(
            name: "day", weekly: Array(repeating: [Schedule.Window(from: 480, to: 750), Schedule.Window(from: 810, to: 1_080)], count: 7))
        let busy = (0..<200).map { number -> Busy in
            let start = range.start + .minutes((Int64(number) * 223 + host * 17) % 44_640)
            let interval = Interval(start, start + .minutes(30))
            return Busy(interval, number.isMultiple(of: 2) ? .calendar : .booking(SlotBuffer(after: .minutes(10))))
        }
        let question = HostQuestion(
            hours: OpenHours(schedule, days, in: range), days: days, step: step, buffer: SlotBuffer(after: .minutes(5)),
            earliest: range.start,
            horizonEnd: range.end, busy: busy)
        return HostAvailability(question, length: .minutes(30), in: range).slots(in: range)
    }
}
