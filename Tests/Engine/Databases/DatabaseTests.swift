import DatabaseConformance
import Foundation
import TestSupport
import Testing
import UsherCore
import UsherSQLite

@Suite(.timeLimit(.minutes(2)))
struct DatabaseTests {
    enum Kind: String, CaseIterable, Sendable { case sqliteFile, sqliteMemory }

    @Test("a database keeps the seam's promises, case by case", arguments: Kind.allCases, DatabaseCase.all)
    func keepsPromises(kind: Kind, promise: DatabaseCase) async throws {
        switch kind {
        case .sqliteMemory: try await promise.run(try SQLiteDatabase())
        case .sqliteFile:
            let folder = FileManager.default.temporaryDirectory.path + "/usher-database-" + Surroundings.system.code(bits: 80)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let database = try SQLiteDatabase(path: folder + "/test.sqlite")
            try await promise.run(database)
            try await database.close()
        }
    }
}
