import Logging
import UsherCore
import UsherStore

/// The heart of the engine: claims what is due, carries it out, writes down what came of it. It spawns nothing and waits for
/// nothing, so that the whole engine can run under a clock that a test moves by hand.
package struct Worker: Sendable {
    private let context: EngineContext
    private let handlers: Handlers
    private let floor = DueFloor()

    /// Between two tries to write an outcome down.
    private static let firstPause = Duration.milliseconds(100)
    private static let longestPause = Duration.seconds(5)

    /// Before a job is looked at again whose booking somebody else was at.
    private static let busyPause = Duration.milliseconds(20)

    /// Before work goes on that was stopped because others could not see that this process lives.
    private static let unseenPause = Duration.milliseconds(500)

    /// Jobs that may be started in the commit of another, claimed by this process.
    package static let mostStarted = StepTransaction.mostStarted

    /// A worker on the database of `context`.
    package init(_ context: EngineContext) {
        self.context = context
        handlers = Handlers(context)
    }

    /// Does all that is due, one after the other.
    /// - Returns: when something comes due next; `nil` when nothing waits.
    package func pump(limit: Int = 16) async throws -> Instant? {
        try await Self.freeEndedClaims(context)
        while true {
            let batch = try await claim(limit: limit)
            if batch.isEmpty { return try await nextDue() }
            for work in batch { await run(work) }
        }
    }

    /// Claims pieces of work that are due, until there are `limit` of them: up to as many of each service. Each is to be handed to
    /// ``run(_:starting:)``.
    package func claim(limit: Int) async throws -> [Work] {
        let now = context.now
        let due = try await context.store.read { tx in
            try [Queue.mail, .rooms, .webhooks, .calendars].filter { try tx.nextDue($0).map { $0 <= now } ?? false }
        }
        var works: [Work] = []
        for queue in due where works.count < limit {
            let left = limit - works.count
            works += try await claim(queue) { services in services.map { ($0, left) } }
        }
        return works
    }

    /// - Parameter allot: of the services that have something due, how many pieces of work each may have; it is called inside the
    ///   transaction, and may be called twice.
    package func claim(
        _ queue: Queue, starting limit: Int = Worker.mostStarted,
        allot: @escaping @Sendable ([String]) -> [(service: String, limit: Int)]
    ) async throws -> [Work] {
        guard try await context.store.installation().hold == nil, context.store.database.isAnnounced else { return [] }
        return try await transaction(starting: limit, waits: false) { [floor] step in
            let from = floor.current(queue, now: step.now)
            let services = try step.tx.services(queue, from: from)
            floor.learn(queue, earliest: services.map(\.due).min(), now: step.now)
            let due = services.filter { $0.due <= step.now }.sorted { ($0.due, $0.service) < ($1.due, $1.service) }
            return try allot(due.map(\.service)).flatMap { service, limit in
                try step.tx.claim(
                    queue, service: service, process: context.processID, now: step.now, until: step.claimEnd, limit: limit, from: from
                ).compactMap { try look($0, step) }
            }
        }
    }

    /// Claims the jobs of one booking that are due, for whoever waits for it.
    /// - Parameter delivers: whether its mails and events are sent from here, too, or left to the server that runs.
    package func claim(booking id: String, delivers: Bool = true) async throws -> [Work] {
        guard try await context.store.installation().hold == nil else { return [] }
        return try await transaction(starting: delivers ? StepTransaction.mostStarted : 0, waits: false) { step in
            let mails = try step.tx.mails(of: id).filter { $0.state == .queued || $0.state == .sending }.map { Job.deliver(mail: $0.id) }
            let webhooks = try step.tx.webhooks().map { Job.deliverWebhook(id: $0.id, subject: id) }
            let own = [Job.provision(booking: id), .planMail(booking: id)]
            return try (delivers ? own + mails + webhooks : own).compactMap { job in
                try step.tx.claim(job, process: context.processID, now: step.now, until: step.claimEnd)
                    .flatMap { try look($0, step) }
            }
        }
    }

    /// The services of a queue, and when each has something due.
    package func due(_ queue: Queue) async throws -> [(service: String, due: Instant)] {
        let from = floor.current(queue, now: context.now)
        return try await context.store.read { try $0.services(queue, from: from) }
    }

    /// The queues that have something due, by one look.
    package func dueQueues() async throws -> Set<Queue> {
        let now = context.now
        let floors = Queue.allCases.map { ($0, floor.current($0, now: now)) }
        return try await context.store.read { tx in
            Set(try floors.filter { queue, from in try tx.services(queue, from: from).contains { $0.due <= now } }.map(\.0))
        }
    }

    /// A claim whose commit was unclear ends without anybody who knows of it. No index leads there.
    static func freeEndedClaims(_ context: EngineContext) async throws {
        let now = context.now
        guard try await context.store.read({ try $0.hasEndedClaims(now: now) }) else { return }
        try await context.store.write { try $0.freeEndedClaims(now: now) }
    }

    package func nextDue() async throws -> Instant? {
        try await context.store.read { tx in try Queue.allCases.compactMap { try tx.nextDue($0) }.min() }
    }

    /// Gives a piece of work back that was claimed and not begun.
    package func putBack(_ work: Work, until: Instant) async {
        let effect = work.claimed.effect
        do {
            _ = try await record(
                { step in
                    _ = try effect.withdraw(step)
                    return .wait(until: until)
                }, work.claimed.claim, starting: 0)
        } catch {
            context.logger.error("a job could not be put back; it comes due again when its claim ends", metadata: ["error": "\(error)"])
        }
    }

    /// Carries a piece of work out, and what follows from it, until there is nothing left to do now.
    package func run(_ work: Work, starting limit: Int = Worker.mostStarted) async {
        var pending = [work]
        while !pending.isEmpty {
            let (next, started) = await perform(pending.removeFirst(), starting: limit)
            pending += (next.map { [$0] } ?? []) + started
        }
    }

    /// Carries one piece of work out and writes down what came of it.
    ///
    /// A failure to write an outcome down is tried again until the claim runs out; then another look decides. One that is the outcome's
    /// own counts as a try in vain, so that the service is not asked again each minute and somebody sees it.
    /// - Parameter limit: jobs that may be started in the same commit, claimed by us.
    /// - Returns: what the same job does next, and the jobs that were started.
    package func perform(_ work: Work, starting limit: Int = Worker.mostStarted) async -> (next: Work?, started: [Work]) {
        let (claim, effect) = (work.claimed.claim, work.claimed.effect)
        // Ownership is checked right before something leaves: a claim that has nearly ended sends nothing, and is begun anew.
        guard context.store.database.isAnnounced else {
            await putBack(work, until: context.now + Self.unseenPause)
            return (nil, [])
        }
        let hasTime = context.now + EngineSettings.workLength <= claim.until
        let began = context.now
        let recording = hasTime ? await effect.carryOut() : effect.withdraw
        do {
            let recorded = try await record(recording, claim, starting: limit)
            context.meters.time(.steps, context.now - began, ["kind": claim.id.kind])
            context.changes.tell(claim.id.key)
            return recorded
        } catch {
            context.meters.count(.steps, ["kind": claim.id.kind, "outcome": "unrecorded"])
            context.logger.error(
                "an outcome could not be written down; the job is looked at again when its claim ends",
                metadata: ["job": "\(claim.id)", "error": "\(error)"])
            if !(error is DatabaseError), !Task.isCancelled { await setAside(claim) }
            return (nil, [])
        }
    }

    private func setAside(_ claim: Claim) async {
        let wait = RetryPolicy.job.delay(afterFailures: claim.attempt + 1, context.environment)
        do { _ = try await record({ .rest(until: $0.now + wait) }, claim, starting: 0) } catch {
            context.logger.error("a job could not be set aside", metadata: ["job": "\(claim.id)", "error": "\(error)"])
        }
    }

    private func record(
        _ recording: @escaping OutcomeWriter, _ claim: Claim, starting limit: Int
    ) async throws -> (next: Work?, started: [Work]) {
        var pause = Self.firstPause
        while true {
            do {
                let (outcome, next, started) = try await write(starting: limit) { step -> (String, Work?) in
                    switch try recording(step) {
                    case .rest(let until):
                        try step.tx.release(claim, due: until, attempt: claim.attempt + 1)
                        return ("retried", nil)
                    case .sleep(let until):
                        try step.tx.release(claim, due: until, attempt: 0)
                        return ("done", nil)
                    case .wait(let until):
                        try step.tx.release(claim, due: until, attempt: claim.attempt)
                        return ("put back", nil)
                    case .lookAgain:
                        guard var work = try look(claim, step) else { return ("done", nil) }
                        // Only what goes on holds its claim on.
                        work.claimed.claim = try step.tx.renew(work.claimed.claim, until: step.claimEnd)
                        return ("done", work)
                    }
                } then: {
                    ($0.0, $0.1, $1)
                }
                context.meters.count(.steps, ["kind": claim.id.kind, "outcome": outcome])
                return (next, started)
            } catch is ClaimLost {
                // Or the commit took hold although it was said to be unclear: what follows is found when the claim ends.
                context.meters.count(.steps, ["kind": claim.id.kind, "outcome": "lost"])
                return (nil, [])
            } catch let error as DatabaseError {
                guard context.now + pause < claim.until, !Task.isCancelled else { throw error }
                await context.pause(pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// Lets the job look at the database. A job that cannot is set aside for a while, so that it does not stop the others.
    private func look(_ claim: Claim, _ step: StepTransaction) throws -> Work? {
        guard let job = Job(claim.id) else {
            context.logger.error("a job that this Usher cannot read waits for a newer one", metadata: ["job": "\(claim.id)"])
            try step.tx.release(claim, due: step.now + .hours(1), attempt: claim.attempt)
            return nil
        }
        if let reason = step.failed[claim.id] {
            context.logger.error("a job cannot go on", metadata: ["job": "\(claim.id)", "reason": "\(reason)"])
            let wait = RetryPolicy.job.delay(afterFailures: claim.attempt + 1, context.environment)
            try step.tx.release(claim, due: step.now + wait, attempt: claim.attempt + 1)
            return nil
        }
        do { return try prepare(job, claim, step) } catch is BookingBusy {
            // Whoever is at it is done in a moment.
            try step.tx.release(claim, due: step.now + Self.busyPause, attempt: claim.attempt)
            return nil
        }
    }

    private func prepare(_ job: Job, _ claim: Claim, _ step: StepTransaction) throws -> Work? {
        try step.looking(at: claim) {
            let effect = try handlers.prepare(job, claim, step)
            // What cannot be written is this job's fault.
            try step.isSuspicious ? step.tx.settleWrites() : step.tx.writePending()
            return effect.map { effect in
                var claim = claim
                claim.service = effect.provider ?? claim.service
                return Work(ClaimedWork(job: job, claim: claim, effect: effect))
            }
        }
    }

    /// Makes a change, and starts work that follows from it in the same commit.
    /// - Parameter limit: jobs that may be started.
    /// - Returns: what `body` did, and the jobs that were started: the caller sees to it that they are carried out or put back.
    package func change<Result: Sendable>(
        starting limit: Int, _ body: @escaping @Sendable (StepTransaction) throws -> Result
    ) async throws -> (result: Result, started: [Work]) {
        try await write(starting: limit, body) { ($0, $1) }
    }

    private func transaction(
        starting limit: Int = Worker.mostStarted, waits: Bool, _ body: @escaping @Sendable (StepTransaction) throws -> [Work]
    ) async throws -> [Work] {
        try await write(starting: limit, waits: waits, body) { $0 + $1 }
    }

    /// Runs `body` in a transaction. A job that throws while it looks at the database takes everything back that was written in it; the
    /// transaction is run again, and sets that job aside unseen: one bad row must not stop the others that were claimed with it.
    /// - Parameter waits: whether it waits for bookings that others are at.
    private func write<Body: Sendable, Result: Sendable>(
        starting limit: Int, waits: Bool = true, _ body: @escaping @Sendable (StepTransaction) throws -> Body,
        then: @escaping @Sendable (Body, [Work]) -> Result
    ) async throws -> Result {
        var failed: [JobID: String] = [:]
        var isSuspicious = false
        while true {
            do {
                return try await context.store.write { [failed, isSuspicious] tx in
                    var tx = tx
                    tx.waitsForBookings = waits
                    tx.now = context.now
                    // A job that is started here is new at each run: one that threw would throw again under another name.
                    let step = StepTransaction(
                        tx: tx, context: context, now: tx.now, starting: failed.isEmpty && !isSuspicious ? limit : 0, failed: failed,
                        isSuspicious: isSuspicious, look: handlers.prepare)
                    let result = try body(step)
                    return then(result, step.started.map(Work.init))
                }
            } catch let error as LookFailed {
                failed[error.job] = error.reason
            } catch let error as DatabaseError where error.isLasting && !isSuspicious {
                // One of the writes that travelled together: run again, each job's are waited for, and tell whose it was.
                isSuspicious = true
            }
        }
    }
}
