import UsherCore

/// A claim on a step: while it lasts, no other worker touches the step, and only its holder can write it. Whoever claims or frees
/// a step raises its fence, and whoever gives it back is its holder no more: a claim from before matches nothing. Not even where
/// the step was done meanwhile and is there anew, with a fence from the beginning: then the claims end at different times.
package struct Claim: Hashable, Sendable {
    package var kind: String
    package var subject: String
    package var fence: Int64
    /// Tries in a row that went wrong.
    package var attempt: Int64
    /// The end of the claim.
    package var until: Instant
    /// The provider that it asks, or the program that it tells, as far as that is known; else empty.
    package var service: String
    /// Who holds it.
    package var process: String
}

/// The claim has ended, and the step is somebody else's or done: nothing of its work may be written. Every transaction of a holder
/// renews, gives back or ends its claim, and where that fails this takes all of it back.
package struct ClaimLost: Error {}

/// Work that must not wait for each other's providers.
package enum Lane: Int64, Sendable, CaseIterable {
    /// Calls to video providers.
    case rooms = 0
    /// Mail, and the timers that have it written.
    case mail = 1
    /// Webhooks to programs that listen.
    case hooks = 2

    package init(_ kind: String) {
        self =
            switch kind {
            case "notify", "remind", "deliver", "notice": .mail
            case "webhook": .hooks
            default: .rooms
            }
    }
}

package enum StepSQL: String, SQLStatement {
    /// A step that is claimed comes due again when its claim ends, so one column answers both questions.
    case claim = """
        UPDATE steps SET claimed_by = $1, fence = fence + 1, due_at = $2
        WHERE (kind, subject) IN (SELECT kind, subject FROM steps
            WHERE lane = $3 AND due_at <= $4 AND ($5 = '' OR service <> $5) ORDER BY due_at LIMIT $6)
            AND due_at <= $4
        RETURNING kind, subject, fence, attempt, service
        """
    case claimOne = """
        UPDATE steps SET claimed_by = $1, fence = fence + 1, due_at = $2 WHERE kind = $3 AND subject = $4 AND due_at <= $5
        RETURNING kind, subject, fence, attempt, service
        """
    case insertClaimed = """
        INSERT INTO steps (kind, subject, lane, due_at, claimed_by, fence, attempt) VALUES ($1, $2, $3, $4, $5, 1, 0)
        """
    case poke = """
        INSERT INTO steps (kind, subject, lane, due_at, service, fence, attempt) VALUES ($1, $2, $3, $4, $5, 0, 0)
        ON CONFLICT (kind, subject) DO UPDATE SET
            service = CASE WHEN excluded.service = '' THEN steps.service ELSE excluded.service END,
            due_at = CASE WHEN steps.claimed_by IS NULL AND excluded.due_at < steps.due_at THEN excluded.due_at ELSE steps.due_at END
        """
    case hold = """
        UPDATE steps SET due_at = $1 WHERE kind = $2 AND subject = $3 AND fence = $4 AND claimed_by = $5 AND due_at = $6
        """
    case release = """
        UPDATE steps SET due_at = $1, attempt = $2, service = $3, claimed_by = NULL
        WHERE kind = $4 AND subject = $5 AND fence = $6 AND claimed_by = $7 AND due_at = $8
        """
    case finish = "DELETE FROM steps WHERE kind = $1 AND subject = $2 AND fence = $3 AND claimed_by = $4 AND due_at = $5"
    case claimed = "SELECT 1 FROM steps WHERE kind = $1 AND subject = $2 AND claimed_by IS NOT NULL"
    case hurry = "UPDATE steps SET due_at = $1 WHERE kind = $2 AND subject = $3 AND claimed_by IS NULL"
    case drop = "DELETE FROM steps WHERE kind = $1 AND subject = $2 AND claimed_by IS NULL"
    case nextDue = "SELECT MIN(due_at) FROM steps WHERE lane = $1"
    case waiting = """
        SELECT kind, COUNT(*), MIN(due_at) FROM steps WHERE claimed_by IS NULL AND due_at <= $1 GROUP BY kind
        """
    case working = "SELECT kind, COUNT(*) FROM steps WHERE claimed_by IS NOT NULL GROUP BY kind"
    case troubled = """
        SELECT kind, subject, due_at, attempt FROM steps WHERE claimed_by IS NULL AND (attempt > 2 OR due_at >= $1)
        ORDER BY kind, subject LIMIT $2
        """
    case freeClaimsOf = "UPDATE steps SET due_at = $1, claimed_by = NULL, fence = fence + 1 WHERE claimed_by = $2"
}

