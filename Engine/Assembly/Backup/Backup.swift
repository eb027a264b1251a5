import Foundation
import UsherCore
import UsherSQLite
import UsherStore
import UsherVault

/// Copies an installation into one file, while it works.
package struct Backup: Sendable {
    private let configuration: Configuration

    /// Of the installation that a configuration names.
    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// - Parameters:
    ///   - path: of a file that is not there yet; it is made with mode 0600, and has its name only once it is whole.
    ///   - passphrase: to seal the vault's keys under, which then lie in the file, too.
    ///   - progress: the table at hand, and how many of all tables are done.
    package func run(to path: String, passphrase: Secret?, _ progress: @escaping @Sendable (String, Int64, Int64) -> Void) async throws
        -> BackupNote
    {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw UsherError(.configuration, "\(path) is there already: name a new file.")
        }
        guard configuration.database.exists else {
            throw UsherError(.configuration, "There is no database at \(configuration.database.name).")
        }
        let draft = path + ".\(Environment.system.code(bits: 40)).part"
        let descriptor = open(draft, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw UsherError(.configuration, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        close(descriptor)
        defer { for name in [draft, draft + "-journal"] { unlink(name) } }
        let store = try await Runtime.storeAsItIs(configuration)
        do {
            let vault = try await Runtime.vault(configuration, store, .system)
            try await copy(store, to: draft, progress)
            let note = try await finish(draft, vault, passphrase, progress)
            // Not by a link: backups lie on file systems that have none, too.
            guard !FileManager.default.fileExists(atPath: path), rename(draft, path) == 0 else {
                throw UsherError(.configuration, "\(path) cannot be written: \(String(cString: strerror(errno))).")
            }
            try await store.database.close()
            return note
        } catch {
            try await store.database.close()
            throw error
        }
    }

    private func copy(_ store: Store, to draft: String, _ progress: @escaping @Sendable (String, Int64, Int64) -> Void) async throws {
        if let file = store.database as? any FileDatabase { return try file.copy(to: draft) }
        unlink(draft)
        let target = try SQLiteDatabase(own: draft)
        try await Store(target).migrate()
        let installation = try await store.installation()
        let total = Int64(StoredTable.all.count)
        try await store.snapshot {
            try target.writeHere { session in for table in StoredTable.all.reversed() { try session.execute(table.remove, []) } }
        } _: { table, rows in
            try target.writeHere { session in
                for row in rows { try session.execute(table.insert(row.count), row.values(0..<row.count)) }
            }
            progress(table.name, Int64(StoredTable.all.firstIndex { $0.name == table.name } ?? 0), total)
        }
        try await Store(target).write { try $0.save(installation) }
        try await target.close()
    }

    /// Reads it once more, and writes down what it holds.
    private func finish(
        _ draft: String, _ vault: Vault, _ passphrase: Secret?, _ progress: (String, Int64, Int64) -> Void
    ) async throws -> BackupNote {
        let file = try SQLiteDatabase(own: draft)
        let copy = Store(file)
        try await copy.write { try $0.forgetProcesses() }
        var tables: [BackupNote.Table] = []
        for table in StoredTable.all {
            progress(table.name, Int64(tables.count), Int64(StoredTable.all.count))
            let (rows, digest) = try await DatabaseCopy.digest(table, copy)
            tables.append(.init(name: table.name, rows: rows, digest: digest))
        }
        let environment = Environment.system
        let keys = try passphrase.map { try PassphraseSeal.seal(try keyText(), under: $0, salt: environment.random(16)) }
        let note = BackupNote(
            madeAt: environment.now().rfc3339, version: UsherVersion.number, schema: Schema.migrations.count, keyIDs: vault.keyIDs,
            sealedKeys: keys, tables: tables)
        try BackupNote.write(note, to: file)
        try await file.close()
        return note
    }

    private func keyText() throws -> String {
        if let keys = configuration.vaultKeys { return keys }
        return try String(contentsOfFile: Runtime.vaultKeyFile(configuration), encoding: .utf8)
    }
}
