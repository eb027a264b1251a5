import Foundation

/// Threads that each have a transaction runner, and take jobs from one queue in the order in which they came.
final class WorkerThreads: Sendable {
    typealias Job = @Sendable (TransactionRunner) -> Void
    private let queue = JobQueue()

    init(count: Int, runner: @escaping @Sendable () -> TransactionRunner) {
        for index in 0..<count {
            let thread = Thread { [queue] in
                let runner = runner()
                while let job = queue.next() { job(runner) }
                queue.ended()
            }
            thread.name = "postgres-\(index)"
            thread.start()
        }
        queue.begin(count)
    }

    deinit { queue.close() }

    /// - Returns: `false` where the threads are ended, or about to: the job is not run.
    func add(_ job: @escaping Job) -> Bool { queue.add(job) }
    /// Ends the threads once they have done what was added, and waits for that.
    func close() {
        queue.close()
        queue.waitForEnd()
    }
}

/// Jobs that wait for a thread.
private final class JobQueue: Sendable {
    private let condition = NSCondition()
    private nonisolated(unsafe) var jobs: [WorkerThreads.Job] = []
    private nonisolated(unsafe) var isClosed = false
    private nonisolated(unsafe) var running = 0

    func begin(_ count: Int) { locked { running += count } }
    func ended() {
        locked {
            running -= 1
            condition.broadcast()
        }
    }

    func add(_ job: @escaping WorkerThreads.Job) -> Bool {
        locked {
            guard !isClosed else { return false }
            jobs.append(job)
            condition.signal()
            return true
        }
    }

    /// Blocks until there is one; `nil` once the queue is closed and empty.
    func next() -> WorkerThreads.Job? {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        return jobs.removeFirst()
    }

    func close() {
        locked {
            isClosed = true
            condition.broadcast()
        }
    }

    func waitForEnd() {
        condition.lock()
        while running > 0 { condition.wait() }
        condition.unlock()
    }

    private func locked<Result>(_ work: () -> Result) -> Result {
        condition.lock()
        defer { condition.unlock() }
        return work()
    }
}
