import Foundation
import Logging
import UsherCore
import UsherStore

/// One heartbeat row for each process, so that the work of one that died is taken over by those that live.
package struct Heartbeat: Sendable {
    private let context: EngineContext
    private let serves: Bool

    private static let beatInterval = Duration.seconds(5)
    /// Without a sign for so long, a process counts as dead where nothing tells sooner; longer than any claim.
    private static let silence = Duration.seconds(90)
    /// How often claims are looked for that have ended.
    private static let claimInterval = Duration.seconds(30)
    /// How often the dead are looked for where the database can tell at once.
    private static let lookInterval = Duration.milliseconds(500)

    /// - Parameter serves: whether this is a server; a command does its own booking's work alone.
    package init(_ context: EngineContext, serves: Bool = true) {
        self.context = context
        self.serves = serves
    }

    /// Enters this process, and takes over what the dead have left behind.
    package func join() async throws {
        try await context.store.database.announce(process: context.processID)
        try await context.store.write { try $0.addProcess(entry) }
        try await context.health.refresh()
        try await takeOver()
        try await Worker.freeEndedClaims(context)
    }

    private var entry: StoredProcess {
        StoredProcess(
            id: context.processID, startedAt: context.now, heartbeat: context.now, serves: serves, catalogue: context.catalog.digest,
            version: UsherVersion.number, host: ProcessInfo.processInfo.hostName)
    }

    /// Beats and watches until the task is cancelled.
    package func run() async {
        var (beat, look) = (context.now, context.now)
        while true {
            await context.sleep(Self.lookInterval)
            guard !Task.isCancelled else { return }
            do {
                if context.now - beat >= Self.beatInterval {
                    beat = context.now
                    try await self.beat()
                }
                if context.now - look >= Self.claimInterval {
                    look = context.now
                    try await Worker.freeEndedClaims(context)
                }
                let others = try await takeOver()
                context.limits.setAlone(others == 0)
            } catch is CancellationError {
                return
            } catch {
                context.logger.warning("the heartbeat could not be written", metadata: ["error": "\(error)"])
            }
        }
    }

    package func beat() async throws {
        try await context.store.write { [context] tx in
            if try !tx.beat(context.processID, catalogue: context.catalog.digest, now: context.now) { try tx.addProcess(entry) }
        }
        try await context.store.refreshInstallation()
        try await context.health.refresh()
        await context.refresher.saveUnsaved()
        try await context.budgets.save()
    }

    /// Whether a server is there that goes on with all work.
    package func isServed() async throws -> Bool {
        let now = context.now
        for process in try await context.store.read({ try $0.processes() }) where process.serves && process.id != context.processID {
            guard now - process.heartbeat <= Self.silence else { continue }
            if try await !context.store.database.isDead(process: process.id) { return true }
        }
        return false
    }

    /// Frees the claims and the leases of processes that have died.
    ///
    /// Of one that is only silent every claim from before has ended by itself. Should it hold one, it lives and has just made it.
    /// - Returns: how many other servers live.
    @discardableResult
    package func takeOver() async throws -> Int {
        let now = context.now
        let others = try await context.store.read { try $0.processes() }.filter { $0.id != context.processID }
        var (dead, silent): ([String], [String]) = ([], [])
        for process in others {
            if try await context.store.database.isDead(process: process.id) {
                dead.append(process.id)
            } else if now - process.heartbeat > Self.silence {
                silent.append(process.id)
            }
        }
        let living = others.count { $0.serves && !dead.contains($0.id) && !silent.contains($0.id) }
        guard !dead.isEmpty || !silent.isEmpty else { return living }
        let freed = try await context.store.write { [dead, silent] tx in
            for id in dead + silent { try tx.removeProcess(id) }
            // A pair of tokens of an owner's that was being renewed may be renewed still: those leases end by themselves.
            for id in dead { try tx.unleaseTokens(of: id) }
            return try dead.reduce(0) { try $0 + tx.freeClaims(of: $1, now: now) }
        }
        context.logger.notice(
            "took over from processes that died", metadata: ["processes": "\(dead.count + silent.count)", "steps": "\(freed)"])
        return living
    }

    /// Hands back what this process still had claimed, and takes its row away.
    package func leave() async {
        await context.refresher.saveUnsaved()
        do {
            try await context.store.write { [context] tx in
                try tx.freeClaims(of: context.processID, now: context.now)
                try tx.removeProcess(context.processID)
            }
        } catch { context.logger.warning("claims could not be handed back; they run out by themselves", metadata: ["error": "\(error)"]) }
        do { try await context.budgets.save() } catch {
            context.logger.warning("what hosts have spent of their day could not be saved", metadata: ["error": "\(error)"])
        }
    }
}
