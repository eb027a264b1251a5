import UsherCore

/// The app of an owner's own organisation at a provider, in place of the site's. Its secrets are sealed.
package struct StoredApp: Hashable, Sendable {
    /// Whose app it is.
    package var ownerID: String
    /// The provider that it is for.
    package var provider: String
    /// The app's id at the service.
    package var clientID: String
    /// Its credentials, sealed.
    package var sealed: String
    /// When it was entered.
    package var createdAt: Instant

    /// Takes each property as it is.
    package init(ownerID: String, provider: String, clientID: String, sealed: String, createdAt: Instant) {
        self.ownerID = ownerID
        self.provider = provider
        self.clientID = clientID
        self.sealed = sealed
        self.createdAt = createdAt
    }

    /// What its secrets are sealed for.
    package static func context(owner: String, provider: String) -> String { "app:\(owner):\(provider)" }
}

/// The columns of `owner_apps` that are read.
enum AppColumn: Int, Column {
    case ownerID, provider, clientID, sealed, createdAt

    static let table = "owner_apps"
}

/// Statements on owners' own apps.
enum AppSQL: String, SQLStatement {
    case save = """
        INSERT INTO owner_apps ({owner_apps}) VALUES ({$5})
        ON CONFLICT (owner_id, provider) DO UPDATE SET client_id = excluded.client_id, sealed = excluded.sealed,
            created_at = excluded.created_at
        """
    case ofOwner = "SELECT {owner_apps} FROM owner_apps WHERE owner_id = $1 ORDER BY provider"
    case all = "SELECT {owner_apps} FROM owner_apps ORDER BY owner_id, provider"
    case remove = "DELETE FROM owner_apps WHERE owner_id = $1 AND provider = $2"
    case removeOfOwner = "DELETE FROM owner_apps WHERE owner_id = $1"

    static let texts: [String: StatementText] = texts(AppColumn.self)
}

extension Tx {
    /// Keeps an app, in place of the owner's former one at that provider.
    package func save(_ app: StoredApp) throws {
        try write(
            AppSQL.save, .text(app.ownerID), .text(app.provider), .text(app.clientID), .text(app.sealed), SQLValue(app.createdAt))
    }
    /// An owner's apps, by provider.
    package func apps(of owner: String) throws -> [StoredApp] { try query(AppSQL.ofOwner, .text(owner)).map(app(from:)) }
    /// Every app.
    package func apps() throws -> [StoredApp] { try query(AppSQL.all).map(app(from:)) }
    /// - Returns: whether there was one.
    package func removeApp(owner: String, provider: String) throws -> Bool {
        try execute(AppSQL.remove, .text(owner), .text(provider)) == 1
    }

    /// Forgets all apps of an owner.
    package func removeApps(of owner: String) throws { try write(AppSQL.removeOfOwner, .text(owner)) }

    private func app(from row: SQLRow) throws -> StoredApp {
        let row = TableRow<AppColumn>(row)
        return StoredApp(
            ownerID: try row.text(.ownerID), provider: try row.text(.provider), clientID: try row.text(.clientID),
            sealed: try row.text(.sealed),
            createdAt: try row.instant(.createdAt))
    }
}
