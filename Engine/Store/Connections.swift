import UsherCore

/// An owner's account at a provider, as the database holds it. The grant itself is sealed.
package struct StoredConnection: Hashable, Sendable {
    /// Whether the connection can be used.
    package enum Health: String, Sendable, CaseIterable {
        case ok
        /// The grant is dead: the owner must connect again.
        case reauthorize
        /// It works, but cannot do all.
        case missingScope = "missing-scope"
        case unknown
    }

    /// Whose connection it is.
    package var ownerID: String
    /// The provider's name in `meeting-types.yaml`.
    package var provider: String
    /// The id of its module.
    package var module: String
    /// The app that the grant belongs to.
    package var clientID: String
    /// The account behind it.
    package var account: ConnectedAccount
    /// As granted; empty where the service names none.
    package var scopes: [String]
    /// The grant, sealed.
    package var sealed: String
    /// Raised with every change of the grant: what is written over another generation would bring a dead pair back. It begins with the
    /// time in microseconds, so that a connection made anew never has the number of one that was ended.
    package var generation: Int64
    /// When its access token ends.
    package var expiresAt: Instant
    /// Whether it can be used.
    package var health: Health
    /// What is wrong with it; `nil` where nothing is.
    package var problem: Problem?
    /// When the owner agreed.
    package var connectedAt: Instant
    /// When the grant was last obtained or renewed.
    package var refreshedAt: Instant

    /// Takes each property as it is.
    package init(
        ownerID: String, provider: String, module: String, clientID: String, account: ConnectedAccount, scopes: [String], sealed: String,
        generation: Int64, expiresAt: Instant, health: Health, problem: Problem? = nil, connectedAt: Instant, refreshedAt: Instant
    ) {
        self.ownerID = ownerID
        self.provider = provider
        self.module = module
        self.clientID = clientID
        self.account = account
        self.scopes = scopes
        self.sealed = sealed
        self.generation = generation
        self.expiresAt = expiresAt
        self.health = health
        self.problem = problem
        self.connectedAt = connectedAt
        self.refreshedAt = refreshedAt
    }

    /// What its grant is sealed for.
    package static func context(owner: String, provider: String) -> String { "connection:\(owner):\(provider)" }
}

/// The columns of `connections` that are read.
enum ConnectionColumn: Int, Column {
    case ownerID, provider, module, clientID, accountID, tenant, email, name, scopes, sealed, generation, expiresAt, health,
        problem, connectedAt, refreshedAt

    static let table = "connections"
}

