import Foundation
import GRDB
import Synchronization
import UsherCore

/// SQLite through GRDB: WAL, `synchronous=FULL`, one writer that groups waiting transactions into one commit.
package final class SQLiteDatabase: FileDatabase {
    let writer: any DatabaseWriter
    private let waiting = Mutex(Waiting())
    let living: LivingProcesses?
    /// Whether one connection does everything, on the caller's thread.
    var isAlone: Bool { living == nil }
    let path: String?

    private struct Waiting {
        var jobs: [any WriteJob] = []
        var isDraining = false
    }

    /// At most so many transactions share a commit, and none is taken in later than this, so that the first of them does not wait for
    /// long.
    private static let groupLimit = 64
    private static let groupTime = Duration.milliseconds(5)
    /// Where transactions come together, the next commit waits for company, since it costs as much as many of them: so long for each
    /// that was in the last one, up to ``groupTime``, and not where as many are there already.
    private static let breath = Duration.microseconds(500)

    /// Opens the file at `path`, made if it is not there.
    package init(path: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        do {
            // Names, links and passcodes lie in it: for our eyes only. SQLite gives its log the same mode.
            touchPrivate(path)
            let pool = try DatabasePool(path: path, configuration: configuration)
            // A log and a cache of some size spare a large database most of its writing and reading of the same pages. What can be
            // taken back is remembered in memory: in files it would cost more than the rest of a transaction.
            try pool.writeWithoutTransaction {
                try $0.execute(
                    sql: """
                        PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY
                        """)
            }
            writer = pool
        } catch { throw UsherCore.DatabaseError(error) }
        living = LivingProcesses(folder: path + "-processes")
        self.path = path
    }

    /// A file of this object's own: without a log beside it, and for nobody else at the same time.
    package init(own path: String) throws {
        touchPrivate(path)
        do { writer = try DatabaseQueue(path: path) } catch { throw UsherCore.DatabaseError(error) }
        living = nil
        self.path = path
    }

    /// A database in memory, gone with the object.
    package init() throws {
        writer = try DatabaseQueue()
        living = nil
        path = nil
    }

    /// Runs a transaction on the one connection that writes; those that come together share a commit.
    package func write<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let mustStart = waiting.withLock { waiting in
                waiting.jobs.append(Job(body: body, continuation: continuation))
                defer { waiting.isDraining = true }
                return !waiting.isDraining
            }
            guard mustStart else { return }
            if isAlone {
                writer.unsafeReentrantWrite { self.drain($0) }
            } else {
                writer.asyncWriteWithoutTransaction { self.drain($0) }
            }
        }
    }

    /// Runs a transaction that sees one state of the database, beside the one that writes.
    package func read<Result: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> Result
    ) async throws -> Result {
        do {
            if isAlone { return try readHere(body) }
            return try await writer.read { try body(SQLiteSession($0)) }
        } catch let error as GRDB.DatabaseError {
            throw UsherCore.DatabaseError(error)
        }
    }

    /// In memory nothing waits for a disk, so the caller's thread does the work. Nobody else is on the one connection meanwhile; GRDB's
    /// `read` would set `query_only` on it and back, after which SQLite compiles every statement anew.
    private func readHere<Result>(_ body: (any SQLSession) throws -> Result) throws -> Result {
        try writer.unsafeRead {
            let session = SQLiteSession($0)
            defer { precondition(!session.hasWritten, "a read has written") }
            return try body(session)
        }
    }

    /// Says that a process lives, for as long as it does.
    package func announce(process id: String) throws { try living?.announce(id) }
    /// Whether a process has announced itself and lives no more.
    package func isDead(process id: String) -> Bool { living?.isDead(id) ?? false }

    /// Brings what the log holds into the file first, as far as no other process reads it: GRDB closes its writer before its readers,
    /// and a reader that is the last leaves the log as it is (https://github.com/groue/GRDB.swift/issues/739), so that a copy of the
    /// file alone would lack it.
    package func close() async throws {
        living?.release()
        let moved = Result { try checkpoint() }
        do {
            try writer.close()
            try moved.get()
        } catch { throw UsherCore.DatabaseError(error) }
    }

    private func checkpoint() throws {
        do {
            try writer.writeWithoutTransaction { if $0.sqliteConnection != nil { _ = try $0.checkpoint(.passive) } }
        } catch let error as GRDB.DatabaseError where error.resultCode == .SQLITE_BUSY {
            // Another process is at it already.
        }
    }

    // MARK: Group commit

    private func drain(_ database: GRDB.Database) {
        while !endsDraining() {
            let count = commit(database)
            if count > 1, waitingCount < count { Thread.sleep(forTimeInterval: min(Self.breath * count, Self.groupTime) / .seconds(1)) }
        }
    }

    /// Whether nobody waits; then the next caller starts it again.
    private func endsDraining() -> Bool {
        waiting.withLock { waiting in
            if waiting.jobs.isEmpty { waiting.isDraining = false }
            return waiting.jobs.isEmpty
        }
    }

    private var waitingCount: Int { waiting.withLock(\.jobs.count) }

    private func take(atMost limit: Int) -> [any WriteJob] {
        waiting.withLock { waiting in
            let jobs = Array(waiting.jobs.prefix(limit))
            waiting.jobs.removeFirst(jobs.count)
            return jobs
        }
    }

    /// Writes for all who wait, and for those who come meanwhile.
    /// - Returns: for how many.
    private func commit(_ database: GRDB.Database) -> Int {
        var group: [any WriteJob] = []
        var failure: UsherCore.DatabaseError?
        do {
            if try !commitTogether(database, &group) { try commitApart(database, group) }
        } catch {
            failure = UsherCore.DatabaseError(error)
            // It could not even be begun: whoever waits hears of it.
            if group.isEmpty { group = take(atMost: Self.groupLimit) }
        }
        for job in group { job.finish(failure) }
        return group.count
    }

    /// One transaction for all. A savepoint for each would double what is written, for the sake of the few that go wrong.
    /// - Returns: `false` when one went wrong after it had written something: then nothing is kept, and all are to be run again.
    private func commitTogether(_ database: GRDB.Database, _ group: inout [any WriteJob]) throws -> Bool {
        var isClean = true
        try database.inTransaction(.immediate) {
            let end = ContinuousClock.now + Self.groupTime
            while isClean, group.count < Self.groupLimit, group.isEmpty || ContinuousClock.now < end {
                let jobs = take(atMost: Self.groupLimit - group.count)
                if jobs.isEmpty { break }
                group += jobs
                for job in jobs where isClean {
                    let session = SQLiteSession(database)
                    isClean = try run(job, session) || !session.hasWritten
                }
            }
            return isClean ? .commit : .rollback
        }
        return isClean
    }

    /// One transaction, and a savepoint for each, so that what goes wrong in it takes back its own part alone.
    private func commitApart(_ database: GRDB.Database, _ group: [any WriteJob]) throws {
        try database.inTransaction(.immediate) {
            let session = SQLiteSession(database)
            for job in group {
                try session.execute("SAVEPOINT job", [])
                if try !run(job, session) { try session.execute("ROLLBACK TO job", []) }
                try session.execute("RELEASE job", [])
            }
            return .commit
        }
    }

    /// Whether it went well.
    private func run(_ job: any WriteJob, _ session: SQLiteSession) throws -> Bool {
        let isKept = job.run(session)
        // A full disk takes back the whole transaction, whoever met it.
        guard session.isInsideTransaction else { throw UsherCore.DatabaseError(.busy, "SQLite took the transaction back") }
        return isKept
    }
}

