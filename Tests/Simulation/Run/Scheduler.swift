import Foundation
import Synchronization
import TestSupport
import TestValues
import UsherCore

/// Runs a simulated world's tasks on one thread, one at a time. A task that comes to a seam waits there, and once all wait, the seed
/// says who goes on: every order of what they do can happen, and the same seed gives the same order.
///
/// Now and then a task stands still at a seam while the others go on for long, as a process does that the machine has stopped.
final class Scheduler: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// Who stands still, and for how many turns of others.
        var still: [(turns: Int, task: CheckedContinuation<Void, Never>)] = []
        /// Calls under way that may have left this thread.
        var away = 0
        var isOver = false
        var turns = 0
    }
    private let seed: Seed
    private let condition = NSCondition()
    /// Guarded by `condition`.
    nonisolated(unsafe) private var state = State()

    private let number: UInt64
    /// Some hundred times what a run needs.
    private static let mostTurns = 2_000_000

    init(_ seed: Seed, number: UInt64) {
        self.seed = seed
        self.number = number
    }

    /// Runs `body` and all that it starts on the calling thread, to its end.
    func run(_ body: @escaping @Sendable () async -> Void) {
        Task(executorPreference: self) {
            await body()
            self.change { $0.isOver = true }
        }
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        change { $0.jobs.append(job) }
    }

    /// Waits at a seam until it is this task's turn.
    func turn() async { await turn(standing: seed.chance(3) ? 5 + seed.below(60) : 0) }

    /// Waits for a while, in turns of others.
    func pause() async { await turn(standing: 10 + seed.below(40)) }

    private func turn(standing stands: Int) async {
        await withCheckedContinuation { task in
            self.change { state in
                if stands == 0 { state.waiting.append(task) } else { state.still.append((stands, task)) }
            }
        }
    }

    /// Runs a call that may leave this thread: nobody goes on meanwhile.
    func away<Result>(_ call: () async throws -> Result) async rethrows -> Result {
        change { $0.away += 1 }
        defer { change { $0.away -= 1 } }
        return try await call()
    }

    private func change(_ body: (inout State) -> Void) {
        condition.lock()
        body(&state)
        condition.signal()
        condition.unlock()
    }

    /// What runs next; `nil` at the end.
    private func next() -> UnownedJob? {
        condition.lock()
        defer { condition.unlock() }
        while state.jobs.isEmpty {
            if state.isOver { return nil }
            guard state.away == 0, let task = takeTurn() else {
                guard condition.wait(until: Date(timeIntervalSinceNow: 120)) else { fatalError("the run of seed \(number) stands still") }
                continue
            }
            condition.unlock()
            task.resume()
            condition.lock()
        }
        return state.jobs.removeFirst()
    }

    private func takeTurn() -> CheckedContinuation<Void, Never>? {
        state.turns += 1
        guard state.turns < Self.mostTurns else { fatalError("the run of seed \(number) does not end") }
        for index in state.still.indices.reversed() {
            state.still[index].turns -= 1
            if state.still[index].turns <= 0 || state.waiting.isEmpty { state.waiting.append(state.still.remove(at: index).task) }
        }
        return state.waiting.isEmpty ? nil : state.waiting.remove(at: seed.below(state.waiting.count))
    }
}
