import UsherCore

/// A claim on a step: while it lasts, no other worker touches the step, and only its holder can write it. Whoever claims or frees
/// a step raises its fence, and whoever gives it back is its holder no more: a claim from before matches nothing. Not even where
/// the step was done meanwhile and is there anew, with a fence from the beginning: then the claims end at different times.
package struct Claim: Hashable, Sendable {
    /// What is to be done.
    package var kind: String
    /// What it is to be done for.
    package var subject: String
    /// Counts the claims on the step since it was enqueued.
    package var fence: Int64
    /// Tries in a row that went wrong.
    package var attempt: Int64
    /// The end of the claim.
    package var until: Instant
    /// The provider that it asks, or the program that it tells, as far as that is known; else empty.
    package var service: String
    /// Who holds it.
    package var process: String
    /// When the meeting begins that it is for; ``Instant/never`` where it is for none.
    package var start: Instant
}

/// The claim has ended, and the step is somebody else's or done: nothing of its work may be written. Every transaction of a holder
/// renews, gives back or ends its claim, and where that fails this takes all of it back.
package struct ClaimLost: Error {}

/// Work that must not wait for each other's providers.
package enum Queue: Int64, Sendable, CaseIterable {
    /// Calls to video providers.
    case rooms = 0
    /// Mail, and the timers that have it written.
    case mail = 1
    /// Webhooks to programs that listen.
    case hooks = 2

    /// The queue of a kind of step.
    package init(_ kind: String) {
        self =
            switch kind {
            case "notify", "remind", "deliver", "notice", "sign-in": .mail
            case "webhook": .hooks
            default: .rooms
            }
    }
}

/// Statements on steps.
package enum StepSQL: String, SQLStatement {
    /// The services of a queue with the time at which each has something due. An index is skipped through, from one service to the
    /// next, so a long backlog costs nothing.
    case services = """
        WITH RECURSIVE known (service) AS (
            SELECT MIN(service) FROM steps WHERE lane = $1
            UNION ALL
            SELECT (SELECT MIN(service) FROM steps WHERE lane = $1 AND service > known.service) FROM known WHERE known.service IS NOT NULL)
        SELECT service, (SELECT MIN(due_at) FROM steps WHERE lane = $1 AND service = known.service) FROM known WHERE service IS NOT NULL
        """
    /// A step that is claimed comes due again when its claim ends, so one column answers both questions.
    case claim = """
        UPDATE steps SET claimed_by = $1, fence = fence + 1, due_at = $2, again_at = NULL
        WHERE (kind, subject) IN (SELECT kind, subject FROM steps
            WHERE lane = $3 AND service = $4 AND due_at <= $5 ORDER BY starts_at, due_at LIMIT $6)
            AND due_at <= $5
        RETURNING kind, subject, fence, attempt, service, starts_at
        """
    case claimOne = """
        UPDATE steps SET claimed_by = $1, fence = fence + 1, due_at = $2, again_at = NULL
        WHERE kind = $3 AND subject = $4 AND due_at <= $5
        RETURNING kind, subject, fence, attempt, service, starts_at
        """
    case insertClaimed = """
        INSERT INTO steps (kind, subject, lane, due_at, claimed_by, starts_at, fence, attempt) VALUES ($1, $2, $3, $4, $5, $6, 1, 0)
        """
    /// What is asked for while the step is claimed waits in `again_at` until the claim is given back.
    case enqueue = """
        INSERT INTO steps (kind, subject, lane, due_at, service, starts_at, fence, attempt) VALUES ($1, $2, $3, $4, $5, $6, 0, 0)
        ON CONFLICT (kind, subject) DO UPDATE SET
            service = CASE WHEN excluded.service = '' THEN steps.service ELSE excluded.service END,
            starts_at = excluded.starts_at,
            due_at = CASE WHEN steps.claimed_by IS NULL AND excluded.due_at < steps.due_at THEN excluded.due_at ELSE steps.due_at END,
            again_at = CASE WHEN steps.claimed_by IS NOT NULL AND (steps.again_at IS NULL OR excluded.due_at < steps.again_at)
                THEN excluded.due_at ELSE steps.again_at END
        """
    case renew = """
        UPDATE steps SET due_at = $1, again_at = CASE WHEN again_at <= $2 THEN NULL ELSE again_at END
        WHERE kind = $3 AND subject = $4 AND fence = $5 AND claimed_by = $6 AND due_at = $7
        """
    case release = """
        UPDATE steps SET due_at = CASE WHEN again_at < $1 THEN again_at ELSE $1 END, again_at = NULL, attempt = $2, service = $3,
            claimed_by = NULL
        WHERE kind = $4 AND subject = $5 AND fence = $6 AND claimed_by = $7 AND due_at = $8
        """
    case finish = """
        DELETE FROM steps WHERE kind = $1 AND subject = $2 AND fence = $3 AND claimed_by = $4 AND due_at = $5 AND again_at IS NULL
        """
    case claimed = "SELECT 1 FROM steps WHERE kind = $1 AND subject = $2 AND claimed_by IS NOT NULL"
    case runNow = "UPDATE steps SET due_at = $1 WHERE kind = $2 AND subject = $3 AND claimed_by IS NULL"
    case dequeue = "DELETE FROM steps WHERE kind = $1 AND subject = $2 AND claimed_by IS NULL"
    case waiting = """
        SELECT kind, COUNT(*), MIN(due_at) FROM steps WHERE claimed_by IS NULL AND due_at <= $1 GROUP BY kind
        """
    case working = "SELECT kind, COUNT(*) FROM steps WHERE claimed_by IS NOT NULL GROUP BY kind"
    case troubled = """
        SELECT kind, subject, due_at, attempt, starts_at FROM steps WHERE claimed_by IS NULL AND attempt > 2 AND kind = $1
            AND (starts_at > $2 OR (starts_at = $2 AND subject < $3)) ORDER BY starts_at, subject DESC LIMIT $4
        """
    case troubledKinds = "SELECT kind, COUNT(*) FROM steps WHERE claimed_by IS NULL AND attempt > 2 GROUP BY kind ORDER BY kind"
    case freeClaimsOf = "UPDATE steps SET due_at = $1, claimed_by = NULL, fence = fence + 1 WHERE claimed_by = $2"
}