/// Makes an empty file that only we may read, where there is none. What goes wrong shows when the database is opened.
func touchPrivate(_ path: String) {
    let descriptor = open(path, O_CREAT | O_CLOEXEC | O_RDWR, 0o600)
    if descriptor >= 0 { close(descriptor) }
}

private protocol WriteJob: Sendable {
    /// Whether its part is to be kept. It may be run twice: the last time counts.
    func run(_ session: SQLiteSession) -> Bool
    func finish(_ failure: UsherCore.DatabaseError?)
}

private final class Job<Value: Sendable>: WriteJob {
    private let body: @Sendable (any SQLSession) throws -> Value
    private let continuation: CheckedContinuation<Value, any Error>
    private let outcome = Mutex<Result<Value, any Error>?>(nil)

    init(body: @escaping @Sendable (any SQLSession) throws -> Value, continuation: CheckedContinuation<Value, any Error>) {
        self.body = body
        self.continuation = continuation
    }

    func run(_ session: SQLiteSession) -> Bool {
        let result = Result { try body(session) }.mapError { error in
            (error as? GRDB.DatabaseError).map { UsherCore.DatabaseError($0) } ?? error
        }
        outcome.withLock { $0 = result }
        if case .success = result { return true }
        return false
    }

    func finish(_ failure: UsherCore.DatabaseError?) {
        let result = outcome.withLock { $0 }
        switch (result, failure) {
        case (.failure(let error)?, _): continuation.resume(throwing: error)
        case (_, let failure?): continuation.resume(throwing: failure)
        case (.success(let value)?, nil): continuation.resume(returning: value)
        case (nil, nil): continuation.resume(throwing: UsherCore.DatabaseError(.other, "the transaction was never run"))
        }
    }
}

private let uniqueness: [ResultCode] = [.SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID]

extension UsherCore.DatabaseError {
    init(_ error: any Error) {
        guard let error = error as? GRDB.DatabaseError else {
            self = error as? UsherCore.DatabaseError ?? UsherCore.DatabaseError(.other, "\(error)")
            return
        }
        let kind: Kind =
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL: .busy
            case .SQLITE_CONSTRAINT where uniqueness.contains(error.extendedResultCode): .duplicate
            case .SQLITE_CONSTRAINT where error.extendedResultCode == .SQLITE_CONSTRAINT_FOREIGNKEY: .missing
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
            case .SQLITE_IOERR: .unclear
            default: .other
            }
        self.init(kind, error.description)
    }
}
