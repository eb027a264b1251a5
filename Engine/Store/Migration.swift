import Foundation
import UsherCore

/// Statements on the schema's own versions.
enum SchemaSQL: String, SQLStatement {
    case makeVersions = "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY)"
    case newestVersion = "SELECT COALESCE(MAX(version), 0) FROM schema_versions"
    case earliestReader = "SELECT MAX(earliest_reader) FROM schema_versions"
    case addVersion = "INSERT INTO schema_versions (version) VALUES ($1)"
    case setEarliestReader = "UPDATE schema_versions SET earliest_reader = $1 WHERE version = $2"
}

extension Store {
    /// Brings the schema to the newest version, in one transaction. Called by every process at its start; the first one does it.
    /// - Parameter random: gives so many random bytes, for a new installation's id.
    /// - Throws: ``UsherError`` when a newer Usher has changed it so that this one cannot work with it.
    package func migrate(random: @escaping @Sendable (Int) -> [UInt8] = Environment.system.random) async throws {
        try await database.write { session in
            try session.takesLong()
            try session.lock(name: "schema")
            let tx = Tx(session: session, memory: self.memory)
            try tx.execute(SchemaSQL.makeVersions)
            let (present, known) = (Int(try tx.query(SchemaSQL.newestVersion)[0].int(0)), Schema.migrations.count)
            if present > known { return try Self.refuseUnreadable(tx, present) }
            for version in Schema.migrations.indices.dropFirst(present) {
                for statement in Schema.migrations[version] { try session.execute(statement, []) }
                try tx.execute(SchemaSQL.addVersion, .int(Int64(version + 1)))
            }
            if present < known, session.locksRows { for statement in Schema.storage { try session.execute(statement, []) } }
            if present < known { try tx.execute(SchemaSQL.setEarliestReader, .int(Int64(Schema.earliestReader)), .int(Int64(known))) }
            if try tx.query(InstallationSQL.one).isEmpty { try tx.save(Installation(random: random)) }
        }
    }

    /// Copies a file whose schema is about to change beside itself: should the new program not do, the one before finds its database.
    package func keepBeforeMigration(beside path: String?) async throws {
        guard let path, let file = database as? any FileDatabase else { return }
        let present = try await database.write { session in
            try session.execute(SchemaSQL.makeVersions.rawValue, [])
            return Int(try session.query(SchemaSQL.newestVersion.rawValue, [])[0].int(0))
        }
        guard present > 0, present < Schema.migrations.count else { return }
        // Another process may be at it, and have migrated meanwhile: what is there stays.
        let kept = "\(path).before-\(Schema.migrations.count)"
        let draft = "\(kept).\(UInt64.random(in: 0 ... .max))"
        guard !FileManager.default.fileExists(atPath: kept) else { return }
        try file.copy(to: draft)
        defer { unlink(draft) }
        guard link(draft, kept) == 0 || errno == EEXIST else {
            throw UsherError(
                .configuration, "\(kept) cannot be written: \(String(cString: strerror(errno))). Free some space, then start again.")
        }
    }

    /// The version of the schema; 0 where there is none.
    package func schemaVersion() async throws -> Int {
        do { return try await database.read { Int(try $0.query(SchemaSQL.newestVersion.rawValue, [])[0].int(0)) } } catch let error
            as DatabaseError
        {
            // No table, no schema; what else is wrong is said.
            if error.description.contains("schema_versions") { return 0 }
            throw error
        }
    }

    /// A newer version may have only added what this one leaves alone.
    private static func refuseUnreadable(_ tx: Tx, _ present: Int) throws {
        let (earliest, known) = (Int(try tx.query(SchemaSQL.earliestReader)[0].int(0)), Schema.migrations.count)
        guard earliest > known else { return }
        throw UsherError(
            .configuration,
            "The database is of schema version \(present), which needs an Usher that knows version \(earliest), and this one knows only \(known): start the newer Usher that made it."
        )
    }
}
