import UsherCore

/// A job that goes wrong again and again.
package struct TroubledJob: Hashable, Sendable {
    /// What is to be done, and for what.
    package var id: JobID
    /// When it is tried next.
    package var due: Instant
    /// Tries in a row that went wrong.
    package var attempt: Int64
    /// See ``Claim/start``.
    package var start: Instant
}

/// What is shown of jobs: on pages, in metrics.
extension Tx {
    /// Jobs by kind that are due and that nobody works on yet.
    package func waitingJobs(now: Instant) throws -> [(kind: String, count: Int64, oldest: Instant)] {
        try query(JobSQL.waiting, SQLValue(now)).map { (try $0.text(0), try $0.int(1), try $0.instant(2)) }
    }
    /// Jobs of a kind that have gone wrong three times in a row: those for the nearest meetings first, then those for none.
    /// - Parameters:
    ///   - kind: as ``troubledKinds()`` names it.
    ///   - after: where the page before ended.
    package func troubledJobs(_ kind: String, after: (start: Instant, key: String)?, limit: Int) throws -> [TroubledJob] {
        let after = after ?? (Instant(microseconds: -1), "")
        return try query(JobSQL.troubled, .text(kind), SQLValue(after.start), .text(after.key), .int(Int64(limit))).map {
            TroubledJob(
                id: JobID(kind: try $0.text(0), key: try $0.text(1)), due: try $0.instant(2), attempt: try $0.int(3),
                start: try $0.instant(4))
        }
    }
    /// How many jobs of each kind have gone wrong three times in a row.
    package func troubledKinds() throws -> [(kind: String, count: Int64)] {
        try query(JobSQL.troubledKinds).map { (try $0.text(0), try $0.int(1)) }
    }
    /// Jobs by kind that are being worked on.
    package func workingJobs() throws -> [(kind: String, count: Int64)] {
        try query(JobSQL.working).map { (try $0.text(0), try $0.int(1)) }
    }
}
