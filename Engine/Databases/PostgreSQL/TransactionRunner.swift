import Foundation
import UsherCore

/// Runs transactions on one connection, which it makes again when it breaks. Used by one thread.
final class TransactionRunner {
    private let target: ConnectionTarget
    private let clock: ServerClock
    private let health: ServerHealth
    private let trips: TripCounter
    private var connection: Connection?

    /// So many times a body is run that others are in the way of.
    private static let mostRuns = 12
    /// So long a lost server is waited for: a restart, or a standby's promotion.
    private static let patience = Duration.seconds(6)

    init(_ target: ConnectionTarget, clock: ServerClock, health: ServerHealth, trips: TripCounter) {
        self.trips = trips
        self.target = target
        self.clock = clock
        self.health = health
    }

    /// - Throws: what `body` throws, or ``DatabaseError``.
    func read<Result>(_ body: (any SQLSession) throws -> Result) throws -> Result {
        try repeated { connection in
            try connection.queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", [])
            let session = PostgreSQLSession(connection, isWrite: false)
            let result = try guarded(connection, session) { try body(session) }
            try connection.queue("COMMIT", [])
            // Nobody waits for it: its answer is read before the next transaction.
            try connection.beginFlush()
            return result
        }
    }

    /// - Throws: what `body` throws, or ``DatabaseError``.
    func write<Result>(_ body: (any SQLSession) throws -> Result) throws -> Result {
        try repeated { connection in
            var id = ""
            try connection.queue("BEGIN", [])
            let asked = ContinuousClock.now
            try connection.queue("SELECT pg_current_xact_id()::text, \(ServerClock.sql)", []) { [clock] answer in
                id = try answer.rows[0].text(0)
                clock.learn(try answer.rows[0].instant(1), asked: asked, heard: .now)
            }
            let session = PostgreSQLSession(connection, isWrite: true)
            defer { connection.patience = Connection.usualPatience }
            let result = try guarded(connection, session) {
                let result = try body(session)
                // What is queued goes with the commit, unless the id by which it can be settled is not known yet.
                if id.isEmpty { try session.finish() }
                return result
            }
            try commit(connection, id)
            return result
        }
    }

    // MARK: One run

    /// Runs the body, and takes the transaction back where it went wrong.
    private func guarded<Result>(_ connection: Connection, _ session: PostgreSQLSession, _ body: () throws -> Result) throws -> Result {
        do {
            let result = try body()
            // An error that the body has swallowed is none the less the end of the transaction.
            if let failure = session.failure { throw failure }
            return result
        } catch {
            rollBack(connection)
            guard let failure = session.failure else { throw error }
            // What would go wrong again may be laid by the body to one of its parts.
            if case .tell = failure.remedy, !(error is DatabaseError) { throw error }
            throw failure
        }
    }

    private func rollBack(_ connection: Connection) {
        guard !connection.isBroken else { return }
        do {
            try? connection.flush()
            if connection.isInTransaction { _ = try connection.run("ROLLBACK", []) }
        } catch { self.connection = nil }
    }

    private func commit(_ connection: Connection, _ id: String) throws {
        do {
            let answer = try connection.run("COMMIT", [])
            // A transaction that has failed "commits" by being rolled back.
            guard answer.tag == "COMMIT" else { throw ServerError(state: "25P02", message: "the server took the transaction back") }
        } catch let error as ServerError where isUnclear(error, connection) {
            try settle(id, connection, error)
        } catch {
            rollBack(connection)
            throw error
        }
    }

    private func isUnclear(_ error: ServerError, _ connection: Connection) -> Bool {
        if case .connectAgain = error.remedy { return true }
        return connection.isBroken
    }

