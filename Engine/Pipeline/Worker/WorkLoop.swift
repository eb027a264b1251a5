import Logging
import Synchronization
import UsherCore
import UsherStore

/// The thin shell around the worker: concurrency, waiting, heartbeats, a graceful end.
///
/// Mail has a lane of its own, and no provider may take all of the other, so that one that hangs holds up its own rooms alone.
package final class WorkLoop: Sendable {
    private struct State {
        var running: [Lane: Int] = [:]
        /// By provider, or by the program that is told.
        var byService: [Lane: [String: Int]] = [:]
        var isStopping = false
    }
    private let context: EngineContext
    private let worker: Worker
    private let bell: Bell
    /// Pieces of work at the same time, in each lane.
    private let concurrency: Int
    private let state = Mutex(State())

    /// How often work that another process has made is looked for.
    private static let pollInterval = Duration.milliseconds(200)
    /// How long work waits whose provider has its share of the lane already.
    private static let crowdedWait = Duration.seconds(2)
    private static let batchLimit = 16
    /// Pieces of work at the same time, in each lane, while callers crowd in: it goes on, and leaves them the machine.
    private static let underPressure = 4

    package init(_ context: EngineContext, bell: Bell, concurrency: Int = 32) {
        self.context = context
        self.bell = bell
        self.concurrency = concurrency
        worker = Worker(context)
    }

    /// Of one provider, at the same time.
    private var share: Int { max(1, width * 3 / 4) }

    /// Works until ``stop()`` or until the task is cancelled: then it claims nothing more, lets what runs finish, and hands the
    /// rest back.
    package func run() async {
        let membership = Membership(context)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await membership.run() }
            group.addTask { await self.tick() }
            await withTaskCancellationHandler {
                await withTaskGroup(of: Void.self) { lanes in
                    for lane in Lane.allCases { lanes.addTask { await self.work(lane) } }
                }
            } onCancel: {
                self.stop()
            }
            group.cancelAll()
        }
        await membership.leave()
    }

    package func stop() {
        state.withLock { $0.isStopping = true }
        bell.ring()
    }

    /// Has the loops look for what other processes have made, and for what has come due.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.pollInterval)
            bell.tick()
        }
    }

    private func work(_ lane: Lane) async {
        let listener = bell.listen()
        // In front of what is beside a busy service there may be much work for that service, to be passed over at every look. So it
        // is looked for at a tick, and for as long as a look finds all that it asks for.
        var looksBeside = true
        await withDiscardingTaskGroup { group in
            while !state.withLock({ $0.isStopping }) {
                do {
                    let vacancy = vacancy(lane)
                    let limit = vacancy.busy.isEmpty || looksBeside ? min(vacancy.free, Self.batchLimit) : 0
                    let batch = limit > 0 ? try await worker.claim(limit: limit, lane: lane, except: vacancy.busy) : []
                    for work in batch { start(work, lane, &group) }
                    if limit > 0, !vacancy.busy.isEmpty { looksBeside = batch.count == limit }
                    if limit > 0, batch.count == limit { continue }
                    if await waitForWork(lane, listener) { looksBeside = true }
                } catch {
                    context.logger.error("work could not be claimed", metadata: ["error": "\(error)"])
                    await context.pause(Self.pollInterval)
                }
            }
        }
    }

    /// Pieces of work at the same time that a lane takes now.
    private var width: Int { context.pressure.isHigh ? min(concurrency, Self.underPressure) : concurrency }

    /// What a lane takes on now.
    private struct Vacancy {
        /// How many more pieces of work.
        var free: Int
        /// The service that has its share, and whose work is not to be among them; there are no two of them.
        var busy = ""
    }

    private func vacancy(_ lane: Lane) -> Vacancy { state.withLock { vacancy(lane, $0) } }

    private func vacancy(_ lane: Lane, _ state: State) -> Vacancy {
        let free = max(0, width - state.running[lane, default: 0])
        guard let (service, taken) = state.byService[lane]?.max(by: { $0.value < $1.value }) else { return Vacancy(free: free) }
        return taken < share ? Vacancy(free: min(free, share - taken)) : Vacancy(free: free, busy: service)
    }

    private func start(_ work: Work, _ lane: Lane, _ group: inout DiscardingTaskGroup) {
        let isCrowded = state.withLock { state in
            state.running[lane, default: 0] += 1
            guard let service = work.provider else { return false }
            state.byService[lane, default: [:]][service, default: 0] += 1
            return state.byService[lane, default: [:]][service, default: 0] > share
        }
        group.addTask {
            if isCrowded {
                await self.worker.putBack(work, until: self.context.now + Self.crowdedWait)
            } else {
                await self.worker.run(work)
            }
            let before = self.state.withLock { state in
                defer {
                    state.running[lane, default: 0] -= 1
                    if let service = work.provider { state.byService[lane, default: [:]][service, default: 0] -= 1 }
                }
                return self.vacancy(lane, state)
            }
            // It was the last place, of the lane or of a service: somebody may wait for it.
            if before.free == 0 || !before.busy.isEmpty { self.bell.ring() }
        }
    }

    /// - Returns: whether it was a tick that ended it.
    private func waitForWork(_ lane: Lane, _ listener: Int) async -> Bool {
        while !state.withLock({ $0.isStopping }) {
            let vacancy = vacancy(lane)
            if vacancy.busy.isEmpty, vacancy.free > 0, (try? await worker.nextDue(lane)) ?? .never <= context.now { return false }
            if await bell.wait(as: listener) { return false }
            if !vacancy.busy.isEmpty { return true }
        }
        return false
    }
}
