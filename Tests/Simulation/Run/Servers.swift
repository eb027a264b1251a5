import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import UsherCore
import UsherPipeline
import UsherStore

/// The process died here: nothing that it does from now on has any effect.
struct SimulatedCrash: Error {}

/// One process of a simulated run: once dead, it stays dead, and every seam it holds refuses it.
final class SimulatedProcess: Sendable {
    private let dead = Mutex(false)
    private let loop = Mutex<WorkLoop?>(nil)
    /// By user, the commits in which a pair of tokens that has just come may not be stored yet.
    private let writesToStore = Mutex<[String: Int]>([:])
    private let endedGrants: EndedGrants
    var isDead: Bool { dead.withLock { $0 } }

    /// For so many seconds the machine stops a process: less than a claim lasts, or more.
    static let stops: [Int64] = [10, 70, 130]
    private let stoppedUntil = Mutex(Instant(microseconds: 0))

    init(_ endedGrants: EndedGrants) { self.endedGrants = endedGrants }

    func crash() {
        for user in writesToStore.withLock({ $0.keys }) { endedGrants.add(user) }
        dead.withLock { $0 = true }
        loop.withLock { $0 }?.stop()
    }

    /// The machine stops the process; it goes on as if nothing had been.
    func stop(until end: Instant) { stoppedUntil.withLock { $0 = end } }
    func isStopped(at now: Instant) -> Bool { !isDead && stoppedUntil.withLock { now < $0 } }

    func gotGrant(of user: String) { writesToStore.withLock { $0[user] = 60 } }
    func hasWritten() { writesToStore.withLock { calls in calls = calls.mapValues { $0 - 1 }.filter { $0.value > 0 } } }
    func runs(_ loop: WorkLoop) { self.loop.withLock { $0 = loop } }
}

/// Whose grants at Zoom have ended, or may have: somebody disconnected, or a new pair of tokens was lost on its way or with its reader,
/// which nobody can help.
final class EndedGrants: Sendable {
    private let users = Mutex<Set<String>>([])
    func contains(_ user: String) -> Bool { users.withLock { $0.contains(user) } }
    func add(_ user: String) { users.withLock { _ = $0.insert(user) } }
    /// A user has agreed anew, and Zoom has ended the grant before.
    func begin(_ user: String) { users.withLock { _ = $0.remove(user) } }
}

/// A server: a process with its work loop.
struct Server {
    var process: SimulatedProcess
    var context: EngineContext
    var loop: WorkLoop
    var service: BookingService { BookingService(context, starter: loop) }
}

extension SimulatedRun {
    /// Two servers or three, until the trouble is over.
    func replaceDead(_ group: inout DiscardingTaskGroup) async {
        state.withLock { state in
            state.crashes += state.servers.count { $0.process.isDead }
            state.servers.removeAll { $0.process.isDead }
        }
        let wanted = dice.seed.chance(20) ? 3 : 2
        while state.withLock({ $0.servers.count }) < wanted {
            do {
                let server = try start()
                try await Heartbeat(server.context).join()
                state.withLock { $0.servers.append(server) }
                group.addTask { await server.loop.run() }
            } catch {
                // It is started again after a while.
                await scheduler.turn()
                clock.advance(by: .seconds(1))
            }
        }
    }

    private func start() throws -> Server {
        let process = SimulatedProcess(endedGrants)
        // No clock is right to the second, and some are set while they run.
        let skews: [Duration] = [.zero, .zero, .seconds(2), .seconds(-2), .seconds(5), .seconds(-5)]
        let (early, late) = (dice.seed.pick(skews), dice.seed.pick(skews))
        let turn = clock.now + .minutes(Int64(dice.seed.below(300)))
        let skew: @Sendable () -> Duration = { [clock] in clock.now < turn ? early : late }
        let seam = Seam(
            process: process, dice: dice, clock: clock, scheduler: scheduler, skew: skew, disk: disk, endedGrants: endedGrants)
        let slow = SandboxTransport(zoom: zoom, google: google, microsoft: microsoft) { [clock] in
            await seam.pass()
            clock.advance(by: $0)
        }
        var context = try TestEngine.context(
            database: FaultyDatabase(database: database, seam: seam), transport: FaultyTransport(sandbox: slow, zoom: zoom, seam: seam),
            mailer: FaultyMailer(recorder: mail, refused: refusedMails, seam: seam),
            receivers: FaultyReceiver(receiver: receiver, mayEnd: mood.receiverEnds, seam: seam),
            calendars: FaultyCalendars(calendars: calendars, seam: seam), clock: clock, seed: dice.seed, catalog: world.catalog,
            renderer: world.renderer, skew: skew)
        context.pause = seam.pause
        context.sleep = seam.pause
        let loop = WorkLoop(context, concurrency: dice.seed.pick([1, 2, 4, 8]))
        process.runs(loop)
        return Server(process: process, context: context, loop: loop)
    }

    /// One of the servers, living or not; `nil` where there is none.
    func anyServer() -> Server? {
        let servers = state.withLock { $0.servers }
        return servers.isEmpty ? nil : dice.seed.pick(servers)
    }
}
