import UsherCore

/// A table as a copy of a whole installation sees it.
package struct StoredTable: Sendable {
    package let name: String
    /// What its rows are told apart by, and read in the order of.
    let key: [String]

    /// Every table that outlives the processes, each after those that it refers to.
    package static let all: [StoredTable] = [
        .init("owners", "id"), .init("terms", "id"), .init("bookings", "id"), .init("rooms", "booking_id", "generation"),
        .init("steps", "kind", "subject"), .init("outbox", "id"), .init("timeline", "booking_id", "seq"), .init("links", "hash"),
        .init("holds", "id"),
        .init("idempotency", "scope", "key"), .init("tokens", "name"), .init("connections", "owner_id", "provider"),
        .init("consents", "id"),
        .init("portal_links", "hash"), .init("sessions", "hash"), .init("owner_apps", "owner_id", "provider"),
        .init("calendar_events", "booking_id"), .init("notices", "subject"), .init("api_keys", "id"), .init("webhooks", "id"),
        .init("deliveries", "id"), .init("admin_sessions", "hash"), .init("provider_health", "provider"),
        .init("lost_connections", "owner_id", "provider"), .init("revocations", "id"), .init("audit", "at", "id"),
        .init("catalogues", "digest"), .init("calendars", "id"), .init("calendar_busy", "calendar_id", "starts_at"),
        .init("page_forms", "id"), .init("time_off", "id"),
        .init("calendar_subscriptions", "calendar_id"), .init("provider_calls", "day", "provider", "account"),
    ]

    /// Tables that a copy leaves out: the processes of the installation that it was made from, what they let through, the schema's
    /// versions, and the installation, which is told where it lies.
    package static let left = ["processes", "rate_limits", "schema_versions", "installation"]

    private init(_ name: String, _ key: String...) {
        self.name = name
        self.key = key
    }

    var isEmpty: String { "SELECT 1 FROM \(name) LIMIT 1" }
    var count: String { "SELECT COUNT(*) FROM \(name)" }
    package var remove: String { "DELETE FROM \(name)" }

    /// The first rows, or those after a key. The key's columns come first, then all columns in the order of the schema.
    func page(after: Bool) -> String {
        let columns = key.joined(separator: ", ")
        let parameters = key.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
        let start = after ? "WHERE (\(columns)) > (\(parameters)) " : ""
        let limit = after ? key.count + 1 : 1
        return "SELECT \(columns), \(name).* FROM \(name) \(start)ORDER BY \(columns) LIMIT $\(limit)"
    }

    package func insert(_ columns: Int) -> String {
        "INSERT INTO \(name) VALUES (\((1...columns).map { "$\($0)" }.joined(separator: ", ")))"
    }
}

/// Some rows of a table, all columns in the order of the schema, and where they end.
package struct TablePage: Sendable {
    package var rows: [SQLRow]
    /// `nil` after the last page.
    package var end: [SQLValue]?
}

extension Tx {
    /// Whether a table has no row.
    package func isEmpty(_ table: StoredTable) throws -> Bool { try session.query(table.isEmpty, []).isEmpty }
    package func count(_ table: StoredTable) throws -> Int64 { try session.query(table.count, [])[0].int(0) }
    package func removeAll(_ table: StoredTable) throws { try session.executeDeferred(table.remove, []) }

    /// - Parameter after: where the page before ended.
    package func page(of table: StoredTable, after: [SQLValue]?, limit: Int) throws -> TablePage {
        let rows = try session.query(table.page(after: after != nil), (after ?? []) + [.int(Int64(limit))])
        let width = table.key.count
        let end = rows.count == limit ? rows.last?.values(0..<width) : nil
        return TablePage(rows: rows.map { $0.part(width..<$0.count) }, end: end)
    }

    /// Adds rows as they were read.
    package func add(_ rows: [SQLRow], to table: StoredTable) throws {
        for row in rows { try session.executeDeferred(table.insert(row.count), row.values(0..<row.count)) }
    }
}

extension Store {
    /// Gives all rows of all tables as they were at one moment, on the thread of the transaction. It may begin anew: then `begin` is called
    /// once more.
    package func snapshot(
        begin: @escaping @Sendable () throws -> Void, _ take: @escaping @Sendable (StoredTable, [SQLRow]) throws -> Void
    ) async throws {
        try await database.read { [memory] session in
            try begin()
            let tx = Tx(session: session, memory: memory)
            for table in StoredTable.all {
                var after: [SQLValue]?
                repeat {
                    let page = try tx.page(of: table, after: after, limit: 500)
                    try take(table, page.rows)
                    after = page.end
                } while after != nil
            }
        }
    }
}
