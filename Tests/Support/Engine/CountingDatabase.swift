import Synchronization
import UsherCore

/// A database that keeps which statements ran, by transaction.
package final class CountingDatabase: Database {
    /// What one transaction ran, in order.
    package struct Transaction: Sendable {
        package var isWrite: Bool
        package var statements: [String]
    }
    private let database: any Database
    private let ran = Mutex<[Transaction]>([])

    package init(_ database: any Database) { self.database = database }

    /// Those that were committed, in order.
    package var transactions: [Transaction] { ran.withLock { $0 } }
    package func forget() { ran.withLock { $0 = [] } }

    package func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try await counted(isWrite: true) {
            try await self.database.write($0)
        } body: {
            try body($0)
        }
    }

    package func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try await counted(isWrite: false) {
            try await self.database.read($0)
        } body: {
            try body($0)
        }
    }

    /// A transaction that is run twice counts as it was run last.
    private func counted<Result: Sendable>(
        isWrite: Bool,
        _ run: (@escaping @Sendable (any SQLSession) throws -> (Result, [String])) async throws -> (Result, [String]),
        body: @escaping @Sendable (any SQLSession) throws -> Result
    ) async throws -> Result {
        let (result, statements) = try await run { inner in
            let session = CountingSession(inner)
            return (try body(session), session.statements)
        }
        ran.withLock { $0.append(Transaction(isWrite: isWrite, statements: statements)) }
        return result
    }

    package func announce(process id: String) async throws { try await database.announce(process: id) }
    package func isDead(process id: String) async throws -> Bool { try await database.isDead(process: id) }
    package var clock: (@Sendable () -> Instant)? { database.clock }
    package func close() async throws { try await database.close() }
}

private final class CountingSession: SQLSession {
    private let session: any SQLSession
    private(set) var statements: [String] = []

    init(_ session: any SQLSession) { self.session = session }

    var locksRows: Bool { session.locksRows }

    func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
        statements.append(sql)
        return try session.query(sql, arguments)
    }

    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        statements.append(sql)
        return try session.execute(sql, arguments)
    }
}
