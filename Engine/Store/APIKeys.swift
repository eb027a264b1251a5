import UsherCore

/// A caller's key as the database holds it: of the key itself only the hash.
package struct StoredKey: Hashable, Sendable {
    /// `key_…`
    package var id: String
    /// As its maker calls it.
    package var name: String
    /// Of the secret; the key is found by it.
    package var hash: String
    /// What it may do.
    package var scopes: Set<Scope>
    /// When it was made.
    package var createdAt: Instant
    /// When it ends; ``Instant/never`` where it does not.
    package var expiresAt: Instant
    /// To the minute.
    package var usedAt: Instant?

    /// Takes each property as it is.
    package init(
        id: String, name: String, hash: String, scopes: Set<Scope>, createdAt: Instant, expiresAt: Instant, usedAt: Instant? = nil
    ) {
        self.id = id
        self.name = name
        self.hash = hash
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.usedAt = usedAt
    }
}

/// The columns of `api_keys` that are read.
enum KeyColumn: Int, Column {
    case id, name, hash, scopes, createdAt, expiresAt, usedAt

    static let table = "api_keys"
}

/// Statements on API keys.
enum KeySQL: String, SQLStatement {
    case add = "INSERT INTO api_keys (id, name, hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)"
    case byHash = "SELECT {api_keys} FROM api_keys WHERE hash = $1 AND expires_at > $2"
    case list = "SELECT {api_keys} FROM api_keys ORDER BY created_at, id"
    case used = "UPDATE api_keys SET used_at = $1 WHERE id = $2"
    case remove = "DELETE FROM api_keys WHERE id = $1"

    static let texts: [String: StatementText] = texts(KeyColumn.self)
}

extension Tx {
    /// Adds a key.
    package func add(_ key: StoredKey) throws {
        try write(
            KeySQL.add, .text(key.id), .text(key.name), .text(key.hash), .text(key.scopes.map(\.rawValue).sorted().joined(separator: " ")),
            SQLValue(key.createdAt), SQLValue(key.expiresAt))
    }
    /// A key that has not run out.
    package func key(hash: String, now: Instant) throws -> StoredKey? {
        try query(KeySQL.byHash, .text(hash), SQLValue(now)).first.map(key(from:))
    }
    /// Every key, the oldest first.
    package func keys() throws -> [StoredKey] { try query(KeySQL.list).map(key(from:)) }
    /// Keeps when a key was used last.
    package func keyWasUsed(_ id: String, at now: Instant) throws { try write(KeySQL.used, SQLValue(now), .text(id)) }
    /// - Returns: whether there was one.
    package func removeKey(_ id: String) throws -> Bool { try execute(KeySQL.remove, .text(id)) == 1 }

    private func key(from row: SQLRow) throws -> StoredKey {
        let row = TableRow<KeyColumn>(row)
        return StoredKey(
            id: try row.text(.id), name: try row.text(.name), hash: try row.text(.hash),
            scopes: Set(try row.text(.scopes).split(separator: " ").compactMap { Scope(rawValue: String($0)) }),
            createdAt: try row.instant(.createdAt),
            expiresAt: try row.instant(.expiresAt), usedAt: try row.optionalInstant(.usedAt))
    }
}
