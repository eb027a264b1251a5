import Foundation
import Synchronization
import UsherCore

/// All that Usher remembers. Every statement of the house stands in this module, once, for both databases.
package struct Store: Sendable {
    package let database: any Database
    let memory = StoreCache()

    package init(_ database: any Database) { self.database = database }

    /// Runs `body` in a transaction; see ``Database/write(_:)`` for what it may do.
    package func write<Result: Sendable>(_ body: @escaping @Sendable (Tx) throws -> Result) async throws -> Result {
        let actor = Actor.current
        let (result, terms) = try await database.write { [memory] in try Tx(session: $0, memory: memory, actor: actor).run(body) }
        memory.terms.learn(terms)
        return result
    }

    package func read<Result: Sendable>(_ body: @escaping @Sendable (Tx) throws -> Result) async throws -> Result {
        let (result, terms) = try await database.read { [memory] in try Tx(session: $0, memory: memory).run(body) }
        memory.terms.learn(terms)
        return result
    }

    /// Every statement, for the test that has PostgreSQL prepare them all.
    package static let statements: [String] =
        SchemaSQL.all + BookingSQL.all + OwnerSQL.all + RoomSQL.all + StepSQL.all + OutboxSQL.all + TimelineSQL.all + LinkSQL.all
        + ProcessSQL.all + IdempotencySQL.all + TokenSQL.all + ConnectionSQL.all + ConsentSQL.all + SessionSQL.all + SealedSQL.all
        + KeySQL.all + WebhookSQL.all + AdminSQL.all + NoticeSQL.all + CalendarSQL.all + AppSQL.all
        + HealthSQL.all + LostSQL.all + AuditSQL.all + RevocationSQL.all
}

/// The statements of one table: the raw value is the SQL.
package protocol SQLStatement: RawRepresentable<String>, CaseIterable {}

extension SQLStatement {
    static var all: [String] { allCases.map(\.rawValue) }
}

/// The tables as seen from inside one transaction.
package struct Tx {
    let session: any SQLSession
    let memory: StoreCache
    /// On whose account it is.
    package var actor = Actor.system
    /// What this transaction has read or written: one look at the world asks for the same rows many times.
    let seen = TransactionCache()

    /// - Returns: what `body` did, and the terms that it has read: they are there for certain once the transaction is committed.
    func run<Result>(_ body: (Tx) throws -> Result) throws -> (Result, [String: Terms]) { (try body(self), seen.terms) }

    func query(_ statement: some SQLStatement, _ arguments: SQLValue...) throws -> [SQLRow] {
        try session.query(statement.rawValue, arguments)
    }

    @discardableResult
    func execute(_ statement: some SQLStatement, _ arguments: SQLValue...) throws -> Int {
        try session.execute(statement.rawValue, arguments)
    }

    @discardableResult
    func execute(_ statement: some SQLStatement, _ arguments: [SQLValue]) throws -> Int {
        try session.execute(statement.rawValue, arguments)
    }
}

/// What a store keeps of what it has decoded.
final class StoreCache: Sendable {
    let terms = TermsCache()
    let bookings = RowCache<Booking>()
    let rooms = RowCache<RoomRecord>()
    let owners = RowCache<StoredOwner>()
}

/// Values beside the rows that they were decoded from: a row that has not changed is not decoded again.
final class RowCache<Value: Sendable>: Sendable {
    /// For what is being worked on now: so many young ones, and as many of before.
    private static var limit: Int { 500 }
    private struct CachedRow {
        var young: [String: (row: SQLRow, value: Value)] = [:]
        var old: [String: (row: SQLRow, value: Value)] = [:]
    }
    private let known = Mutex(CachedRow())

    func value(_ row: SQLRow, key: String, decode: (SQLRow) throws -> Value) rethrows -> Value {
        if let (seen, value) = known.withLock({ $0.young[key] ?? $0.old[key] }), seen == row { return value }
        let value = try decode(row)
        keep(row, value, key: key)
        return value
    }

    /// Keeps a value beside the row that it was written as. It need not stand in the end: a row that is read is compared first.
    func keep(_ row: SQLRow, _ value: Value, key: String) {
        known.withLock { known in
            if known.young.count >= Self.limit { (known.young, known.old) = ([:], known.young) }
            known.young[key] = (row, value)
        }
    }

    func row(_ key: String) -> SQLRow? { known.withLock { ($0.young[key] ?? $0.old[key])?.row } }
}

/// What is known inside one transaction, on its one thread.
final class TransactionCache {
    var bookings: [String: Booking] = [:]
    /// By booking, earliest generation first.
    var rooms: [String: [RoomRecord]] = [:]
    /// By booking.
    var links: [String: [StoredLink]] = [:]
    var mails: [String: OutboxMail] = [:]
    /// Those that no transaction before has read.
    var terms: [String: Terms] = [:]
    /// The room that was written last: it goes into two tables.
    private var room: (value: Room, text: SQLValue)?

    func text(of room: Room?) throws -> SQLValue {
        guard let room else { return .null }
        if let known = self.room, known.value == room { return known.text }
        let text = SQLValue.text(try Stored.text(room))
        self.room = (room, text)
        return text
    }
}

/// Terms by id: many bookings share one, and it never changes, so it is read and decoded once.
final class TermsCache: Sendable {
    private static let limit = 10_000
    private let known = Mutex<[String: Terms]>([:])

    subscript(id: String) -> Terms? { known.withLock { $0[id] } }

    func knows(_ id: String) -> Bool { known.withLock { $0.index(forKey: id) != nil } }

    /// - Parameter terms: from a transaction that has been committed.
    func learn(_ terms: [String: Terms]) {
        guard !terms.isEmpty else { return }
        known.withLock { known in
            if known.count >= Self.limit { known.removeAll() }
            known.merge(terms) { known, _ in known }
        }
    }
}

/// Values that are kept as JSON text.
enum Stored {
    private static let encoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()
    private static let decoder = JSONDecoder()

    static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        do { return try decoder.decode(type, from: Data(text.utf8)) } catch {
            throw DatabaseError(.corrupt, "a stored \(type) cannot be read; perhaps a newer Usher wrote it: \(error)")
        }
    }

    static func optional(_ value: (some Encodable)?) throws -> SQLValue {
        try value.map { .text(try text($0)) } ?? .null
    }
}
