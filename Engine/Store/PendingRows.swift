import UsherCore

/// Rows that a transaction adds, kept until somebody reads their table or the transaction ends: those of one table are one statement.
final class PendingRows {
    /// By id, in the order in which they were added.
    var mails: [OutboxMail] = []
    var timeline: [[SQLValue]] = []
    var jobs: [JobRow] = []
    /// Where there was work to do at once when this transaction ran.
    var enqueued: Set<Queue> = []
}

/// A job that is added, claimed by a process or by nobody.
struct JobRow {
    var job: ScheduledJob
    var claimedBy: String?
    /// ``Instant/epoch`` where nobody has it.
    var claimedUntil: Instant
}

extension Tx {
    /// Writes what was added until now, so that what is wrong with it shows.
    package func writePending() throws {
        try writePendingMails()
        try writePendingTimeline()
        try writePendingJobs()
    }

    /// The same, and waits until the database has taken it all.
    package func settleWrites() throws {
        try writePending()
        if session.locksRows { _ = try session.query("SELECT 1", []) }
    }

    func writePendingMails() throws {
        guard !pending.mails.isEmpty else { return }
        let mails = pending.mails
        pending.mails = []
        try write(OutboxSQL.insert, rows: mails.map(row))
    }

    func writePendingTimeline() throws {
        guard !pending.timeline.isEmpty else { return }
        let lines = pending.timeline
        pending.timeline = []
        try write(TimelineSQL.add, rows: lines)
    }

    func writePendingJobs() throws {
        guard !pending.jobs.isEmpty else { return }
        let jobs = pending.jobs
        pending.jobs = []
        try write(JobSQL.enqueue, rows: jobs.map(row))
    }
}
