import Foundation
import UsherCore
import UsherSQLite

/// User plus system time of `usher` for each booking, request to both mails handed over, at 1,000 and at 1,000,000 stored bookings.
enum CPUBench {
    private static let bookings = 2_000

    static func run() async throws {
        let small = try await seeded(1_000)
        let large = try await seeded(1_000_000)
        var (few, many): ([Double], [Double]) = ([], [])
        for _ in 0..<Bench.rounds {
            few.append(try await measure(small))
            many.append(try await measure(large))
        }
        let (atFew, atMany) = (Bench.median(few), Bench.median(many))
        print("CPU per booking at 1,000 stored:     \(Bench.text(atFew)) ms (under 2)")
        print("CPU per booking at 1,000,000 stored: \(Bench.text(atMany)) ms, \(Bench.text(atMany / atFew)) times as much (at most 1.2)")
        for folder in [small, large] { try FileManager.default.removeItem(atPath: folder) }
    }

    /// One figure, to alternate with that of another build, or of a database that is a server: at 1,000 stored bookings, there at none.
    static func once() async throws {
        let folder = Rig.databaseURL == nil ? try await seeded(1_000) : try Rig.newFolder()
        print("CPU per booking: \(Bench.text(try await measure(folder), 3)) ms")
        try FileManager.default.removeItem(atPath: folder)
    }

    private static func measure(_ folder: String) async throws -> Double {
        let rig = try await Rig(folder: folder, workers: 32)
        try await rig.book(50, callers: 4)
        try await rig.settle()
        let before = try rig.cpu()
        try await rig.book(bookings, callers: 32)
        try await rig.settle()
        let spent = try rig.cpu() - before
        await rig.stop(removing: false)
        return spent * 1_000 / Double(bookings)
    }

    /// A database with so many finished bookings, each with its room, links, mails and timeline.
    private static func seeded(_ count: Int) async throws -> String {
        let folder = try Rig.newFolder()
        // The first start makes the schema and the owner.
        let rig = try await Rig(folder: folder, workers: 1)
        try await rig.book(1, callers: 1)
        try await rig.settle()
        await rig.stop(removing: false)
        let database = try SQLiteDatabase(path: folder + "/usher.sqlite")
        try await database.write { session in
            for (table, changes) in copies { try session.execute(copy(table, changes, session), [.int(Int64(count))]) }
        }
        try await database.close()
        return folder
    }

    /// What differs between the one booking that was made and its copies, by table and column: keys are made as real ones are.
    private static let copies: KeyValuePairs<String, [String: String]> = [
        "bookings": [
            "id": "'bk_0' || printf('%023d', i)", "starts_at": "starts_at + i * 60000000", "ends_at": "ends_at + i * 60000000",
        ],
        "rooms": ["booking_id": "'bk_0' || printf('%023d', i)", "key": "lower(hex(randomblob(13)))"],
        "links": ["hash": "printf('%08d', i) || lower(hex(randomblob(26)))", "booking_id": "'bk_0' || printf('%023d', i)"],
        "outbox": [
            "id": "'ml_0' || printf('%020d', i) || reader", "booking_id": "'bk_0' || printf('%023d', i)",
            "message_id": "lower(hex(randomblob(16)))",
        ], "timeline": ["booking_id": "'bk_0' || printf('%023d', i)"],
    ]

    private static func copy(_ table: String, _ changes: [String: String], _ session: any SQLSession) throws -> String {
        let columns = try session.query("SELECT name FROM pragma_table_info('\(table)') ORDER BY cid", []).map { try $0.text(0) }
        let values = columns.map { changes[$0] ?? $0 }.joined(separator: ", ")
        let own = changes["booking_id"] == nil ? "id" : "booking_id"
        return """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
            INSERT INTO \(table) (\(columns.joined(separator: ", "))) SELECT \(values) FROM n, \(table) WHERE \(own) NOT LIKE 'bk_00%'
            """
    }
}
