import Logging
import Synchronization
import UsherCore
import UsherStore

/// The thin shell around the worker: concurrency, waiting, heartbeats, a graceful end.
///
/// Each queue has slots of its own, and each piece of work runs in a slot of its queue: a relay that hangs holds up mail alone. Within a
/// queue a service may take three quarters of the slots that it and nobody have, so that one that hangs leaves a share to the next, and
/// two leave one to the third.
package final class WorkLoop: JobStarter {
    private struct State {
        var running: [Queue: Int] = [:]
        /// By provider, or by the program that is notified; work that asks neither under the empty name.
        var byService: [Queue: [String: Int]] = [:]
        /// Work that was started in another queue's commit, and has its slot already.
        var handedOver: [Queue: [Work]] = [:]
        var isStopping = false
    }
    private let context: EngineContext
    private let worker: Worker
    /// Pieces of work at the same time, in each queue.
    private let concurrency: Int
    private let state = Mutex(State())
    private var signal: WorkSignal { context.store.signal }

    /// After work could not be claimed.
    private static let pause = Duration.milliseconds(200)
    private static let batchLimit = 16
    /// Pieces of work at the same time, in each queue, while callers crowd in: it goes on, and leaves them the machine.
    private static let underPressure = 4

    package init(_ context: EngineContext, concurrency: Int = 32) {
        self.context = context
        self.concurrency = concurrency
        worker = Worker(context)
    }

    /// Works until ``stop()`` or until the task is cancelled: then it claims nothing more, lets what runs finish, and hands the
    /// rest back.
    package func run() async {
        await Actor.$current.withValue(.system) { await work() }
    }

    private func work() async {
        let heartbeat = Heartbeat(context)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await heartbeat.run() }
            group.addTask { await self.tick() }
            group.addTask { await self.settleLimits() }
            await withTaskCancellationHandler {
                await withTaskGroup(of: Void.self) { queues in
                    for queue in Queue.allCases { queues.addTask { await self.work(queue) } }
                }
            } onCancel: {
                self.stop()
            }
            group.cancelAll()
        }
        await heartbeat.leave()
    }

    package func stop() {
        state.withLock { $0.isStopping = true }
        signal.send(to: Queue.allCases)
    }

    /// Wakes the loops of queues that have something due: what other processes have made, or what its time has come for.
    private func tick() async {
        while !Task.isCancelled {
            await context.sleep(context.store.database.pollInterval)
            // While the database does not answer, nothing can be claimed either; the heartbeat says so.
            if let due = try? await worker.dueQueues() { signal.tick(due) }
        }
    }

    /// Counts together with other servers.
    private func settleLimits() async {
        while !Task.isCancelled {
            await context.sleep(RateLimits.interval)
            do { try await context.limits.settle() } catch is CancellationError { return } catch {
                context.logger.warning("what was let through could not be saved", metadata: ["error": "\(error)"])
            }
        }
    }

    private func work(_ queue: Queue) async {
        let listener = signal.listen(for: queue)
        await withDiscardingTaskGroup { group in
            var mustLook = true
            while !state.withLock({ $0.isStopping }) {
                do {
                    for work in takeHandedOver(queue) { group.addTask { await self.carryOut(work, queue) } }
                    if mustLook, try await startBatch(queue, &group) { continue }
                    mustLook = await waitForWork(queue, listener)
                } catch {
                    mustLook = true
                    context.logger.error("work could not be claimed", metadata: ["error": "\(error)"])
                    await context.pause(Self.pause)
                }
            }
            for work in takeHandedOver(queue) { await giveBack(work, queue) }
        }
    }

    // MARK: Slots

    /// Pieces of work at the same time that a queue takes now.
    private var width: Int { context.pressure.isHigh ? min(concurrency, Self.underPressure) : concurrency }

    /// How many more pieces of work a service may have, where so many slots are free.
    private static func share(taken: Int, free: Int) -> Int {
        min(free, max(taken == 0 ? 1 : 0, (taken + free) * 3 / 4 - taken))
    }

    /// Mails that may be begun in the commit that writes them.
    private var mostStarted: Int { min(StepTransaction.mostStarted, freeSlots(.mail)) }

    private func freeSlots(_ queue: Queue) -> Int { state.withLock { max(0, width - $0.running[queue, default: 0]) } }

    package func hasSlot(_ queue: Queue, service: String) -> Bool {
        state.withLock { state in
            let free = width - state.running[queue, default: 0]
            let taken = state.byService[queue]?[service] ?? 0
            return !state.isStopping && free > 0 && (service.isEmpty || Self.share(taken: taken, free: free) > 0)
        }
    }

    package func change<Result: Sendable>(_ body: @escaping @Sendable (StepTransaction) throws -> Result) async throws -> Result {
        // A room's work, or the mails of a booking without one.
        let (result, started) = try await worker.change(starting: max(1, mostStarted), body)
        for work in started { await handOver(work) }
        return result
    }

    /// Shares the free slots of a queue out to services that have something due, the one with the least work under way first.
    private func allot(_ queue: Queue, _ services: [String]) -> [(service: String, limit: Int)] {
        state.withLock { state in
            var free = min(width - state.running[queue, default: 0], Self.batchLimit)
            let taken = state.byService[queue, default: [:]]
            let ordered = services.enumerated().sorted { one, other in
                (taken[one.element, default: 0], one.offset) < (taken[other.element, default: 0], other.offset)
            }
            return ordered.compactMap { _, service in
                // What asks no service cannot be held up by one.
                let limit = service.isEmpty ? free : Self.share(taken: taken[service, default: 0], free: free)
                guard limit > 0 else { return nil }
                free -= limit
                return (service, limit)
            }
        }
    }

    /// Takes a slot for a piece of work.
    /// - Parameter former: of the slot that it has already, while it asked this service.
    /// - Returns: `false` where its queue is full, its service has its share, or the loop is to end.
    private func admit(_ work: Work, _ queue: Queue, former: String? = nil) -> Bool {
        let service = work.provider ?? ""
        return state.withLock { state in
            if let former { state.byService[queue, default: [:]][former, default: 0] -= 1 }
            let running = state.running[queue, default: 0] - (former == nil ? 0 : 1)
            let free = width - running
            let taken = state.byService[queue, default: [:]][service, default: 0]
            let isIn = !state.isStopping && free > 0 && (service.isEmpty || Self.share(taken: taken, free: free) > 0)
            state.running[queue] = isIn ? running + 1 : running
            if isIn { state.byService[queue, default: [:]][service] = taken + 1 }
            return isIn
        }
    }

    /// Gives a slot back, and says so where somebody may wait for it.
    private func leave(_ work: Work, _ queue: Queue) {
        let service = work.provider ?? ""
        let wasFull = state.withLock { state in
            let (running, taken) = (state.running[queue, default: 0], state.byService[queue]?[service] ?? 0)
            state.running[queue] = running - 1
            state.byService[queue, default: [:]][service] = taken > 1 ? taken - 1 : nil
            return running >= width || Self.share(taken: taken, free: width - running) <= 0
        }
        if wasFull { signal.send(to: [queue]) }
    }

    // MARK: Carrying out

    /// Claims what there are slots for, and starts it.
    /// - Returns: whether there may be more of the kind.
    private func startBatch(_ queue: Queue, _ group: inout DiscardingTaskGroup) async throws -> Bool {
        guard freeSlots(queue) > 0 else { return false }
        let allotted = Mutex(0)
        let batch = try await worker.claim(queue, starting: mostStarted) { services in
            let shares = self.allot(queue, services)
            allotted.withLock { $0 = shares.map(\.limit).min() ?? 0 }
            return shares
        }
        for work in batch {
            guard admit(work, queue) else {
                await worker.putBack(work, until: context.now)
                continue
            }
            group.addTask { await self.carryOut(work, queue) }
        }
        let smallest = allotted.withLock { $0 }
        return smallest > 0 && batch.count >= smallest
    }

    /// Carries out a piece of work that has its slot, and what the same step does next.
    private func carryOut(_ work: Work, _ queue: Queue) async {
        var work = work
        while true {
            let (next, started) = await worker.perform(work, starting: mostStarted)
            for other in started { await handOver(other) }
            guard let next else { break }
            if next.provider != work.provider, !admit(next, queue, former: work.provider ?? "") {
                await worker.putBack(next, until: context.now)
                return signal.send(to: [queue])
            }
            work = next
        }
        leave(work, queue)
    }

    /// Gives a step that was started to its own queue, or back where that has no slot for it. A queue that ends takes what it was
    /// given before; after that nobody is let in.
    private func handOver(_ work: Work) async {
        let queue = work.queue
        guard admit(work, queue) else { return await worker.putBack(work, until: context.now) }
        let isTaken = state.withLock { state in
            if !state.isStopping { state.handedOver[queue, default: []].append(work) }
            return !state.isStopping
        }
        if isTaken { signal.handOver(to: queue) } else { await giveBack(work, queue) }
    }

    private func takeHandedOver(_ queue: Queue) -> [Work] { state.withLock { $0.handedOver.removeValue(forKey: queue) ?? [] } }

    private func giveBack(_ work: Work, _ queue: Queue) async {
        await worker.putBack(work, until: context.now)
        leave(work, queue)
    }

    /// Waits until a piece of work is due that there is a slot for, or one is handed over. What was due before has been looked at.
    /// - Returns: whether something may have come due.
    private func waitForWork(_ queue: Queue, _ listener: Int) async -> Bool {
        var mustLook = false
        while !state.withLock({ $0.isStopping || $0.handedOver[queue]?.isEmpty == false }) {
            if mustLook {
                let due = ((try? await worker.due(queue)) ?? []).filter { $0.due <= context.now }.map(\.service)
                if !due.isEmpty, !allot(queue, due).isEmpty { return true }
            }
            mustLook = await signal.wait(as: listener)
        }
        return mustLook
    }
}
