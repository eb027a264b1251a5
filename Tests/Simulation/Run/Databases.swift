import Foundation
import Synchronization
import TestSupport
import TestValues
import UsherCore

/// The database as the world of one run sees it: before each commit, no two bookings overlap.
struct WatchedDatabase: Database {
    let database: any Database
    let scheduler: Scheduler
    let overlaps: Overlaps
    let living: LivingProcesses
    let clock: VirtualClock

    func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try await scheduler.away {
            try await database.write { [overlaps, clock] session in
                let watched = WatchedSession(session)
                let result = try body(watched)
                if watched.hasMovedSomebody { try overlaps.look(session, clock.now) }
                return result
            }
        }
    }

    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try await scheduler.away { try await database.read(body) }
    }

    func announce(process id: String) throws {}
    func isDead(process id: String) -> Bool { living.isDead(id) }
    func close() async throws { try await database.close() }
}

/// A transaction that is told from others by whether it writes bookings or holds: time alone makes no two overlap.
final class WatchedSession: SQLSession {
    private let session: any SQLSession
    private(set) var hasMovedSomebody = false

    init(_ session: any SQLSession) { self.session = session }

    var locksRows: Bool { session.locksRows }
    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        note(sql)
        return try session.query(sql, arguments)
    }
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        note(sql)
        return try session.execute(sql, arguments)
    }
    func executeDeferred(_ sql: String, _ arguments: [SQLValue]) throws {
        note(sql)
        try session.executeDeferred(sql, arguments)
    }
    func lock(name: String) throws { try session.lock(name: name) }
    func takesLong() throws { try session.takesLong() }

    private static let moves = ["INSERT INTO bookings", "UPDATE bookings", "INSERT INTO holds", "UPDATE holds"]

    private func note(_ sql: String) { hasMovedSomebody = hasMovedSomebody || Self.moves.contains { sql.hasPrefix($0) } }
}

/// The processes that a driver can tell dead from living, at once. Of others only the heartbeat tells.
final class LivingProcesses: Sendable {
    private let processes = Mutex<[String: SimulatedProcess]>([:])
    func add(_ id: String, _ process: SimulatedProcess) { processes.withLock { $0[id] = process } }
    func isDead(_ id: String) -> Bool { processes.withLock { $0[id]?.isDead ?? false } }
}

/// Bookings and holds of one owner that were in each other's time, at any moment, where not both may be.
final class Overlaps: Sendable {
    private let found = Mutex<Set<String>>([])
    var violations: [String] { found.withLock { $0.sorted() } }

    func look(_ session: any SQLSession, _ now: Instant) throws {
        let held = try session.query(
            """
            SELECT hold.id, other.id FROM holds hold JOIN bookings other ON other.owner_id = hold.owner_id
            WHERE other.status = 'confirmed' AND hold.expires_at > $1 AND hold.booking_id IS NULL AND other.overlap_allowed = 0
                AND hold.starts_at < other.ends_at AND other.starts_at < hold.ends_at
            UNION ALL
            SELECT hold.id, other.id FROM holds hold JOIN holds other ON other.owner_id = hold.owner_id AND other.id > hold.id
            WHERE hold.expires_at > $1 AND other.expires_at > $1 AND hold.booking_id IS NULL AND other.booking_id IS NULL AND hold.starts_at < other.ends_at AND other.starts_at < hold.ends_at
            """, [.int((now + SimulatedRun.clockTolerance).microseconds)])
        for row in held {
            let pair = "\(try row.text(0)), a hold, and \(try row.text(1)) overlap"
            found.withLock { _ = $0.insert(pair) }
        }
        let rows = try session.query(
            """
            SELECT one.id, other.id FROM bookings one JOIN bookings other ON other.owner_id = one.owner_id AND other.id > one.id
            WHERE one.status = 'confirmed' AND other.status = 'confirmed' AND (one.overlap_allowed = 0 OR other.overlap_allowed = 0)
                AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
            """, [])
        for row in rows {
            let pair = "\(try row.text(0)) and \(try row.text(1)) overlap"
            found.withLock { _ = $0.insert(pair) }
        }
    }
}

/// A database that is locked or full, loses the answer of a commit, or whose caller dies or stands still before or after one.
struct FaultyDatabase: Database {
    let database: WatchedDatabase
    let seam: Seam

    func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        await seam.pass()
        try check()
        if seam.dice.throwDice(\.crash) { throw died() }
        if seam.disk.isFull(at: seam.clock.now) || seam.dice.throwDice(\.database) { throw DatabaseError(.busy, "simulated") }
        let result = try await database.write(body)
        seam.process.hasWritten()
        await seam.pass()
        try check()
        if seam.dice.throwDice(\.crash) { throw died() }
        if seam.dice.throwDice(\.database) { throw DatabaseError(.unclear, "simulated") }
        return result
    }

    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        await seam.pass()
        try check()
        if seam.dice.throwDice(\.read) { throw DatabaseError(.busy, "simulated") }
        let result = try await database.read(body)
        await seam.pass()
        try check()
        return result
    }

    func announce(process id: String) throws { database.living.add(id, seam.process) }
    func isDead(process id: String) -> Bool { database.isDead(process: id) }
    func close() async throws {}

    private func check() throws { if seam.process.isDead { throw SimulatedCrash() } }
    private func died() -> SimulatedCrash {
        seam.process.crash()
        return SimulatedCrash()
    }
}
