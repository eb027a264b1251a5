import Logging
import UsherCore
import UsherStore

/// The heart of the engine: claims what is due, carries it out, writes down what came of it. It spawns nothing and waits for
/// nothing, so that the whole engine can run under a clock that a test moves by hand.
package struct Worker: Sendable {
    private let context: EngineContext
    private let steps: [String: any Step]

    /// Between two tries to write an outcome down.
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)

    /// The pipelines' steps: this list is all there is.
    package init(_ context: EngineContext) {
        self.context = context
        let steps: [any Step] = [
            ProvisionStep(context), NotifyStep(), RemindStep(), DeliverStep(context), CalendarStep(context), NoticeStep(context),
            SweepStep(context), KeepAliveStep(context), WebhookStep(context),
        ]
        self.steps = Dictionary(uniqueKeysWithValues: steps.map { (type(of: $0).kind, $0) })
    }

    /// Does all that is due, one after the other.
    /// - Returns: when something comes due next; `nil` when nothing waits.
    package func pump(limit: Int = 16) async throws -> Instant? {
        while true {
            let batch = try await claim(limit: limit)
            if batch.isEmpty { return try await nextDue() }
            for work in batch { await run(work) }
        }
    }

    /// Claims up to `limit` pieces of work that are due; each is to be handed to ``run(_:)``.
    package func claim(limit: Int) async throws -> [Work] {
        var works: [Work] = []
        for lane in [Lane.mail, .rooms, .hooks] where works.count < limit {
            works += try await claim(limit: limit - works.count, lane: lane)
        }
        return works
    }

    /// - Parameter busy: a service whose work is left where it is, as far as that is known beforehand.
    package func claim(limit: Int, lane: Lane, except busy: String = "") async throws -> [Work] {
        try await transaction { turn in
            let claims = try turn.tx.claim(
                lane, except: busy, process: context.processID, now: turn.now, until: turn.claimEnd, limit: limit)
            return try claims.compactMap { try look($0, turn) }
        }
    }

    /// Claims the steps of one booking that are due, for whoever waits for it.
    package func claim(booking id: String) async throws -> [Work] {
        try await transaction { turn in
            let mails = try turn.tx.mails(of: id).filter { $0.state == .queued || $0.state == .sending }.map { (DeliverStep.kind, $0.id) }
            let hooks = try turn.tx.webhooks().map { (WebhookStep.kind, WebhookStep.subject($0.id, id)) }
            return try ([(ProvisionStep.kind, id), (NotifyStep.kind, id)] + mails + hooks).compactMap { kind, subject in
                try turn.tx.claim(kind: kind, subject: subject, process: context.processID, now: turn.now, until: turn.claimEnd)
                    .flatMap { try look($0, turn) }
            }
        }
    }

    package func nextDue(_ lane: Lane) async throws -> Instant? { try await context.store.read { try $0.nextDue(lane) } }

    package func nextDue() async throws -> Instant? {
        try await context.store.read { tx in try Lane.allCases.compactMap { try tx.nextDue($0) }.min() }
    }

    /// Gives a piece of work back that was claimed and not begun.
    package func putBack(_ work: Work, until: Instant) async {
        let (claim, effect) = (work.claimed.claim, work.claimed.effect)
        do {
            _ = try await record(
                { turn in
                    _ = try effect.withdraw(turn)
                    return .wait(until: until)
                }, claim)
        } catch {
            context.logger.error("a step could not be put back; it comes due again when its claim ends", metadata: ["error": "\(error)"])
        }
    }

    /// Carries a piece of work out, and what follows from it, until there is nothing left to do now.
    ///
    /// A failure to write an outcome down is tried again until the claim runs out; then another look decides.
    package func run(_ work: Work) async {
        var queue = [work.claimed]
        while !queue.isEmpty {
            let (claim, effect) = (queue[0].claim, queue[0].effect)
            queue.removeFirst()
            // Ownership is checked right before something leaves: a claim that has nearly ended sends nothing, and is begun anew.
            let hasTime = context.now + EngineSettings.workLength <= claim.until
            let began = context.now
            let recording = hasTime ? await LogContext.$metadata.withValue(effect.about, operation: effect.run) : effect.withdraw
            do {
                queue += try await record(recording, claim)
                context.meters.time(.steps, context.now - began, ["kind": claim.kind])
                context.changes.tell(claim.subject)
            } catch {
                context.meters.count(.steps, ["kind": claim.kind, "outcome": "unrecorded"])
                context.logger.error(
                    "an outcome could not be written down; the step is looked at again when its claim ends",
                    metadata: ["step": "\(claim.kind) \(claim.subject)", "error": "\(error)"])
            }
        }
    }

    private func record(_ recording: @escaping Recording, _ claim: Claim) async throws -> [ClaimedWork] {
        var pause = Self.firstPause
        while true {
            do {
                let (outcome, next) = try await transaction { turn in
                    switch try recording(turn) {
                    case .rest(let until):
                        try turn.tx.release(claim, due: until, attempt: claim.attempt + 1)
                        return ("retried", [])
                    case .sleep(let until):
                        try turn.tx.release(claim, due: until, attempt: 0)
                        return ("done", [])
                    case .wait(let until):
                        try turn.tx.release(claim, due: until, attempt: claim.attempt)
                        return ("put back", [])
                    case .lookAgain:
                        let renewed = try turn.tx.hold(claim, until: turn.claimEnd)
                        return ("done", try look(renewed, turn).map { [$0.claimed] } ?? [])
                    }
                } then: {
                    ($0.0, $0.1 + $1.map(\.claimed))
                }
                context.meters.count(.steps, ["kind": claim.kind, "outcome": outcome])
                return next
            } catch is ClaimLost {
                // Or the commit took hold although it was said to be unclear: what follows is found when the claim ends.
                context.meters.count(.steps, ["kind": claim.kind, "outcome": "lost"])
                return []
            } catch let error as DatabaseError {
                guard context.now + pause < claim.until, !Task.isCancelled else { throw error }
                await context.pause(pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// Lets the step look at the world. A step that cannot is set aside for a while, so that it does not stop the others.
    private func look(_ claim: Claim, _ turn: Turn) throws -> Work? {
        guard let step = steps[claim.kind] else {
            context.logger.error("a step of an unknown kind waits for a newer Usher", metadata: ["step": "\(claim.kind) \(claim.subject)"])
            try turn.tx.release(claim, due: turn.now + .hours(1), attempt: claim.attempt)
            return nil
        }
        do {
            return try step.prepare(claim, turn).map { effect in
                var claim = claim
                claim.service = effect.provider ?? claim.service
                return Work(ClaimedWork(claim: claim, effect: effect))
            }
        } catch let error as UsherError {
            return try setAside(claim, turn, error.message)
        } catch let error as DatabaseError where error.kind != .busy && error.kind != .unclear {
            // One bad row must not stop the others that were claimed with it.
            return try setAside(claim, turn, error.description)
        }
    }

    private func setAside(_ claim: Claim, _ turn: Turn, _ reason: String) throws -> Work? {
        context.logger.error("a step cannot go on", metadata: ["step": "\(claim.kind) \(claim.subject)", "reason": "\(reason)"])
        let wait = RetryPolicy.step.delay(afterFailures: claim.attempt + 1, context.surroundings)
        try turn.tx.release(claim, due: turn.now + wait, attempt: claim.attempt + 1)
        return nil
    }

    private func transaction(_ body: @escaping @Sendable (Turn) throws -> [Work]) async throws -> [Work] {
        try await transaction(body) { $0 + $1 }
    }

    private func transaction<Result: Sendable>(
        _ body: @escaping @Sendable (Turn) throws -> Result, then: @escaping @Sendable (Result, [Work]) -> Result
    ) async throws -> Result {
        try await context.store.write { tx in
            let turn = Turn(tx: tx, context: context, now: context.now)
            let result = try body(turn)
            return then(result, turn.followUps.map(Work.init))
        }
    }
}

/// A piece of work that a worker has claimed.
package struct Work: Sendable {
    let claimed: ClaimedWork
    init(_ claimed: ClaimedWork) { self.claimed = claimed }

    /// The provider that it will ask; `nil` where it asks none.
    package var provider: String? { claimed.effect.provider }
}
