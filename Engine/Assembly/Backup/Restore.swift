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
        let folder = try scratch()
        // One that stays is the next restore's to remove.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let copy = folder + "/backup.sqlite"
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw UsherError(.configuration, "\(path) cannot be read: check the path and the file's mode.")
        }
        do { try FileManager.default.copyItem(atPath: path, toPath: copy) } catch {
            throw UsherError(.configuration, "The backup cannot be unpacked in \(folder): is there space left?")
        }
        let file: SQLiteDatabase
        do { file = try SQLiteDatabase(own: copy) } catch { throw BackupNote.damaged }
        let note = try await BackupNote.read(from: file)
        let source = Store(file)
        try await check(note, source)
        let keys = try await missingKeys(note, source, passphrase)
        let target = Store(try configuration.database.open())
        do {
            try await target.migrate()
            let move = DatabaseCopy(source: source, target: target, names: (path, configuration.database.name))
            try await move.refuseServed(target, configuration.database.name)
            try await move.refuseFull()
            if let keys { try VaultKeys.make(Runtime.vaultKeyFile(configuration), keys) }
            try await source.migrate()
            try await put(move, source, target, progress)
        } catch {
            try await target.database.close()
            throw error
        }
        try await target.database.close()
        try await file.close()
        return note
    }

    /// A folder of ours, near the place; what a restore that was killed has left there goes.
    private func scratch() throws -> String {
        let near = configuration.database.path.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
        let parent = near ?? FileManager.default.temporaryDirectory.path
        let prefix = ".usher-restore-"
        // Where it cannot be read, making a folder there says so.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] where name.hasPrefix(prefix) {
            let isOld = FileStatus("\(parent)/\(name)").map { Environment.system.now() - $0.changed > .hours(1) } ?? false
            if isOld { try FileManager.default.removeItem(atPath: "\(parent)/\(name)") }
        }
        let folder = "\(parent)/\(prefix)\(Environment.system.code(bits: 80))"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw UsherError(.configuration, "The folder \(parent) cannot be written to: check its owner and mode.") }
        return folder
    }

    private func check(_ note: BackupNote, _ source: Store) async throws {
        guard note.schema <= Schema.migrations.count else {
            throw UsherError(
                .configuration, "The backup was made by Usher \(note.version), which is newer than this one: restore it with that.")
        }
        for table in note.tables {
            guard let known = StoredTable.all.first(where: { $0.name == table.name }) else { continue }
            let (found, cause): ((rows: Int64, digest: String)?, String)
            do { (found, cause) = (try await DatabaseCopy.digest(known, source), "") } catch { (found, cause) = (nil, " (\(error))") }
            guard let found, found.rows == table.rows, found.digest == table.digest else {
                throw UsherError(
                    .configuration,
                    "The backup is damaged: its table \(table.name) is not what was written\(cause). Nothing was restored; take another one."
                )
            }
        }
    }

    /// Sees to it that the vault's keys open what lies in the backup.
    /// - Returns: keys out of the backup that are to be written beside the database; `nil` where they are there.
    private func missingKeys(_ note: BackupNote, _ source: Store, _ passphrase: () throws -> Secret) async throws -> String? {
        if let keys = try presentKeys() {
            let present = try Vault(keys: keys).keyIDs
            guard try await isSealedUnder(present, source) else {
                let place = configuration.vaultKeys == nil ? Runtime.vaultKeyFile(configuration) : configuration.vaultKeysSource
                throw UsherError(
                    .configuration,
                    "Secrets in the backup are sealed under the keys \(note.keyIDs.joined(separator: ", ")), and \(place) holds \(present.joined(separator: ", ")): add the old ones behind the newer, or move that file away where nothing needs it."
                )
            }
            return nil
        }
        if let sealed = note.sealedKeys {
            let text = try PassphraseSeal.open(sealed, under: try passphrase())
            _ = try VaultKeys.parse(text)
            return text
        }
        guard try await isSealedUnder([], source) else {
            throw UsherError(
                .configuration,
                "Secrets in the backup are sealed under the keys \(note.keyIDs.joined(separator: ", ")), which are not here: put the key file back as \(Runtime.vaultKeyFile(configuration)), or set USHER_VAULT_KEYS."
            )
        }
        return nil
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

    /// Before its first row is there, the target is the installation, and held; it is let go only once all of it is.
    private func put(
        _ move: DatabaseCopy, _ source: Store, _ target: Store, _ progress: (DatabaseCopy.Progress) -> Void
    ) async throws {
        let (place, environment) = (try await target.database.place(), Environment.system)
        var held = try await source.installation()
        held.hold(.restoring, at: environment.now(), random: environment.random)
        held.place = place
        try await target.write { [held] in try $0.save(held) }
        _ = try await move.run(progress)
        held.hold = .restored
        try await target.write { [held] tx in
            try tx.doubtAfterRestore()
            try tx.save(held)
        }
    }
}