/// Statements on owners' connections.
enum ConnectionSQL: String, SQLStatement {
    case one = """
        SELECT {connections} FROM connections WHERE owner_id = $1 AND provider = $2
        """
    case ofOwner = """
        SELECT {connections} FROM connections WHERE owner_id = $1 ORDER BY provider
        """
    case ofAccount = """
        SELECT {connections} FROM connections WHERE client_id = $1 AND account_id = $2
        """
    case lockedOne = "SELECT {connections} FROM connections WHERE owner_id = $1 AND provider = $2{lock}"
    case lockedOfOwner = "SELECT {connections} FROM connections WHERE owner_id = $1 ORDER BY provider{lock}"
    case lockedOfAccount = """
        SELECT {connections} FROM connections WHERE client_id = $1 AND account_id = $2 ORDER BY owner_id, provider{lock}
        """
    case save = """
        INSERT INTO connections (owner_id, provider, module, client_id, account_id, tenant, email, name, scopes, sealed, generation,
            expires_at, lease_until, health, problem, connected_at, refreshed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $15, $16)
        ON CONFLICT (owner_id, provider) DO UPDATE SET module = excluded.module, client_id = excluded.client_id,
            account_id = excluded.account_id, tenant = excluded.tenant, email = excluded.email, name = excluded.name,
            scopes = excluded.scopes, sealed = excluded.sealed, expires_at = excluded.expires_at, lease_by = NULL, lease_until = 0,
            generation = CASE WHEN connections.generation >= excluded.generation
                THEN connections.generation + 1 ELSE excluded.generation END,
            health = excluded.health, problem = excluded.problem, connected_at = excluded.connected_at, refreshed_at = excluded.refreshed_at
        """
    case lease = """
        UPDATE connections SET lease_by = $1, lease_until = $2
        WHERE owner_id = $3 AND provider = $4 AND (lease_until <= $5 OR lease_by = $1)
        """
    case unlease = "UPDATE connections SET lease_by = NULL, lease_until = 0 WHERE owner_id = $1 AND provider = $2 AND lease_by = $3"
    case renew = """
        UPDATE connections SET sealed = $1, scopes = $2, expires_at = $3, refreshed_at = $4, health = $5, problem = $6,
            generation = generation + 1, lease_by = NULL, lease_until = 0 WHERE owner_id = $7 AND provider = $8 AND generation = $9
        """
    case setHealth = "UPDATE connections SET health = $1, problem = $2 WHERE owner_id = $3 AND provider = $4 AND generation = $5"
    case remove = "DELETE FROM connections WHERE owner_id = $1 AND provider = $2 AND generation = $3"
    case waiting = """
        SELECT b.id FROM bookings b WHERE b.owner_id = $1 AND b.starts_at > $2 AND b.status = 'confirmed'
            AND EXISTS (SELECT 1 FROM rooms r WHERE r.booking_id = b.id AND r.provider = $3 AND (
                (b.meeting_status IN ('blocked', 'pending') AND r.state IN ('absent', 'unclear', 'attempting'))
                OR (b.meeting_status = 'blocked' AND r.state = 'live')))
        """
    case stalled = """
        SELECT b.id FROM bookings b WHERE b.owner_id = $1 AND b.starts_at > $2 AND b.ends_at > $3 AND EXISTS
            (SELECT 1 FROM rooms r WHERE r.booking_id = b.id AND r.provider = $4
                AND (r.state = 'absent' OR (r.failures > 0 AND r.state IN ('unclear', 'live', 'removing'))))
        """

    static let texts: [String: StatementText] = texts(ConnectionColumn.self)
}

extension Tx {
    /// An owner's connection at a provider.
    package func connection(owner: String, provider: String) throws -> StoredConnection? {
        try query(ConnectionSQL.one, .text(owner), .text(provider)).first.map(connection(from:))
    }
    /// All connections of an owner, by provider.
    package func connections(of owner: String) throws -> [StoredConnection] {
        try query(ConnectionSQL.ofOwner, .text(owner)).map(connection(from:))
    }
    /// Connections of one app to one account: of more than one owner, if they share it.
    package func connections(clientID: String, accountID: String) throws -> [StoredConnection] {
        try query(ConnectionSQL.ofAccount, .text(clientID), .text(accountID)).map(connection(from:))
    }

    /// An owner's connection, to be ended or replaced: whoever renews its grant waits until this transaction is over.
    package func lockConnection(owner: String, provider: String) throws -> StoredConnection? {
        try query(ConnectionSQL.lockedOne, .text(owner), .text(provider)).first.map(connection(from:))
    }
    /// All connections of an owner, to be ended.
    package func lockConnections(of owner: String) throws -> [StoredConnection] {
        try query(ConnectionSQL.lockedOfOwner, .text(owner)).map(connection(from:))
    }
    /// Connections of one app to one account, to be ended.
    package func lockConnections(clientID: String, accountID: String) throws -> [StoredConnection] {
        try query(ConnectionSQL.lockedOfAccount, .text(clientID), .text(accountID)).map(connection(from:))
    }

