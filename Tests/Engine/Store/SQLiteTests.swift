import Foundation
import Synchronization
import Testing
import UsherCore
import UsherSQLite
import UsherStore

/// What only a database in a file can get into.
@Suite(.timeLimit(.minutes(1)))
struct SQLiteTests {
    private func file(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/usher-sqlite-" + Environment.system.code(bits: 60)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder + "/usher.sqlite")
    }

    private func add(_ id: Int64, _ word: String, _ database: SQLiteDatabase) async -> DatabaseError.Kind? {
        do {
            try await database.write { try _ = $0.execute("INSERT INTO things (id, word) VALUES ($1, $2)", [.int(id), .text(word)]) }
            return nil
        } catch { return (error as? DatabaseError)?.kind ?? .other }
    }

    private func ids(_ database: SQLiteDatabase) async throws -> Set<Int64> {
        Set(try await database.read { try $0.query("SELECT id FROM things", []).map { try $0.int(0) } })
    }

    private func table(_ database: SQLiteDatabase) async throws {
        try await database.write { try _ = $0.execute("CREATE TABLE things (id BIGINT PRIMARY KEY, word TEXT)", []) }
    }

    @Test("when the disk is full, whoever was told yes is there, whoever was told no is not, and smaller things go on")
    func fullDisk() async throws {
        try await file { path in
            let database = try SQLiteDatabase(path: path)
            try await table(database)
            _ = try await database.write { try $0.query("PRAGMA max_page_count = 40", []) }
            let outcomes = await withTaskGroup(of: (Int64, DatabaseError.Kind?).self) { group in
                for id in Int64(0)..<60 {
                    group.addTask { (id, await add(id, id % 20 == 10 ? String(repeating: "x", count: 1_000_000) : "small", database)) }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect(outcomes.keys.contains(10) && outcomes.values.allSatisfy { $0 == .busy })
            #expect(try await ids(database) == Set(0..<60).subtracting(outcomes.keys))
            #expect(await add(100, "small", database) == nil)
        }
    }

    @Test("while another process holds the file, callers are told to come again, and nothing hangs")
    func locked() async throws {
        try await file { path in
            let (ours, other) = (try SQLiteDatabase(path: path), try SQLiteDatabase(path: path))
            try await table(ours)
            let gate = DispatchSemaphore(value: 0)
            let (held, isHeld) = AsyncStream<Void>.makeStream()
            async let holding: Void = other.write { _ in
                isHeld.yield()
                gate.wait()
            }
            for await _ in held.prefix(1) {}
            let outcomes = await withTaskGroup(of: DatabaseError.Kind?.self) { group in
                for id in Int64(0)..<3 { group.addTask { await add(id, "small", ours) } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes == [.busy, .busy, .busy])
            gate.signal()
            try await holding
            #expect(await add(1, "small", ours) == nil)
        }
    }

    private final class Runs: Sendable {
        private let counts = Mutex<[Int64: Int]>([:])
        func next(_ id: Int64) -> Int {
            counts.withLock { counts in
                counts[id, default: 0] += 1
                return counts[id, default: 0]
            }
        }
    }

    @Test("what a transaction answers is what its last run wrote, however often others beside it go wrong")
    func answers() async throws {
        struct Refused: Error {}
        let database = try SQLiteDatabase()
        try await table(database)
        let runs = Runs()
        let answers = await withTaskGroup(of: (Int64, String?).self) { group in
            for id in Int64(0)..<60 {
                group.addTask {
                    let answer = try? await database.write { session in
                        let word = "run \(runs.next(id))"
                        // Some are refused before they write anything, some after it.
                        if id % 5 == 1 { throw Refused() }
                        try session.execute("INSERT INTO things (id, word) VALUES ($1, $2)", [.int(id), .text(word)])
                        if id % 5 == 2 { throw Refused() }
                        return word
                    }
                    return (id, answer)
                }
            }
            return await group.reduce(into: [Int64: String]()) { answers, one in answers[one.0] = one.1 }
        }
        let rows = try await database.read { try $0.query("SELECT id, word FROM things", []) }
        var written: [Int64: String] = [:]
        for row in rows { written[try row.int(0)] = try row.text(1) }
        #expect(written == answers)
        let accepted = (Int64(0)..<60).filter { id in id % 5 != 1 && id % 5 != 2 }
        #expect(written.keys.sorted() == accepted)
    }

    @Test("a copy of an installation takes every table with it")
    func census() async throws {
        let database = try SQLiteDatabase()
        try await Store(database).migrate()
        let tables = try await database.read { session in
            try session.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", []).map { try $0.text(0) }
        }
        #expect(Set(tables) == Set(StoredTable.all.map(\.name) + StoredTable.left))
    }
}