    /// Finds out what became of a commit whose answer was lost.
    /// - Throws: ``ServerError`` where it was taken back and can be run again; ``DatabaseError/Kind/unclear`` where nobody knows.
    private func settle(_ id: String, _ lost: Connection, _ error: ServerError) throws {
        connection = nil
        let isCommitted: Bool?
        do { isCommitted = try self.isCommitted(id, lost, try connected()) } catch { isCommitted = nil }
        switch isCommitted {
        case true?: return
        case false?: throw ServerError(state: "40001", message: error.message)
        case nil: throw DatabaseError(.unclear, "the connection was lost during a commit: \(error.message)")
        }
    }

    /// - Returns: `nil` where nobody knows.
    private func isCommitted(_ id: String, _ lost: Connection, _ connection: Connection) throws -> Bool? {
        let isSameRun = lost.serverRun != nil && lost.serverRun == connection.serverRun
        var status = try self.status(id, connection)
        if status == .inProgress, isSameRun {
            // It is written here, and waits for a standby that does not answer: ended, it would count without ever having been there.
            guard try !waitsForStandby(lost.backend, connection) else { return nil }
            // Its backend may still commit, or sits there with its locks.
            _ = try connection.run("SELECT pg_terminate_backend($1::bigint::int, 5000)", [.int(Int64(lost.backend))])
            status = try self.status(id, connection)
        }
        return switch status {
        // In another run that may be another transaction, to which the number was given again.
        case .committed: isSameRun ? true : nil
        case .inProgress: isSameRun ? nil : false
        // A number that belongs to a commit is never given again.
        case .aborted, .notGiven: false
        case .forgotten: nil
        }
    }

    /// Source: https://www.postgresql.org/docs/15/monitoring-stats.html#WAIT-EVENT-IPC-TABLE
    private func waitsForStandby(_ backend: Int32, _ connection: Connection) throws -> Bool {
        try !connection.run(
            "SELECT 1 FROM pg_stat_activity WHERE pid = $1::bigint::int AND wait_event = 'SyncRep'", [.int(Int64(backend))]
        ).rows.isEmpty
    }

    private enum CommitStatus { case committed, aborted, inProgress, notGiven, forgotten }

    /// Source: https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
    private func status(_ id: String, _ connection: Connection) throws -> CommitStatus {
        do {
            return switch try connection.run("SELECT pg_xact_status($1::text::xid8)", [.text(id)]).rows[0].optionalText(0) {
            case "committed": .committed
            case "aborted": .aborted
            case "in progress": .inProgress
            default: .forgotten
            }
        } catch let error as ServerError where error.state == "22023" {
            // "transaction ID is in the future"
            return .notGiven
        }
    }

    // MARK: Again and again

    private func repeated<Result>(_ run: (Connection) throws -> Result) throws -> Result {
        var runs = 0
        while true {
            runs += 1
            do {
                let connection = try connected()
                // What was left by a read before: a connection that has died meanwhile is noticed here.
                try connection.finishLastFlush()
                return try run(connection)
            } catch let error as ServerError {
                if connection?.isBroken == true { connection = nil }
                guard runs < Self.mostRuns else { throw error.asDatabaseError }
                switch error.remedy {
                case .runAgain: Thread.sleep(forTimeInterval: .random(in: 0.001...0.02) * Double(runs))
                case .connectAgain: connection = nil
                case .tell: throw error.asDatabaseError
                }
            }
        }
    }

    /// The connection, made anew where there is none; a server that is gone is waited for a while.
    private func connected() throws -> Connection {
        if let connection { return connection }
        if health.isDown { throw DatabaseError(.busy, "the database cannot be reached") }
        let end = ContinuousClock.now + Self.patience
        var pause = 0.02
        while true {
            do {
                let made = try Connection(target, trips: trips)
                connection = made
                health.isUp()
                return made
            } catch let error as ServerError {
                guard ContinuousClock.now < end else {
                    health.hasFailed()
                    throw DatabaseError(.busy, "the database cannot be reached: \(error.message)")
                }
                Thread.sleep(forTimeInterval: .random(in: pause / 2...pause))
                pause = min(pause * 2, 1)
            }
        }
    }
}