extension Tx {
    /// Claims up to `limit` steps of a lane that are due, for `process`, until `until`.
    /// - Parameter busy: a service whose steps are left where they are.
    package func claim(
        _ lane: Lane, except busy: String = "", process: String, now: Instant, until: Instant, limit: Int
    ) throws -> [Claim] {
        try query(
            StepSQL.claim, .text(process), SQLValue(until), .int(lane.rawValue), SQLValue(now), .text(busy), .int(Int64(limit))
        ).map { try claim(from: $0, until, process) }
    }

    /// Claims one step, if it is due.
    package func claim(kind: String, subject: String, process: String, now: Instant, until: Instant) throws -> Claim? {
        try query(StepSQL.claimOne, .text(process), SQLValue(until), .text(kind), .text(subject), SQLValue(now))
            .first.map { try claim(from: $0, until, process) }
    }

    /// Adds a step that is claimed from its first moment.
    package func addClaimed(kind: String, subject: String, process: String, until: Instant) throws -> Claim {
        try execute(StepSQL.insertClaimed, .text(kind), .text(subject), .int(Lane(kind).rawValue), SQLValue(until), .text(process))
        return Claim(kind: kind, subject: subject, fence: 1, attempt: 0, until: until, service: "", process: process)
    }

    /// Sees to it that the step runs at `due` at the latest. One that is claimed looks at the world anew before it ends.
    /// - Parameter service: see ``Claim/service``.
    package func poke(kind: String, subject: String, due: Instant, service: String = "") throws {
        try execute(StepSQL.poke, .text(kind), .text(subject), .int(Lane(kind).rawValue), SQLValue(due), .text(service))
    }

    /// Renews a claim until `until`.
    /// - Returns: the claim as it is now; the one before matches no more.
    /// - Throws: ``ClaimLost``
    package func hold(_ claim: Claim, until: Instant) throws -> Claim {
        try own(StepSQL.hold, claim, SQLValue(until))
        var renewed = claim
        renewed.until = until
        return renewed
    }

    /// Gives a step back, to run again at `due`.
    /// - Throws: ``ClaimLost``
    package func release(_ claim: Claim, due: Instant, attempt: Int64) throws {
        try own(StepSQL.release, claim, SQLValue(due), .int(attempt), .text(claim.service))
    }

    /// The step is done, and its row goes.
    /// - Throws: ``ClaimLost``
    package func finish(_ claim: Claim) throws { try own(StepSQL.finish, claim) }

    /// Runs a statement whose last arguments say whose step it is.
    private func own(_ statement: StepSQL, _ claim: Claim, _ changes: SQLValue...) throws {
        let owner: [SQLValue] = [
            .text(claim.kind), .text(claim.subject), .int(claim.fence), .text(claim.process), SQLValue(claim.until),
        ]
        if try execute(statement, changes + owner) != 1 { throw ClaimLost() }
    }

    /// Whether somebody works on a step now.
    package func isClaimed(kind: String, subject: String) throws -> Bool {
        try !query(StepSQL.claimed, .text(kind), .text(subject)).isEmpty
    }

    /// Makes a step due that nobody works on.
    /// - Returns: whether there was one.
    package func hurry(kind: String, subject: String, now: Instant) throws -> Bool {
        try execute(StepSQL.hurry, SQLValue(now), .text(kind), .text(subject)) == 1
    }

    /// Takes a step back that nobody works on.
    package func drop(kind: String, subject: String) throws { try execute(StepSQL.drop, .text(kind), .text(subject)) }

    package func nextDue(_ lane: Lane) throws -> Instant? {
        try query(StepSQL.nextDue, .int(lane.rawValue))[0].optionalInt(0).map(Instant.init(microseconds:))
    }
    /// Steps by kind that are due and that nobody works on yet.
    package func waitingSteps(now: Instant) throws -> [(kind: String, count: Int64, oldest: Instant)] {
        try query(StepSQL.waiting, SQLValue(now)).map { (try $0.text(0), try $0.int(1), try $0.instant(2)) }
    }
    /// Steps that have gone wrong three times in a row, or that rest until a person acts.
    package func troubledSteps(limit: Int) throws -> [(kind: String, subject: String, due: Instant, attempt: Int64)] {
        try query(StepSQL.troubled, SQLValue(Instant.never), .int(Int64(limit))).map {
            (try $0.text(0), try $0.text(1), try $0.instant(2), try $0.int(3))
        }
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
            service: try row.text(4), process: process)
    }
}
