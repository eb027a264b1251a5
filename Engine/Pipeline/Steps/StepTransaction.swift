import Logging
import UsherCore
import UsherStore

/// What a job does outside of the database. It returns the transaction that writes down the outcome; the next look at the database
/// is part of the same commit.
struct Effect: Sendable {
    let run: @Sendable () async -> OutcomeWriter
    /// Takes the intent back that was written for an effect which never began.
    let withdraw: OutcomeWriter
    /// The provider that it asks, or the webhook that it notifies.
    let provider: String?
    /// The metadata of its log lines.
    let about: Logger.Metadata
    /// The trace that its calls belong to.
    let trace: TraceContext?

    init(
        provider: String? = nil, about: Logger.Metadata = [:], trace: TraceContext? = nil,
        withdraw: @escaping OutcomeWriter = { _ in .lookAgain }, run: @escaping @Sendable () async -> OutcomeWriter
    ) {
        self.provider = provider
        self.about = about.merging(trace.map { ["trace": "\($0.traceID)"] } ?? [:]) { $1 }
        self.trace = trace
        self.run = run
        self.withdraw = withdraw
    }

    /// What is done for a booking, in the trace of the call that made it.
    init(
        provider: String? = nil, for booking: Booking, withdraw: @escaping OutcomeWriter = { _ in .lookAgain },
        run: @escaping @Sendable () async -> OutcomeWriter
    ) {
        self.init(
            provider: provider, about: ["booking": "\(booking.id)", "owner": "\(booking.terms.owner.id)"], trace: booking.trace,
            withdraw: withdraw, run: run)
    }

    /// Carries it out, its log lines and its calls under its name.
    func carryOut() async -> OutcomeWriter {
        await LogContext.$metadata.withValue(about) { await TraceContext.$current.withValue(trace, operation: run) }
    }
}
typealias OutcomeWriter = @Sendable (StepTransaction) throws -> StepResult

/// What follows when an outcome is written down.
enum StepResult {
    /// The job looks at the database again, in the same commit.
    case lookAgain
    /// The job rests until then, after a try that went wrong.
    case rest(until: Instant)
    /// The job has done its round, and sleeps until the next.
    case sleep(until: Instant)
    /// The job was never begun, and waits.
    case wait(until: Instant)
}

/// A job threw while it looked at the database. It may have written something before, so the whole transaction is taken back.
struct LookFailed: Error {
    var job: JobID
    var reason: String
}

/// Inside the transaction of a claim: either the effect to carry out, its intent written, or `nil` after the job has been released until
/// later or finished.
typealias Look = @Sendable (Job, Claim, StepTransaction) throws -> Effect?

/// One transaction of a worker, and what it has claimed in it beside its own job.
package final class StepTransaction {
    let tx: Tx
    let now: Instant
    /// The end of every claim that is made in this transaction.
    let claimEnd: Instant
    let context: EngineContext
    private(set) var started: [ClaimedWork] = []
    private let mostStarted: Int
    /// Jobs that threw when this transaction was run before, and why.
    let failed: [JobID: String]
    /// Whether a write went wrong when this transaction was run before, and nobody knows whose.
    let isSuspicious: Bool
    /// The worker's handlers.
    private let look: Look

    /// More work than this is left to others, so that the last of it does not outwait its claim.
    static let mostStarted = 3

    /// - Parameter limit: jobs that may be started here, claimed by this process; the others come due at once.
    init(
        tx: Tx, context: EngineContext, now: Instant, starting limit: Int = StepTransaction.mostStarted, failed: [JobID: String] = [:],
        isSuspicious: Bool = false, look: @escaping Look
    ) {
        self.tx = tx
        self.now = now
        self.context = context
        mostStarted = limit
        self.failed = failed
        self.isSuspicious = isSuspicious
        self.look = look
        claimEnd = now + EngineSettings.claimLength
    }

    /// Runs a job's look at the database.
    /// - Throws: ``LookFailed`` for what concerns this job alone; what concerns the database goes through as it is.
    func looking<Result>(at claim: Claim, _ look: () throws -> Result) throws -> Result {
        do { return try look() } catch let error as UsherError {
            throw LookFailed(job: claim.id, reason: error.message)
        } catch let error as DatabaseError where error.isLasting {
            throw LookFailed(job: claim.id, reason: error.description)
        }
    }

    /// When an effect that is prepared now must have ended.
    var deadline: Instant { now + EngineSettings.workLength }

    /// Enqueues what follows from a change that is written in this transaction.
    func followUp(_ change: Change) throws { try tx.enqueue(followUps(of: change, now: now), now: now) }

    /// Starts a new job, in this commit claimed by us where there is room, else due at once.
    func start(_ scheduled: ScheduledJob) throws {
        // One that threw says so at its own next look; what is being written down here must not be lost with it.
        guard started.count < mostStarted, !tx.isHeld else { return try tx.enqueue([scheduled], now: now) }
        let job = scheduled.job
        let claim = try tx.addClaimed(scheduled, process: context.processID, until: claimEnd)
        if let effect = try looking(at: claim, { try look(job, claim, self) }) {
            started.append(ClaimedWork(job: job, claim: claim, effect: effect))
        }
    }

    /// Ends a job that has nothing more to do.
    func finish(_ claim: Claim) throws -> Effect? {
        try tx.finish(claim)
        return nil
    }
}

/// A claimed job and the effect that it is about to carry out.
struct ClaimedWork: Sendable {
    var job: Job
    var claim: Claim
    var effect: Effect
}
