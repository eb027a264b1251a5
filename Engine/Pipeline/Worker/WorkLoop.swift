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
        var byProvider: [String: Int] = [:]
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
        await withDiscardingTaskGroup { group in
            while !state.withLock({ $0.isStopping }) {
                do {
                    let limit = min(room(lane), Self.batchLimit)
                    let batch = limit > 0 ? try await worker.claim(limit: limit, lane: lane) : []
                    for work in batch { start(work, lane, &group) }
                    if limit > 0, batch.count == limit { continue }
                    await waitForWork(lane, listener)
                } catch {
                    context.logger.error("work could not be claimed", metadata: ["error": "\(error)"])
                    await context.pause(Self.pollInterval)
                }
            }
        }
    }

    private func running(_ lane: Lane) -> Int { state.withLock { $0.running[lane, default: 0] } }

    /// Pieces of work at the same time that a lane takes now.
    private var width: Int { context.pressure.isHigh ? min(concurrency, Self.underPressure) : concurrency }
    /// How many more it takes.
    private func room(_ lane: Lane) -> Int { max(0, width - running(lane)) }

    private func start(_ work: Work, _ lane: Lane, _ group: inout DiscardingTaskGroup) {
        let isCrowded = state.withLock { state in
            state.running[lane, default: 0] += 1
            guard let provider = work.provider else { return false }
            state.byProvider[provider, default: 0] += 1
            return state.byProvider[provider, default: 0] > share
        }
        group.addTask {
            if isCrowded {
                await self.worker.putBack(work, until: self.context.now + Self.crowdedWait)
            } else {
                await self.worker.run(work)
            }
            self.state.withLock { state in
                state.running[lane, default: 0] -= 1
                if let provider = work.provider { state.byProvider[provider, default: 0] -= 1 }
            }
            // It was the last place: somebody may wait for it.
            if self.room(lane) == 1 { self.bell.ring() }
        }
    }

    private func waitForWork(_ lane: Lane, _ listener: Int) async {
        while !state.withLock({ $0.isStopping }) {
            let next = (try? await worker.nextDue(lane)) ?? .never
            if next <= context.now, room(lane) > 0 { return }
            if await bell.wait(as: listener) { return }
        }
    }
}
