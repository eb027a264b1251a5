import Foundation
import UsherCore

/// `GET /v1/slots` of 31 days beside `GET /health/live` under the same callers, with a thousand bookings stored and with a million.
enum SlotServerBench {
    private static let (few, many) = (1_000, 1_000_000)
    private static let (callers, count) = (4, 1_000)

    static func run() async throws {
        guard Rig.databaseURL == nil else { return print("measured on SQLite alone") }
        let small = try await rig(few)
        let large = try await rig(many)
        let range = "from=\(day(1))&to=\(day(31))"
        var (live, slots, slotsOfMany): ([Double], [Double], [Double]) = ([], [], [])
        var (seconds, secondsOfMany): ([Double], [Double]) = ([], [])
        for _ in 0..<Bench.rounds {
            live.append(try times(small.url("/health/live")).sorted()[count / 2])
            let (one, other) = (
                try times(small.url("/v1/slots?meetingType=visit&\(range)")), try times(large.url("/v1/slots?meetingType=visit&\(range)"))
            )
            slots.append(p99(one))
            slotsOfMany.append(p99(other))
            seconds.append(one.reduce(0, +))
            secondsOfMany.append(other.reduce(0, +))
        }
        let (p50, p99) = (Bench.median(live), Bench.median(slots))
        print("/health/live: p50 \(Bench.text(p50 * 1_000)) ms; /v1/slots: p99 \(Bench.text(p99 * 1_000)) ms, \(callers) callers")
        print("ratio: \(Bench.text(p99 / p50)) (at most 5)")
        print("a million bookings beside a thousand: \(Bench.text(Bench.median(secondsOfMany) / Bench.median(seconds))) (at most 1.1)")
        await small.stop()
        await large.stop()
    }

    private static func day(_ days: Int64) -> String { String((Environment.system.now() + .days(days)).rfc3339.prefix(10)) }

    private static func times(_ url: String) throws -> [Double] {
        let answers = try Hey.call(url, callers: callers, count: count)
        guard answers.count == count, answers.allSatisfy({ $0.status == "200" }) else {
            throw BenchError("\(url) did not answer each time")
        }
        return answers.map(\.seconds)
    }

    private static func p99(_ times: [Double]) -> Double { times.sorted()[times.count * 99 / 100 - 1] }

    /// A server with so many bookings of its owner, all of them in the past.
    private static func rig(_ bookings: Int) async throws -> Rig {
        let folder = try Rig.newFolder()
        try catalog.write(toFile: folder + "/meeting-types.yaml", atomically: true, encoding: .utf8)
        let rig = try await Rig(folder: folder, workers: 4)
        try await rig.book(1, callers: 1)
        try await rig.settle()
        try await rig.repeatBooking(bookings - 1)
        return rig
    }

    private static let catalog = Rig.catalog.replacing(
        "owners:", with: "schedules: { day: { weekly: { mon-fri: [\"09:00-17:00\"] } } }\nowners:"
    )
    .replacing("time-zone: Europe/Madrid }", with: "time-zone: Europe/Madrid, schedule: day }")
    .replacing(
        "overlap: allow } }", with: "overlap: allow }, visit: { title: Visit, duration: 30m, hosts: [ana], slots: { horizon: 60d } } }")
}

struct BenchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
