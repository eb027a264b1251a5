import Foundation
import UsherCore
import UsherSQLite
import UsherStore
import UsherVault

/// Puts a backup into an empty place, and holds it there: nothing leaves until a person has released it.
package struct Restore: Sendable {
    private let configuration: Configuration

    /// Of the installation that a configuration names.
    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// - Parameters:
    ///   - passphrase: asked for where the keys must come out of the backup.
    ///   - progress: as ``DatabaseCopy/run(_:)`` tells it.
    /// - Throws: ``UsherError`` where the file is damaged, the place is not empty, or the keys do not fit; the place is empty then.
    package func run(_ path: String, passphrase: () throws -> Secret, _ progress: (DatabaseCopy.Progress) -> Void) async throws
        -> BackupNote
    {
        // The file itself stays as it is.
        let folder = FileManager.default.temporaryDirectory.path + "/usher-restore-" + Environment.system.code(bits: 80)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let copy = folder + "/backup.sqlite"
        do { try FileManager.default.copyItem(atPath: path, toPath: copy) } catch {
            throw UsherError(.configuration, "\(path) cannot be read: check the path and the file's mode.")
        }
        let file = try SQLiteDatabase(own: copy)
        let note = try await BackupNote.read(from: file)
        let source = Store(file)
        try await check(note, source)
        try await settleKeys(note, source, passphrase)
        try await source.migrate()
        try await put(source, path, progress)
        try await file.close()
        return note
    }

    private func check(_ note: BackupNote, _ source: Store) async throws {
        guard note.schema <= Schema.migrations.count else {
            throw UsherError(
                .configuration, "The backup was made by Usher \(note.version), which is newer than this one: restore it with that.")
        }
        for table in note.tables {
            guard let known = StoredTable.all.first(where: { $0.name == table.name }) else { continue }
            let found = try? await DatabaseCopy.digest(known, source)
            guard let found, found.rows == table.rows, found.digest == table.digest else {
                throw UsherError(
                    .configuration,
                    "The backup is damaged: its table \(table.name) is not what was written. Nothing was restored; take another one.")
            }
        }
    }

    /// Sees to it that the vault's keys open what lies in the backup.
    private func settleKeys(_ note: BackupNote, _ source: Store, _ passphrase: () throws -> Secret) async throws {
        if let keys = try presentKeys() {
            let present = try Vault(keys: keys).keyIDs
            guard try await isSealedUnder(present, source) else {
                throw UsherError(
                    .configuration,
                    "Secrets in the backup are sealed under the keys \(note.keyIDs.joined(separator: ", ")), and \(configuration.vaultKeysSource) holds \(present.joined(separator: ", ")): add the old ones behind the newer."
                )
            }
            return
        }
        let path = Runtime.vaultKeyFile(configuration)
        if let sealed = note.sealedKeys {
            let text = try PassphraseSeal.open(sealed, under: try passphrase())
            _ = try VaultKeys.parse(text)
            let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw UsherError(.configuration, "The key file \(path) cannot be written: \(String(cString: strerror(errno))).")
            }
            defer { close(descriptor) }
            let bytes = Array(text.utf8)
            guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
                throw UsherError(.configuration, "The key file \(path) cannot be written: \(String(cString: strerror(errno))).")
            }
        } else if try await !isSealedUnder([], source) {
            throw UsherError(
                .configuration,
                "Secrets in the backup are sealed under the keys \(note.keyIDs.joined(separator: ", ")), which are not here: put the key file back as \(path), or set USHER_VAULT_KEYS."
            )
        }
    }

    private func presentKeys() throws -> [[UInt8]]? {
        if let keys = configuration.vaultKeys { return try VaultKeys.parse(keys) }
        let path = Runtime.vaultKeyFile(configuration)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try VaultKeys.file(at: path, random: Environment.system.random)
    }

    private func isSealedUnder(_ ids: [String], _ source: Store) async throws -> Bool {
        try await source.read { try $0.sealedSamples() }.allSatisfy { sample in
            ids.contains { sample.sealed.hasPrefix("v1.\($0).") }
        }
    }

    private func put(_ source: Store, _ path: String, _ progress: (DatabaseCopy.Progress) -> Void) async throws {
        let target = Store(try configuration.database.open())
        do {
            try await target.migrate()
            try await refuseServed(target)
            let copy = DatabaseCopy(source: source, target: target, names: (path, configuration.database.name))
            try await copy.refuseFull()
            // Before its first row is there: whoever opens it half-way sends nothing.
            try await hold(try await target.installation(), target)
            _ = try await copy.run(progress)
            try await target.write { try $0.doubtAfterRestore() }
            try await hold(try await source.installation(), target)
            try await target.database.close()
        } catch {
            try await target.database.close()
            throw error
        }
    }

    private func refuseServed(_ target: Store) async throws {
        for process in try await target.read({ try $0.processes() }) where try await !target.database.isDead(process: process.id) {
            throw UsherError(.configuration, "A process of Usher works on \(configuration.database.name): stop it first.")
        }
    }

    private func hold(_ installation: Installation, _ target: Store) async throws {
        let (place, environment) = (try await target.database.place(), Environment.system)
        try await target.write { tx in
            var held = installation
            held.hold(.restored, at: environment.now(), random: environment.random)
            held.place = place
            try tx.save(held)
        }
    }
}
