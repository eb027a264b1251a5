import Foundation
import Logging
import Synchronization
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore

/// Carries one booking's steps to their end, under the same claims as any server.
struct BookingDriver {
    private let runtime: Runtime
    /// After so long what is left is left to `usher serve`, where nothing else is asked for.
    static let patience = Duration.seconds(30)
    private static let pause = Duration.milliseconds(100)

    init(_ runtime: Runtime) { self.runtime = runtime }

    /// - Parameter patience: what is left after so long is left to `usher serve`.
    /// - Throws: ``Exit/provider`` when a cancelled booking's room could not be removed yet.
    func drive(_ id: String, within patience: Duration = patience) async throws -> BookingView {
        // What goes wrong on the way is told once, at the end.
        LogOutput.settings.withLock { $0.level = .error }
        let membership = Heartbeat(runtime.context, serves: false)
        try await membership.join()
        do {
            let view = try await carryOut(id, until: runtime.context.now + patience, membership)
            await membership.leave()
            return view
        } catch {
            await membership.leave()
            throw error
        }
    }

    private func carryOut(_ id: String, until end: Instant, _ membership: Heartbeat) async throws -> BookingView {
        let worker = Worker(runtime.context)
        // A running server sends mail and events by its own configuration.
        let delivers = try await !membership.isServed()
        var view = try await runtime.service.view(id)
        var hasWarned = false
        while runtime.context.now < end {
            try await membership.beat()
            let batch = try await worker.claim(booking: id, delivers: delivers)
            for work in batch { await worker.run(work, starting: delivers ? Worker.mostStarted : 0) }
            view = try await runtime.service.view(id)
            if batch.isEmpty, isSettled(view), try await !isHeldElsewhere(id) {
                break
            }
            if view.booking.meeting.problem != nil, view.mails.isEmpty, !hasWarned {
                Output.diagnostic(
                    "No room yet: \(view.booking.meeting.problem?.message ?? "") Waiting until \(end.inZone(view.booking.terms.owner.timeZone))."
                )
                hasWarned = true
            }
            // Nothing to do now: a provider or a mail system wants a moment, or a server has the step.
            if batch.isEmpty { try await Task.sleep(for: Self.pause) }
        }
        if try await hasRoomToRemove(view) { throw Self.stillStanding(isHeld: runtime.context.store.isHeld) }
        return view
    }

    private static func stillStanding(isHeld: Bool) -> Exit {
        Output.diagnostic(
            "The room still stands at the provider; \(isHeld ? "it is removed after `usher release`" : "`usher serve` goes on removing it")."
        )
        return .provider
    }

    /// Whether a server is at the booking's steps at this moment.
    private func isHeldElsewhere(_ id: String) async throws -> Bool {
        try await runtime.context.store.read { tx in
            try [Job.provision(booking: id), .planMail(booking: id)].contains { try tx.isClaimed($0) }
        }
    }

    /// A cancelled booking whose room is not gone yet.
    private func hasRoomToRemove(_ view: BookingView) async throws -> Bool {
        guard view.booking.status == .cancelled else { return false }
        let rooms = try await runtime.context.store.read { try $0.rooms(of: view.booking.id) }
        return rooms.contains { [.live, .removing, .attempting, .unclear].contains($0.state) }
    }

    /// Nothing more will happen soon.
    private func isSettled(_ view: BookingView) -> Bool {
        if view.booking.meeting.status == .pending, view.booking.meeting.problem == nil { return false }
        let isUnderWay = view.mails.contains { $0.state == .queued || $0.state == .sending }
        // Who was never told of a booking is not told of its end.
        return !isUnderWay && (!view.mails.isEmpty || view.booking.status == .cancelled)
    }

    /// Shows the booking; the command fails when there is no room.
    func report(_ view: BookingView, _ options: Options) async throws {
        if options.json { Output.json(view.json) } else { Output.booking(view) }
        let failed = view.mails.filter { $0.state == .failed }
        if !failed.isEmpty {
            Output.diagnostic(
                "\(failed.count) mails could not be delivered: \(failed.compactMap(\.problem).first ?? ""). `usher booking retry \(view.booking.id)` sends them again."
            )
        }
        switch view.booking.meeting.status {
        case .ready, .onJoin, .cancelled: if !failed.isEmpty { throw Exit.provider }
        case .pending:
            if runtime.context.store.isHeld {
                Output.diagnostic("The booking stands, and all that follows from it waits until `usher release`.")
                throw Exit.provider
            }
            let isServed = try await Heartbeat(runtime.context, serves: false).isServed()
            Output.diagnostic(
                "The booking stands. Its room is not ready yet; \(isServed ? "the running server goes on with it" : "no server runs: start `usher serve`, which goes on with it")."
            )
            throw Exit.provider
        case .blocked, .failed:
            Output.diagnostic(
                "The booking stands, and its mail leads to the join page. Mend the problem; `usher booking retry \(view.booking.id)` then tries at once."
            )
            throw Exit.provider
        }
    }
}
