import Logging
import UsherCore
import UsherStore

/// A durable piece of work behind a booking.
///
/// A step looks at the world, does one thing outside of the database, writes down what came of it, and looks again. It holds
/// nothing in memory between two looks, so a process may die anywhere.
protocol Step: Sendable {
    static var kind: String { get }

    /// Inside the transaction of the claim: either the effect to carry out, its intent written, or `nil` after the step has been
    /// released until later or finished.
    func prepare(_ claim: Claim, _ step: StepTransaction) throws -> Effect?
}

/// What a step does outside of the database. It returns the transaction that writes down the outcome; the look that follows
/// is part of the same commit.
struct Effect: Sendable {
    let run: @Sendable () async -> OutcomeWriter
    /// Takes the intent back that was written for an effect which never began.
    let withdraw: OutcomeWriter
    /// The provider that it asks.
    let provider: String?
    /// What its log lines bear.
    let about: Logger.Metadata

    init(
        provider: String? = nil, about: Logger.Metadata = [:], withdraw: @escaping OutcomeWriter = { _ in .lookAgain },
        run: @escaping @Sendable () async -> OutcomeWriter
    ) {
        self.provider = provider
        self.about = about
        self.run = run
        self.withdraw = withdraw
    }
}
typealias OutcomeWriter = @Sendable (StepTransaction) throws -> StepResult

/// What follows when an outcome is written down.
enum StepResult {
    /// The step looks at the world again, in the same commit.
    case lookAgain
    /// The step rests until then, after a try that went wrong.
    case rest(until: Instant)
    /// The step has done its round, and sleeps until the next.
    case sleep(until: Instant)
    /// The step was never begun, and waits.
    case wait(until: Instant)
}

/// A step by its name.
struct StepKey: Hashable, Sendable {
    var kind: String
    var subject: String
}

extension Claim {
    var step: StepKey { StepKey(kind: kind, subject: subject) }
}

/// A step threw while it looked at the world. It may have written something before, so the whole transaction is taken back.
struct LookFailed: Error {
    var step: StepKey
    var reason: String
}

/// One transaction of a worker, and what it has claimed in it beside its own step.
final class StepTransaction {
    let tx: Tx
    let now: Instant
    /// The end of every claim that is made in this transaction.
    let claimEnd: Instant
    let context: EngineContext
    private(set) var started: [ClaimedWork] = []
    private let mostStarted: Int
    /// Steps that threw when this transaction was run before, and why.
    let failed: [StepKey: String]

    /// More work than this is left to other hands, so that the last of it does not outwait its claim.
    static let mostStarted = 3

    /// - Parameter limit: steps that may be started here, claimed by this process; the others come due at once.
    init(tx: Tx, context: EngineContext, now: Instant, starting limit: Int = StepTransaction.mostStarted, failed: [StepKey: String] = [:]) {
        self.tx = tx
        self.now = now
        self.context = context
        mostStarted = limit
        self.failed = failed
        claimEnd = now + EngineSettings.claimLength
    }

    /// Runs a step's look at the world.
    /// - Throws: ``LookFailed`` for what concerns this step alone; what concerns the database goes through as it is.
    func looking<Result>(at claim: Claim, _ look: () throws -> Result) throws -> Result {
        do { return try look() } catch let error as UsherError {
            throw LookFailed(step: claim.step, reason: error.message)
        } catch let error as DatabaseError where error.kind != .busy && error.kind != .unclear {
            throw LookFailed(step: claim.step, reason: error.description)
        }
    }

    /// When an effect that is prepared now must have ended.
    var deadline: Instant { now + EngineSettings.workLength }

    /// Starts a new step, in this commit claimed by us where there is room, else due at once.
    /// - Parameter start: when the meeting begins that it is for.
    func start(_ step: some Step, subject: String, meeting start: Instant) throws {
        let kind = type(of: step).kind
        // One that threw says so at its own next look; what is being written down here must not be lost with it.
        guard started.count < mostStarted else {
            return try tx.enqueue(kind: kind, subject: subject, due: now, start: start)
        }
        let claim = try tx.addClaimed(kind: kind, subject: subject, process: context.processID, until: claimEnd, start: start)
        if let effect = try looking(at: claim, { try step.prepare(claim, self) }) {
            started.append(ClaimedWork(claim: claim, effect: effect))
        }
    }
}

/// A claimed step and the effect that it is about to carry out.
struct ClaimedWork: Sendable {
    var claim: Claim
    var effect: Effect
}