extension Tx {
    /// Claims up to `limit` steps of one service that are due, for `process`, until `until`: those for the nearest meetings.
    package func claim(
        _ queue: Queue, service: String, process: String, now: Instant, until: Instant, limit: Int
    ) throws -> [Claim] {
        try query(
            StepSQL.claim, .text(process), SQLValue(until), .int(queue.rawValue), .text(service), SQLValue(now), .int(Int64(limit))
        ).map { try claim(from: $0, until, process) }
    }

    /// The services of a queue, the empty one of unknown among them, and when each has something due.
    package func services(_ queue: Queue) throws -> [(service: String, due: Instant)] {
        try query(StepSQL.services, .int(queue.rawValue)).map { (try $0.text(0), try $0.instant(1)) }
    }

    /// Claims one step, if it is due.
    package func claim(kind: String, subject: String, process: String, now: Instant, until: Instant) throws -> Claim? {
        try query(StepSQL.claimOne, .text(process), SQLValue(until), .text(kind), .text(subject), SQLValue(now))
            .first.map { try claim(from: $0, until, process) }
    }

    /// Adds a step that is claimed from its first moment.
    /// - Parameter start: see ``Claim/start``.
    package func addClaimed(kind: String, subject: String, process: String, until: Instant, start: Instant) throws -> Claim {
        try execute(
            StepSQL.insertClaimed, .text(kind), .text(subject), .int(Queue(kind).rawValue), SQLValue(until), .text(process), SQLValue(start)
        )
        return Claim(kind: kind, subject: subject, fence: 1, attempt: 0, until: until, service: "", process: process, start: start)
    }

    /// Sees to it that the step runs at `due` at the latest. One that is claimed looks at the world anew once it is given back,
    /// however its try ends.
    /// - Parameters:
    ///   - service: see ``Claim/service``.
    ///   - start: see ``Claim/start``.
    package func enqueue(kind: String, subject: String, due: Instant, service: String = "", start: Instant = .never) throws {
        try execute(
            StepSQL.enqueue, .text(kind), .text(subject), .int(Queue(kind).rawValue), SQLValue(due), .text(service), SQLValue(start))
    }

    /// Renews a claim until `until`, for a look at the world in this transaction: what was asked for until now is seen by it.
    /// - Returns: the claim as it is now; the one before matches no more.
    /// - Throws: ``ClaimLost``
    package func renew(_ claim: Claim, until: Instant, now: Instant) throws -> Claim {
        try own(StepSQL.renew, claim, SQLValue(until), SQLValue(now))
        var renewed = claim
        renewed.until = until
        return renewed
    }