    /// Makes a connection, or puts another account or grant in its place.
    package func save(_ connection: StoredConnection) throws {
        let account = connection.account
        try write(
            ConnectionSQL.save, .text(connection.ownerID), .text(connection.provider), .text(connection.module), .text(connection.clientID),
            .text(account.id), .text(account.tenant), .text(account.email), .text(account.name),
            .text(connection.scopes.joined(separator: " ")), .text(connection.sealed), .int(connection.generation),
            SQLValue(connection.expiresAt), .text(connection.health.rawValue), try Stored.optional(connection.problem),
            SQLValue(connection.connectedAt), SQLValue(connection.refreshedAt))
    }

    /// Takes the right to renew the grant.
    /// - Returns: `false` while another process has it, or where there is no connection.
    package func leaseConnection(owner: String, provider: String, process: String, now: Instant, until: Instant) throws -> Bool {
        try execute(
            ConnectionSQL.lease, .text(process), SQLValue(until), .text(owner), .text(provider), SQLValue(now)) == 1
    }
    /// Gives a lease back that `process` holds.
    package func unleaseConnection(owner: String, provider: String, process: String) throws {
        try write(ConnectionSQL.unlease, .text(owner), .text(provider), .text(process))
    }

    /// Puts a renewed grant in place of the one of `connection`'s generation, whatever became of the lease: it is the only live one.
    /// Its health is that of the new grant: what was said of the one before is over.
    /// - Returns: `false` when another has been put there meanwhile.
    package func renew(
        _ connection: StoredConnection, sealed: String, scopes: [String], expiresAt: Instant, health: StoredConnection.Health,
        problem: Problem?, now: Instant
    ) throws -> Bool {
        try execute(
            ConnectionSQL.renew, .text(sealed), .text(scopes.joined(separator: " ")), SQLValue(expiresAt), SQLValue(now),
            .text(health.rawValue), try Stored.optional(problem), .text(connection.ownerID), .text(connection.provider),
            .int(connection.generation)) == 1
    }

    /// - Returns: `false` when the grant is not that one any more.
    @discardableResult
    package func setHealth(_ health: StoredConnection.Health, _ problem: Problem?, of connection: StoredConnection) throws -> Bool {
        try execute(
            ConnectionSQL.setHealth, .text(health.rawValue), try Stored.optional(problem), .text(connection.ownerID),
            .text(connection.provider), .int(connection.generation)) == 1
    }

    /// - Returns: `false` when the grant is not that one any more.
    package func remove(_ connection: StoredConnection) throws -> Bool {
        try execute(ConnectionSQL.remove, .text(connection.ownerID), .text(connection.provider), .int(connection.generation)) == 1
    }

    /// Bookings that are not over, confirmed or cancelled, with a room at the provider that could not be made, moved or removed yet.
    package func bookingsStalled(owner: String, provider: String, now: Instant) throws -> [String] {
        try query(ConnectionSQL.stalled, .text(owner), SQLValue(now - Self.longestBooking), SQLValue(now), .text(provider))
            .map { try $0.text(0) }
    }

    /// Bookings to come whose room at the provider is not made yet, or could not be changed.
    package func bookingsWaiting(owner: String, provider: String, now: Instant) throws -> [String] {
        try query(ConnectionSQL.waiting, .text(owner), SQLValue(now), .text(provider)).map { try $0.text(0) }
    }

    func connection(from row: SQLRow) throws -> StoredConnection {
        let row = TableRow<ConnectionColumn>(row)
        return StoredConnection(
            ownerID: try row.text(.ownerID), provider: try row.text(.provider), module: try row.text(.module),
            clientID: try row.text(.clientID),
            account: ConnectedAccount(
                id: try row.text(.accountID), tenant: try row.text(.tenant), email: try row.text(.email), name: try row.text(.name)),
            scopes: try row.text(.scopes).split(separator: " ").map(String.init), sealed: try row.text(.sealed),
            generation: try row.int(.generation),
            expiresAt: try row.instant(.expiresAt), health: try row.known(.health),
            problem: try row.optionalValue(Problem.self, .problem), connectedAt: try row.instant(.connectedAt),
            refreshedAt: try row.instant(.refreshedAt))
    }
}
