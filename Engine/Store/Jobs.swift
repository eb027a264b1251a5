import UsherCore

/// The right to work on a job until a certain time: only its holder may write the job's row.
///
/// A fencing token: every write matches process, fence and end. The end is included because a job that is enqueued anew starts at
/// fence 1.
package struct Claim: Hashable, Sendable {
    /// What is to be done, and for what.
    package var id: JobID
    /// Counts the claims on the job since it was enqueued.
    package var fence: Int64
    /// Tries in a row that went wrong.
    package var attempt: Int64
    /// The end of the claim.
    package var until: Instant
    /// The provider that it asks or the webhook that it notifies, as far as that is known; else empty.
    package var service: String
    /// The process that holds it.
    package var process: String
    /// When the meeting begins that it is for; ``Instant/never`` where it is for none.
    package var start: Instant
}

/// The claim has ended: somebody else has the job, or it is done. A holder's every transaction renews, releases or finishes its claim, and
/// where that fails, everything that the transaction wrote is taken back.
package struct ClaimLost: Error {}

/// Statements on jobs.
enum JobSQL: String, SQLStatement {
    /// The services of a queue with the time at which each has something due. An index is skipped through, from one service to the
    /// next, so a long backlog costs nothing.
    case services = """
        WITH RECURSIVE known (service) AS (
            SELECT MIN(service) FROM steps WHERE claimed_by IS NULL AND lane = $1 AND due_at >= $2
            UNION ALL
            SELECT (SELECT MIN(service) FROM steps WHERE claimed_by IS NULL AND lane = $1 AND service > known.service AND due_at >= $2)
            FROM known WHERE known.service IS NOT NULL)
        SELECT service, (SELECT MIN(due_at) FROM steps
            WHERE claimed_by IS NULL AND lane = $1 AND service = known.service AND due_at >= $2)
        FROM known WHERE service IS NOT NULL
        """
    /// A job that is claimed leaves the index of those that wait, and no index holds the end of its claim.
    case claim = """
        WITH due AS MATERIALIZED (SELECT kind, subject FROM steps
            WHERE claimed_by IS NULL AND lane = $1 AND service = $2 AND due_at <= $3 AND due_at >= $4
            ORDER BY starts_at, due_at LIMIT $5{skip locked})
        UPDATE steps SET claimed_by = $6, fence = fence + 1, claimed_until = $7, again_at = NULL
        FROM due WHERE steps.kind = due.kind AND steps.subject = due.subject
        RETURNING steps.kind, steps.subject, fence, attempt, service, starts_at
        """
    case claimOne = """
        UPDATE steps SET claimed_by = $1, fence = fence + 1, claimed_until = $2, again_at = NULL
        WHERE kind = $3 AND subject = $4 AND due_at <= $5 AND (claimed_by IS NULL OR claimed_until <= $5)
        RETURNING kind, subject, fence, attempt, service, starts_at
        """
    /// What is enqueued while the job is claimed waits in `again_at` until the claim is released. A job that is enqueued again and again,
    /// such as the sweep of a host with each room, leaves no row behind where that changes nothing.
    case enqueue = """
        INSERT INTO steps (kind, subject, lane, due_at, service, starts_at, claimed_by, fence, claimed_until, attempt)
        VALUES [[$1, $2, $3, $4, $5, $6, $7, $8, $9, 0]]
        ON CONFLICT (kind, subject) DO UPDATE SET
            service = CASE WHEN excluded.service = '' THEN steps.service ELSE excluded.service END,
            starts_at = excluded.starts_at,
            due_at = CASE WHEN steps.claimed_by IS NULL AND excluded.due_at < steps.due_at THEN excluded.due_at ELSE steps.due_at END,
            again_at = CASE WHEN steps.claimed_by IS NOT NULL AND (steps.again_at IS NULL OR excluded.due_at < steps.again_at)
                THEN excluded.due_at ELSE steps.again_at END
        WHERE steps.claimed_by IS NOT NULL OR excluded.due_at < steps.due_at OR excluded.starts_at <> steps.starts_at
            OR (excluded.service <> '' AND excluded.service <> steps.service)
        """
    case renew = """
        UPDATE steps SET claimed_until = $1 WHERE kind = $2 AND subject = $3 AND fence = $4 AND claimed_by = $5 AND claimed_until = $6
        """
    case release = """
        UPDATE steps SET due_at = CASE WHEN again_at < $1 THEN $1 WHEN again_at < $2 THEN again_at ELSE $2 END, again_at = NULL,
            attempt = $3, service = $4, claimed_by = NULL, claimed_until = 0
        WHERE kind = $5 AND subject = $6 AND fence = $7 AND claimed_by = $8 AND claimed_until = $9
        """
    case finish = """
        DELETE FROM steps WHERE kind = $1 AND subject = $2 AND fence = $3 AND claimed_by = $4 AND claimed_until = $5 AND again_at IS NULL
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
    case freeClaimsOf = """
        UPDATE steps SET due_at = $1, claimed_by = NULL, claimed_until = 0, fence = fence + 1 WHERE claimed_by = $2
        """
    case endedClaims = "SELECT 1 FROM steps WHERE claimed_by IS NOT NULL AND claimed_until <= $1 LIMIT 1"
    case freeEndedClaims = """
        UPDATE steps SET due_at = $1, claimed_by = NULL, claimed_until = 0, fence = fence + 1
        WHERE claimed_by IS NOT NULL AND claimed_until <= $1
        """
    case nextDue = "SELECT MIN(CASE WHEN claimed_by IS NULL THEN due_at ELSE claimed_until END) FROM steps WHERE lane = $1"

    static let texts: [String: StatementText] = texts()
}

extension Tx {
    /// Claims up to `limit` jobs of one service that are due, for `process`, until `until`: those for the nearest meetings.
    /// - Parameter floor: what was due before is not looked at; see ``DueFloor``.
    package func claim(
        _ queue: Queue, service: String, process: String, now: Instant, until: Instant, limit: Int, from floor: Instant = .epoch
    ) throws -> [Claim] {
        try writePendingJobs()
        return try query(
            JobSQL.claim, .int(queue.rawValue), .text(service), SQLValue(now), SQLValue(floor), .int(Int64(limit)), .text(process),
            SQLValue(until)
        ).map { try claim(from: $0, until, process) }
    }

    /// The services of a queue that have work which nobody has claimed, the empty one of unknown among them, and when each has something
    /// due.
    /// - Parameter floor: what was due before is not looked at; see ``DueFloor``.
    package func services(_ queue: Queue, from floor: Instant = .epoch) throws -> [(service: String, due: Instant)] {
        try writePendingJobs()
        return try query(JobSQL.services, .int(queue.rawValue), SQLValue(floor)).map { (try $0.text(0), try $0.instant(1)) }
    }

    /// Claims one job, if it is due.
    package func claim(_ job: Job, process: String, now: Instant, until: Instant) throws -> Claim? {
        try writePendingJobs()
        return try query(JobSQL.claimOne, .text(process), SQLValue(until), .text(job.kind.rawValue), .text(job.key), SQLValue(now))
            .first.map { try claim(from: $0, until, process) }
    }

    /// Adds a new job that is claimed from its first moment.
    package func addClaimed(_ scheduled: ScheduledJob, process: String, until: Instant) throws -> Claim {
        try add(JobRow(job: scheduled, claimedBy: process, claimedUntil: until))
        return Claim(
            id: scheduled.job.id, fence: 1, attempt: 0, until: until, service: scheduled.service, process: process,
            start: scheduled.start)
    }

    /// Sees to it that each job runs when it is due at the latest. One that is claimed runs once more after the claim is released, however
    /// its try ends.
    /// - Parameter now: what is due by then is due now, and wakes this process's loops once the transaction is committed; by default each
    ///   does.
    package func enqueue(_ jobs: [ScheduledJob], now: Instant = .never) throws {
        for job in jobs {
            var job = job
            if job.due <= now {
                pending.enqueued.insert(job.job.queue)
                // See ``DueFloor``.
                if now != .never { job.due = now }
            }
            try add(JobRow(job: job, claimedBy: nil, claimedUntil: .epoch))
        }
    }

    /// One statement takes each job once.
    private func add(_ row: JobRow) throws {
        try writePending(row.job.job.id)
        pending.jobs.append(row)
    }

    /// Has a job's row be as this transaction left it.
    private func writePending(_ id: JobID) throws {
        if pending.jobs.contains(where: { $0.job.job.id == id }) { try writePendingJobs() }
    }

    func row(_ row: JobRow) -> [SQLValue] {
        let job = row.job.job
        return [
            .text(job.kind.rawValue), .text(job.key), .int(job.queue.rawValue), SQLValue(row.job.due), .text(row.job.service),
            SQLValue(row.job.start), SQLValue(row.claimedBy), .int(row.claimedBy == nil ? 0 : 1), SQLValue(row.claimedUntil),
        ]
    }

    /// Renews a claim until `until`.
    /// - Returns: the claim as it is now; the one before matches no more.
    /// - Throws: ``ClaimLost``
    package func renew(_ claim: Claim, until: Instant) throws -> Claim {
        try own(JobSQL.renew, claim, SQLValue(until))
        var renewed = claim
        renewed.until = until
        return renewed
    }

    /// Releases a job, to run again at `due`.
    /// - Throws: ``ClaimLost``
    package func release(_ claim: Claim, due: Instant, attempt: Int64) throws {
        try own(JobSQL.release, claim, SQLValue(now), SQLValue(max(due, now)), .int(attempt), .text(claim.service))
    }

    /// The job is done, and its row goes, unless it was enqueued once more meanwhile.
    /// - Throws: ``ClaimLost``
    package func finish(_ claim: Claim) throws {
        try writePending(claim.id)
        if try execute(JobSQL.finish, owner(claim)) != 1 { try release(claim, due: .never, attempt: 0) }
    }

    /// Runs a statement whose last arguments say whose job it is.
    private func own(_ statement: JobSQL, _ claim: Claim, _ changes: SQLValue...) throws {
        try writePending(claim.id)
        if try execute(statement, changes + owner(claim)) != 1 { throw ClaimLost() }
    }

    private func owner(_ claim: Claim) -> [SQLValue] {
        [.text(claim.id.kind), .text(claim.id.key), .int(claim.fence), .text(claim.process), SQLValue(claim.until)]
    }

    /// Whether somebody works on a job now.
    package func isClaimed(_ job: Job) throws -> Bool {
        try writePending(job.id)
        return try !query(JobSQL.claimed, .text(job.kind.rawValue), .text(job.key)).isEmpty
    }

    /// Makes a job due that nobody works on.
    /// - Returns: whether there was one.
    package func runNow(_ id: JobID, now: Instant) throws -> Bool {
        try writePending(id)
        if let queue = Job(id)?.queue { pending.enqueued.insert(queue) }
        return try execute(JobSQL.runNow, SQLValue(now), .text(id.kind), .text(id.key)) == 1
    }

    /// Takes a job back that nobody works on.
    package func dequeue(_ job: Job) throws {
        try writePending(job.id)
        try write(JobSQL.dequeue, .text(job.kind.rawValue), .text(job.key))
    }

    /// When the queue has something due, or a claim ends; `nil` where it is empty. It reads every row.
    package func nextDue(_ queue: Queue) throws -> Instant? {
        try writePendingJobs()
        return try query(JobSQL.nextDue, .int(queue.rawValue))[0].optionalInt(0).map(Instant.init(microseconds:))
    }
    /// Makes all that `process` had claimed due at once.
    @discardableResult
    package func freeClaims(of process: String, now: Instant) throws -> Int {
        try execute(JobSQL.freeClaimsOf, SQLValue(now), .text(process))
    }

    /// Whether there are claims that ended without anybody's having written down what came of them. It reads every row.
    package func hasEndedClaims(now: Instant) throws -> Bool { try !query(JobSQL.endedClaims, SQLValue(now)).isEmpty }

    /// Makes the jobs of such claims due.
    package func freeEndedClaims(now: Instant) throws { try write(JobSQL.freeEndedClaims, SQLValue(now)) }

    private func claim(from row: SQLRow, _ until: Instant, _ process: String) throws -> Claim {
        Claim(
            id: JobID(kind: try row.text(0), key: try row.text(1)), fence: try row.int(2), attempt: try row.int(3), until: until,
            service: try row.text(4), process: process, start: try row.instant(5))
    }
}