    /// Gives a step back, to run again at `due`.
    /// - Throws: ``ClaimLost``
    package func release(_ claim: Claim, due: Instant, attempt: Int64) throws {
        try own(StepSQL.release, claim, SQLValue(due), .int(attempt), .text(claim.service))
    }

    /// The step is done, and its row goes, unless it was asked for once more meanwhile.
    /// - Throws: ``ClaimLost``
    package func finish(_ claim: Claim) throws {
        if try execute(StepSQL.finish, owner(claim)) != 1 { try release(claim, due: .never, attempt: 0) }
    }

    /// Runs a statement whose last arguments say whose step it is.
    private func own(_ statement: StepSQL, _ claim: Claim, _ changes: SQLValue...) throws {
        if try execute(statement, changes + owner(claim)) != 1 { throw ClaimLost() }
    }

    private func owner(_ claim: Claim) -> [SQLValue] {
        [.text(claim.kind), .text(claim.subject), .int(claim.fence), .text(claim.process), SQLValue(claim.until)]
    }

    /// Whether somebody works on a step now.
    package func isClaimed(kind: String, subject: String) throws -> Bool {
        try !query(StepSQL.claimed, .text(kind), .text(subject)).isEmpty
    }

    /// Makes a step due that nobody works on.
    /// - Returns: whether there was one.
    package func runNow(kind: String, subject: String, now: Instant) throws -> Bool {
        try execute(StepSQL.runNow, SQLValue(now), .text(kind), .text(subject)) == 1
    }

    /// Takes a step back that nobody works on.
    package func dequeue(kind: String, subject: String) throws { try execute(StepSQL.dequeue, .text(kind), .text(subject)) }

    /// When the queue has something due; `nil` where it is empty.
    package func nextDue(_ queue: Queue) throws -> Instant? { try services(queue).map(\.due).min() }
    /// Steps by kind that are due and that nobody works on yet.
    package func waitingSteps(now: Instant) throws -> [(kind: String, count: Int64, oldest: Instant)] {
        try query(StepSQL.waiting, SQLValue(now)).map { (try $0.text(0), try $0.int(1), try $0.instant(2)) }
    }
    /// Steps of a kind that have gone wrong three times in a row: those for the nearest meetings first, then those for none.
    /// - Parameter after: where the page before ended.
    package func troubledSteps(
        _ kind: String, after: (start: Instant, subject: String)?, limit: Int
    ) throws -> [TroubledStep] {
        let after = after ?? (Instant(microseconds: -1), "")
        return try query(StepSQL.troubled, .text(kind), SQLValue(after.start), .text(after.subject), .int(Int64(limit))).map {
            TroubledStep(
                kind: try $0.text(0), subject: try $0.text(1), due: try $0.instant(2), attempt: try $0.int(3), start: try $0.instant(4))
        }
    }
    /// How many steps of each kind have gone wrong three times in a row.
    package func troubledKinds() throws -> [(kind: String, count: Int64)] {
        try query(StepSQL.troubledKinds).map { (try $0.text(0), try $0.int(1)) }
    }
    /// Steps by kind that are being worked on.
    package func workingSteps() throws -> [(kind: String, count: Int64)] {
        try query(StepSQL.working).map { (try $0.text(0), try $0.int(1)) }
    }

    /// Makes all that `process` had claimed due at once.
    @discardableResult
    package func freeClaims(of process: String, now: Instant) throws -> Int {
        try execute(StepSQL.freeClaimsOf, SQLValue(now), .text(process))
    }

    private func claim(from row: SQLRow, _ until: Instant, _ process: String) throws -> Claim {
        Claim(
            kind: try row.text(0), subject: try row.text(1), fence: try row.int(2), attempt: try row.int(3), until: until,
            service: try row.text(4), process: process, start: try row.instant(5))
    }
}

/// A step that goes wrong again and again.
package struct TroubledStep: Hashable, Sendable {
    /// What is to be done.
    package var kind: String
    /// What it is to be done for.
    package var subject: String
    /// When it is tried next.
    package var due: Instant
    /// Tries in a row that went wrong.
    package var attempt: Int64
    /// See ``Claim/start``.
    package var start: Instant
}
