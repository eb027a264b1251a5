import Foundation
import UsherCore
import UsherSQLite
import UsherStore

/// What a backup says of itself, in its table `usher_backup`. A backup is a SQLite file, whichever database it was made from.
package struct BackupNote: Codable, Sendable {
    /// A table and what it held.
    package struct Table: Codable, Sendable {
        /// In the schema.
        package var name: String
        /// How many.
        package var rows: Int64
        /// SHA-256 over all rows in the order of their keys, in base32.
        package var digest: String
    }
    /// RFC 3339.
    package var madeAt: String
    /// Of Usher.
    package var version: String
    /// Of the schema.
    package var schema: Int
    /// Ids of the keys that secrets in it may be sealed under, newest first.
    package var keyIDs: [String]
    /// Those keys, sealed under a passphrase; `nil` where they were not asked for.
    package var sealedKeys: String?
    /// All of them, in the order in which they refer to each other.
    package var tables: [Table]

    static func write(_ note: BackupNote, to file: SQLiteDatabase) throws {
        let text = String(decoding: try JSONEncoder().encode(note), as: UTF8.self)
        try file.writeHere { session in
            try session.execute("CREATE TABLE IF NOT EXISTS usher_backup (note TEXT NOT NULL)", [])
            try session.execute("DELETE FROM usher_backup", [])
            try session.execute("INSERT INTO usher_backup (note) VALUES ($1)", [.text(text)])
        }
    }

    /// - Throws: ``ErrorCode/configuration`` where the file is no backup.
    static func read(from file: SQLiteDatabase) async throws -> BackupNote {
        do {
            let text = try await file.read { try $0.query("SELECT note FROM usher_backup", [])[0].text(0) }
            return try JSONDecoder().decode(BackupNote.self, from: Data(text.utf8))
        } catch { throw damaged }
    }

    static let damaged = UsherError(
        .configuration,
        "This file is no backup that `usher backup` made, or it is damaged. A copy of a database is not restored: stop Usher and put it where DATABASE_URL says."
    )
}
