import Logging
import Synchronization
import UsherCore
import UsherStore

/// The thin shell around the worker: concurrency, waiting, heartbeats, a graceful end.
package final class WorkLoop: Sendable {
    private struct State {
        var running = 0
        var isStopping = false
    }
    private let context: EngineContext
    private let worker: Worker
    private let bell: Bell
    /// Pieces of work at the same time.
    private let concurrency: Int
    private let state = Mutex(State())

    /// How often work that another process has made is looked for.
    private static let pollInterval = Duration.milliseconds(200)
    private static let batchLimit = 16

    package init(_ context: EngineContext, bell: Bell, concurrency: Int = 32) {
        self.context = context
        self.bell = bell
        self.concurrency = concurrency
        worker = Worker(context)
    }

    /// Works until ``stop()`` or until the task is cancelled: then it claims nothing more, lets what runs finish, and hands the
    /// rest back.
    package func run() async {
        let membership = Membership(context)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await membership.run() }
            group.addTask { await self.tick() }
            await withTaskCancellationHandler {
                await self.work()
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

    /// Has the loop look for what other processes have made, and for what has come due.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.pollInterval)
            bell.tick()
        }
    }

    private func work() async {
        await withDiscardingTaskGroup { group in
            while !state.withLock({ $0.isStopping }) {
                do {
                    let limit = min(concurrency - state.withLock { $0.running }, Self.batchLimit)
                    let batch = limit > 0 ? try await worker.claim(limit: limit) : []
                    for work in batch { start(work, &group) }
                    if limit > 0, batch.count == limit { continue }
                    await waitForWork()
                } catch {
                    context.logger.error("work could not be claimed", metadata: ["error": "\(error)"])
                    await context.pause(Self.pollInterval)
                }
            }
        }
    }

    private func start(_ work: Work, _ group: inout DiscardingTaskGroup) {
        state.withLock { $0.running += 1 }
        group.addTask {
            await self.worker.run(work)
            let wasFull = self.state.withLock { state in
                state.running -= 1
                return state.running == self.concurrency - 1
            }
            if wasFull { self.bell.ring() }
        }
    }

    private func waitForWork() async {
        while !state.withLock({ $0.isStopping }) {
            let next = (try? await worker.nextDue()) ?? .never
            if next <= context.now, state.withLock({ $0.running < concurrency }) { return }
            if await bell.wait() { return }
        }
    }
}
