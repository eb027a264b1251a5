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
        var byProvider: [Lane: [String: Int]] = [:]
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
                    let room = room(lane)
                    let limit = min(room.places, Self.batchLimit)
                    let batch = limit > 0 ? try await worker.claim(limit: limit, lane: lane, except: room.busy) : []
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

    /// Pieces of work at the same time that a lane takes now.
    private var width: Int { context.pressure.isHigh ? min(concurrency, Self.underPressure) : concurrency }

    private struct Room {
        /// How many more pieces of work a lane takes.
        var places: Int
        /// The provider that has its share, and whose work is not to be among them; there are no two of them.
        var busy = ""
    }

    private func room(_ lane: Lane) -> Room {
        state.withLock { state in
            let free = max(0, width - state.running[lane, default: 0])
            guard let (provider, places) = state.byProvider[lane]?.max(by: { $0.value < $1.value }) else { return Room(places: free) }
            return places < share ? Room(places: min(free, share - places)) : Room(places: free, busy: provider)
        }
    }

    private func start(_ work: Work, _ lane: Lane, _ group: inout DiscardingTaskGroup) {
        let isCrowded = state.withLock { state in
            state.running[lane, default: 0] += 1
            guard let provider = work.provider else { return false }
            state.byProvider[lane, default: [:]][provider, default: 0] += 1
            return state.byProvider[lane, default: [:]][provider, default: 0] > share
        }
        group.addTask {
            if isCrowded {
                await self.worker.putBack(work, until: self.context.now + Self.crowdedWait)
            } else {
                await self.worker.run(work)
            }
            let room = self.room(lane)
            self.state.withLock { state in
                state.running[lane, default: 0] -= 1
                if let provider = work.provider { state.byProvider[lane, default: [:]][provider, default: 0] -= 1 }
            }
            // It was the last place, of the lane or of a provider: somebody may wait for it.
            if room.places == 0 || !room.busy.isEmpty { self.bell.ring() }
        }
    }

    private func waitForWork(_ lane: Lane, _ listener: Int) async {
        while !state.withLock({ $0.isStopping }) {
            let room = room(lane)
            if room.busy.isEmpty, room.places > 0, (try? await worker.nextDue(lane)) ?? .never <= context.now { return }
            let rang = await bell.wait(as: listener)
            // Behind a provider that has its share there may be much of its work: others' is looked for at a tick only.
            if room.busy.isEmpty ? rang : !rang || self.room(lane).busy.isEmpty { return }
        }
    }
}
