import DatabaseConformance
import Foundation
import TestPostgreSQL
import Testing
import UsherCore
import UsherPostgreSQL
import UsherSQLite

@Suite(.timeLimit(.minutes(2)))
struct DatabaseTests {
    enum Kind: String, CaseIterable, Sendable { case sqliteFile, sqliteMemory, postgreSQL }

    @Test("a database keeps the seam's promises, case by case", arguments: Kind.allCases, DatabaseCase.all)
    func keepsPromises(kind: Kind, promise: DatabaseCase) async throws {
        switch kind {
        case .sqliteMemory: try await promise.run(DatabaseSubject(try SQLiteDatabase()))
        case .postgreSQL:
            let server = try PostgreSQLServer.shared()
            let url = try server.newDatabase()
            let (database, other) = (try PostgreSQLDatabase(url: url, connections: 4), try PostgreSQLDatabase(url: url, connections: 4))
            try await promise.run(DatabaseSubject(database, other: other) { try server.cutConnections(to: url) })
            try await other.close()
            try await database.close()
        case .sqliteFile:
            let folder = FileManager.default.temporaryDirectory.path + "/usher-database-" + Environment.system.code(bits: 80)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let database = try SQLiteDatabase(path: folder + "/test.sqlite")
            let other = try SQLiteDatabase(path: folder + "/test.sqlite")
            try await promise.run(DatabaseSubject(database, other: other))
            try await other.close()
            try await database.close()
        }
    }

    @Test("once a database is closed, a copy of its file alone holds all that was written")
    func copied() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/usher-database-" + Environment.system.code(bits: 80)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try SQLiteDatabase(path: folder + "/test.sqlite")
        try await database.write { session in
            try session.execute("CREATE TABLE notes (id BIGINT PRIMARY KEY)", [])
            try session.execute("INSERT INTO notes (id) VALUES (1), (2)", [])
        }
        // A reader that is open would be the last to close.
        #expect(try await database.read { try $0.query("SELECT id FROM notes", []) }.count == 2)
        try await database.close()
        try FileManager.default.copyItem(atPath: folder + "/test.sqlite", toPath: folder + "/copy.sqlite")
        let copy = try SQLiteDatabase(path: folder + "/copy.sqlite")
        #expect(try await copy.read { try $0.query("SELECT id FROM notes", []) }.count == 2)
        try await copy.close()
    }
}
