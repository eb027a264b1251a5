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
            for statement in copies { try session.execute(numbers + statement, [.int(Int64(count))]) }
        }
        try await database.close()
        return folder
    }

    private static let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "

    /// Copies of the one booking that was made, each with its room, links, mails and timeline, keys made as real ones are.
    private static let copies = [
        """
        INSERT INTO bookings SELECT 'bk_0' || printf('%023d', i), owner_id, status, revision, starts_at + i * 60000000, ends_at + i * 60000000,
            time_zone, attendees, note, metadata, source, terms_id, overlap_allowed, meeting_status, provider, module, because, room, problem,
            changed_at, created_at FROM n, bookings WHERE id NOT LIKE 'bk_00%'
        """,
        """
        INSERT INTO rooms SELECT 'bk_0' || printf('%023d', i), generation, lower(hex(randomblob(13))), provider, module, host, state,
            flight_ends, room_id, room, applied_start, applied_end, twin_check, twin_checks_left, gone_seen, failures, not_before, check_at
            FROM n, rooms WHERE booking_id NOT LIKE 'bk_00%'
        """,
        """
        INSERT INTO links SELECT printf('%08d', i) || lower(hex(randomblob(26))), 'bk_0' || printf('%023d', i), reader, purpose, sealed
            FROM n, links WHERE booking_id NOT LIKE 'bk_00%'
        """,
        """
        INSERT INTO outbox SELECT 'ml_0' || printf('%020d', i) || reader, 'bk_0' || printf('%023d', i), revision, reader, kind,
            lower(hex(randomblob(16))), thread_id, written_at, state, maybe_delivered, problem, about, on_calendar, told, before
            FROM n, outbox WHERE booking_id NOT LIKE 'bk_00%'
        """,
        """
        INSERT INTO timeline SELECT 'bk_0' || printf('%023d', i), seq, at, event, detail FROM n, timeline WHERE booking_id NOT LIKE 'bk_00%'
        """,
    ]
}
