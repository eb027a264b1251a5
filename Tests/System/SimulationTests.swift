import Foundation
import Simulation
import TestSupport
import Testing

/// Long tests run in full where `USHER_SOAK` is set.
let isSoak = ProcessInfo.processInfo.environment["USHER_SOAK"] != nil

/// `usher-simulate` replays a single run, or a range of them.
@Suite(.timeLimit(.minutes(20)))
struct SimulationTests {
    /// What these runs must have gone through, or they prove nothing.
    private static let troubles = [
        "crash", "booking.rescheduled", "booking.cancelled", "meeting.unclear", "meeting.found", "meeting.absent", "meeting.refused",
        "meeting.fallback", "meeting.updated", "meeting.removed", "mail.queued", "mail.sent.reminder", "booking.entered",
        "meeting.created", "meeting.twin-removed", "meeting.gone", "calendar.added", "calendar.removed", "connection.connect",
        "connection.disconnect", "owner.remove", "webhook.rotate", "webhook.replay", "webhook.enable", "drift.told", "meeting.drifted",
        "calendar.told", "calendar.lied", "disk.full", "process.stopped", "catalog.reloaded", "mail.failed",
    ]

    @Test("whatever goes wrong, each live booking ends with one room, a cancelled one with none, and each reader with each mail once")
    func holdsUnderFaults() async throws {
        let report = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Runs.run(Array(1...(TestDatabase.isPostgreSQL ? 20 : 260)))) }
        }
        print("simulated:", report.events.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        #expect(report.violations.isEmpty, "replay one with usher-simulate: \(report.violations.prefix(20).joined(separator: "\n"))")
        // Fewer runs on a server go through less.
        for event in Self.troubles where !TestDatabase.isPostgreSQL {
            #expect(report.events[event, default: 0] >= 2, "too little trouble: \(report.events)")
        }
    }
}
