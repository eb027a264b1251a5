import UsherCore

/// A provider that does not do what it is asked, by its last calls. One that works has no row.
package struct FailingProvider: Hashable, Sendable {
    /// The provider's name in `meeting-types.yaml`.
    package var provider: String
    /// When the first call failed since one that did not.
    package var since: Instant
    /// What is the matter, by the last call that failed.
    package var problem: Problem
    /// Calls in a row.
    package var failures: Int64

    /// Takes each property as it is.
    package init(provider: String, since: Instant, problem: Problem, failures: Int64) {
        self.provider = provider
        self.since = since
        self.problem = problem
        self.failures = failures
    }
}

/// Statements on providers that fail.
enum HealthSQL: String, SQLStatement {
    case failed = """
        INSERT INTO provider_health (provider, failing_since, problem, failures, seen_at) VALUES ($1, $2, $3, 1, $2)
        ON CONFLICT (provider) DO UPDATE SET problem = excluded.problem, failures = provider_health.failures + 1,
            seen_at = excluded.seen_at
        """
    case works = "DELETE FROM provider_health WHERE provider = $1"
    case all = "SELECT provider, failing_since, problem, failures FROM provider_health ORDER BY provider"
}

extension Tx {
    /// Counts a call that failed, and keeps what was wrong with it.
    package func providerFailed(_ provider: String, _ problem: Problem, now: Instant) throws {
        try write(HealthSQL.failed, .text(provider), SQLValue(now), .text(try Stored.text(problem)))
    }
    /// Forgets that a provider failed.
    package func providerWorks(_ provider: String) throws { try write(HealthSQL.works, .text(provider)) }
    /// The providers whose last calls failed, by name.
    package func failingProviders() throws -> [FailingProvider] {
        try query(HealthSQL.all).map {
            FailingProvider(
                provider: try $0.text(0), since: try $0.instant(1), problem: try Stored.value(Problem.self, $0.text(2)),
                failures: try $0.int(3))
        }
    }
}

/// A connection that the service has ended, and not its owner here: it is told until the owner connects again.
package struct LostConnection: Hashable, Sendable {
    /// Whose connection it was.
    package var ownerID: String
    /// The provider's name in `meeting-types.yaml`.
    package var provider: String
    /// The address of the account that was connected.
    package var email: String
    /// When it was lost.
    package var at: Instant

    /// Takes each property as it is.
    package init(ownerID: String, provider: String, email: String, at: Instant) {
        self.ownerID = ownerID
        self.provider = provider
        self.email = email
        self.at = at
    }
}

/// Statements on connections that were ended at the service.
enum LostSQL: String, SQLStatement {
    case add = """
        INSERT INTO lost_connections (owner_id, provider, email, lost_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (owner_id, provider) DO UPDATE SET email = excluded.email, lost_at = excluded.lost_at
        """
    case ofOwner = "SELECT owner_id, provider, email, lost_at FROM lost_connections WHERE owner_id = $1 ORDER BY provider"
    case remove = "DELETE FROM lost_connections WHERE owner_id = $1 AND provider = $2"
    case removeAll = "DELETE FROM lost_connections WHERE owner_id = $1"
}

extension Tx {
    /// Keeps that a connection was lost, in place of an earlier loss.
    package func add(_ lost: LostConnection) throws {
        try write(LostSQL.add, .text(lost.ownerID), .text(lost.provider), .text(lost.email), SQLValue(lost.at))
    }
    /// The connections that an owner has lost and not made again.
    package func lostConnections(of owner: String) throws -> [LostConnection] {
        try query(LostSQL.ofOwner, .text(owner)).map {
            LostConnection(ownerID: try $0.text(0), provider: try $0.text(1), email: try $0.text(2), at: try $0.instant(3))
        }
    }
    /// Forgets one loss: the owner has connected again, or knows.
    package func removeLostConnection(owner: String, provider: String) throws {
        try write(LostSQL.remove, .text(owner), .text(provider))
    }
    /// Forgets all losses of an owner.
    package func removeLostConnections(of owner: String) throws { try write(LostSQL.removeAll, .text(owner)) }
}
