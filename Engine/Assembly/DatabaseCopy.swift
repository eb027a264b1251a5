import Crypto
import Foundation
import UsherCore
import UsherPipeline
import UsherStore

/// Moves an installation from one database to another, whole: what was copied is read again on both sides and compared.
package struct DatabaseCopy: Sendable {
    private let source: Store
    private let target: Store
    private let names: (source: String, target: String)

    private static let pageSize = 500

    /// How much of which table is done.
    package struct Progress: Sendable {
        package var table: String
        package var done: Int64
        package var total: Int64
    }

    /// A table that was copied.
    package struct Copied: Sendable {
        package var table: String
        package var rows: Int64
        /// SHA-256 over all rows in the order of their keys, in base32.
        package var digest: String
    }

    init(source: Store, target: Store, names: (source: String, target: String)) {
        (self.source, self.target, self.names) = (source, target, names)
    }

    /// Opens both, and brings both schemas to the newest version.
    package static func open(_ from: DatabaseAddress, _ to: DatabaseAddress) async throws -> DatabaseCopy {
        guard from.exists else { throw UsherError(.configuration, "There is no database at \(from.name).") }
        let (source, target) = (Store(try from.open()), Store(try to.open()))
        for store in [source, target] { try await store.migrate() }
        return DatabaseCopy(source: source, target: target, names: (from.name, to.name))
    }

    package func close() async throws {
        try await source.database.close()
        try await target.database.close()
    }

    /// - Throws: ``UsherError`` where a server still works on the source, where the target is not empty, or where the two differ in the
    ///   end; nothing stays in the target then.
    package func run(_ progress: (Progress) -> Void) async throws -> [Copied] {
        try await refuseServed(source, names.source)
        try await refuseFull()
        let total = try await source.read { tx in try StoredTable.all.reduce(0) { try $0 + tx.count($1) } }
        do {
            var done: Int64 = 0
            for table in StoredTable.all {
                try await copy(table) { rows in
                    done += rows
                    progress(Progress(table: table.name, done: done, total: total))
                }
            }
            return try await compare()
        } catch {
            // In the other order, because of what refers to what.
            do {
                try await target.write { tx in
                    try tx.takesLong()
                    for table in StoredTable.all.reversed() { try tx.removeAll(table) }
                }
            } catch let leftover {
                throw UsherError(
                    .internalError,
                    "The copy ended with: \(error). What it had written to \(names.target) could not be removed (\(leftover)): copy into a new database."
                )
            }
            throw error
        }
    }

    /// Copies, and makes the target the installation, where it lies.
    package func move(_ progress: (Progress) -> Void) async throws -> [Copied] {
        var moved = try await source.installation()
        let hold = moved.hold
        (moved.place, moved.hold) = (try await target.database.place(), .restoring)
        try await refuseServed(source, names.source)
        try await refuseFull()
        let former = try await target.installation()
        try await target.write { [moved] in try $0.save(moved) }
        let copied: [Copied]
        do { copied = try await run(progress) } catch {
            // It is nobody's, as before; where something is left in it, nothing may leave it.
            do {
                try await refuseFull()
                try await target.write { try $0.save(former) }
            } catch let leftover {
                throw UsherError(
                    .internalError,
                    "The copy ended with: \(error). \(names.target) is not what it was before (\(leftover)): copy into a new database.")
            }
            throw error
        }
        // Whole, and held until the source is: one that dies between the two leaves them never both at work.
        moved.hold = .moved
        try await target.write { [moved] in try $0.save(moved) }
        try await retireSource()
        moved.hold = hold
        try await target.write { [moved] in try $0.save(moved) }
        return copied
    }

    /// There is one installation: a server that is started on the former database by mistake sends nothing.
    private func retireSource() async throws {
        let environment = Environment.system
        do {
            try await source.write { tx in
                try tx.lockInstallation()
                var present = try tx.presentInstallation()
                present.hold(.moved, at: environment.now(), random: environment.random)
                try tx.save(present)
                try tx.doubtAfterRestore(forgettingProcesses: false)
            }
        } catch {
            throw UsherError(
                .internalError,
                "All was copied and compared, but \(names.source) could not be marked as moved (\(error)): never start Usher on it again, and let \(names.target) go with `usher release`."
            )
        }
    }

    func refuseServed(_ store: Store, _ name: String) async throws {
        for process in try await store.read({ try $0.processes() }) where try await !store.isDead(process.id) {
            throw UsherError(
                .configuration,
                "A process of Usher works on \(name), and what it writes now would be lost: stop it first, then copy.")
        }
    }

    func refuseFull() async throws {
        let full = try await target.read { tx in try StoredTable.all.first { try !tx.isEmpty($0) } }
        if let full {
            throw UsherError(
                .configuration, "\(names.target) is not empty: its table \(full.name) has rows. Copy into a new database.")
        }
    }

    private func copy(_ table: StoredTable, _ progress: (Int64) -> Void) async throws {
        var after: [SQLValue]?
        repeat {
            let page = try await source.read { [after] in try $0.page(of: table, after: after, limit: Self.pageSize) }
            try await target.write { try $0.add(page.rows, to: table) }
            progress(Int64(page.rows.count))
            after = page.end
        } while after != nil
    }

    private func compare() async throws -> [Copied] {
        var copied: [Copied] = []
        for table in StoredTable.all {
            let (one, other) = (try await Self.digest(table, source), try await Self.digest(table, target))
            guard one.rows == other.rows, one.digest == other.digest else {
                throw UsherError(
                    .internalError,
                    "The table \(table.name) differs after the copy (\(one.rows) and \(other.rows) rows): something writes to one of the two. Stop it, and copy again."
                )
            }
            copied.append(Copied(table: table.name, rows: one.rows, digest: one.digest))
        }
        return copied
    }

    static func digest(_ table: StoredTable, _ store: Store) async throws -> (rows: Int64, digest: String) {
        var hash = SHA256()
        var (rows, after): (Int64, [SQLValue]?) = (0, nil)
        repeat {
            let page = try await store.read { [after] in try $0.page(of: table, after: after, limit: pageSize) }
            for row in page.rows { for value in row.values(0..<row.count) { hash.update(data: Data(value.digestible.utf8)) } }
            rows += Int64(page.rows.count)
            after = page.end
        } while after != nil
        return (rows, base32(Array(hash.finalize())))
    }
}

extension SQLValue {
    /// No two values, one behind the other, read as two others.
    fileprivate var digestible: String {
        switch self {
        case .null: "n;"
        case .int(let value): "i\(value);"
        case .text(let value): "t\(value.utf8.count):\(value);"
        }
    }
}
