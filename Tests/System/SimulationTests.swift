import Foundation
import Testing

/// Long tests run in full where `USHER_SOAK` is set.
let isSoak = ProcessInfo.processInfo.environment["USHER_SOAK"] != nil

@Suite(.timeLimit(.minutes(180)))
struct SimulationTests {
    /// `USHER_SEED=7` replays a single run, `USHER_SEED=1-5000` a range.
    private static var seeds: [UInt64] {
        let named = (ProcessInfo.processInfo.environment["USHER_SEED"] ?? "").split(separator: "-").compactMap { UInt64($0) }
        if let first = named.first, let last = named.last, first <= last { return Array(first...last) }
        return Array(1...(isSoak ? 20_000 : 200))
    }

    /// What two hundred runs must have gone through, or they prove nothing.
    private static let troubles = [
        "crash", "booking.rescheduled", "booking.cancelled", "meeting.unclear", "meeting.found", "meeting.absent", "meeting.refused",
        "meeting.fallback", "meeting.updated", "meeting.removed", "mail.queued", "mail.sent.reminder", "booking.entered",
    ]

    @Test("whatever goes wrong, each live booking ends with one room, a cancelled one with none, and each reader with each mail once")
    func holdsUnderFaults() async throws {
        let outcomes = try await withThrowingTaskGroup(of: (UInt64, Simulation.Outcome).self) { group in
            var outcomes: [(seed: UInt64, outcome: Simulation.Outcome)] = []
            var pending = Self.seeds[...]
            func start() {
                guard let seed = pending.popFirst() else { return }
                group.addTask { (seed, try await Simulation(seed: seed).run()) }
            }
            for _ in 0..<2 { start() }
            while let found = try await group.next() {
                outcomes.append(found)
                for violation in found.1.violations { print("seed \(found.0): \(violation)") }
                start()
            }
            return outcomes
        }
        let failures = outcomes.flatMap { run in run.outcome.violations.map { "seed \(run.seed): \($0)" } }
        #expect(failures.isEmpty, "replay one with USHER_SEED=n: \(failures.prefix(20).joined(separator: "\n"))")
        guard Self.seeds.count >= 200 else { return }
        let events = Dictionary(outcomes.flatMap(\.outcome.events).map { ($0, 1) }, uniquingKeysWith: +)
        print("simulated:", events.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        for event in Self.troubles { #expect(events[event, default: 0] >= 5, "too little trouble: \(events)") }
    }
}
