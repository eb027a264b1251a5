import Foundation
import UsherCore

/// Four times as many bookings as the server can take, asked for by Debian's `hey` at a steady rate: those that it accepts are answered
/// nearly as fast as at half load, the rest are told to come again, and nothing that was accepted is lost.
enum OverloadBench {
    private static let seconds = 5.0

    static func run() async throws {
        let rig = try await Rig(folder: try Rig.newFolder(), workers: 32)
        var accepted = try load(rig, callers: 32, count: 800).accepted.count
        try await rig.settle()
        let full = try load(rig, callers: 32, count: 1_600)
        let capacity = Double(full.accepted.count) / full.seconds
        try await rig.settle()
        let half = try load(rig, callers: 12, count: Int(capacity / 2 * seconds), rate: capacity / 2)
        try await rig.settle()
        let flood = try load(rig, callers: 256, count: Int(capacity * 4 * seconds), rate: capacity * 4)
        let memory = try rig.memory()
        try await rig.settle()
        accepted += full.accepted.count + half.accepted.count + flood.accepted.count
        let stored = try await rig.bookingCount()
        print("it can take: \(Bench.text(capacity, 0)) bookings/s from 32 callers, their rooms and mails being made meanwhile")
        print("half load:   p99 \(Bench.text(half.p99 * 1_000, 0)) ms, \(half.refused) told to come again")
        print(
            "4 times it:  \(flood.accepted.count) accepted, p99 \(Bench.text(flood.p99 * 1_000, 0)) ms, \(Bench.text(flood.p99 / half.p99)) times (at most 3); \(flood.refused) told to come again, \(flood.other) anything else"
        )
        print("resident:    \(Bench.text(memory, 0)) MiB (under 256)")
        print("lost:        \(accepted - stored) of \(accepted) (0)")
        await rig.stop()
    }

    private struct Outcome {
        /// Seconds of each.
        var accepted: [Double] = []
        var refused = 0
        var other = 0
        /// Of the whole.
        var seconds = 0.0

        var p99: Double { accepted.sorted()[max(0, accepted.count * 99 / 100 - 1)] }
    }

    /// - Parameter rate: calls a second of all callers; as fast as they are answered where it is not given.
    private static func load(_ rig: Rig, callers: Int, count: Int, rate: Double? = nil) throws -> Outcome {
        let body = rig.folder + "/booking.json"
        try Rig.booking(number: 1).write(toFile: body, atomically: true, encoding: .utf8)
        let began = ContinuousClock.now
        let answers = try Hey.call(
            rig.bookingsURL, callers: callers, count: count,
            ["-m", "POST", "-T", "application/json", "-D", body] + (rate.map { ["-q", Bench.text($0 / Double(callers))] } ?? []))
        var outcome = Outcome()
        outcome.seconds = Double((ContinuousClock.now - began).microseconds) / 1_000_000
        for answer in answers {
            switch answer.status {
            case "201": outcome.accepted.append(answer.seconds)
            case "429", "503": outcome.refused += 1
            default: outcome.other += 1
            }
        }
        return outcome
    }
}
