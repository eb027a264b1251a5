import CLibPQ
import Foundation
import UsherCore

/// One connection to a server, used by one thread at a time, always in libpq's pipeline mode: statements are queued, and travel together
/// when an answer is asked for. Nothing waits for longer than its deadline; past it the connection is of no use.
/// Source: https://www.postgresql.org/docs/15/libpq-pipeline-mode.html
final class Connection {
    private let handle: OpaquePointer
    private var statements = PreparedStatements()
    /// Sent, and not answered yet.
    private var queued: [Queued] = []
    /// The backend at the other end.
    let backend: Int32
    /// The run of the server that this connection is of; `nil` where that cannot be known.
    private(set) var serverRun: String?
    private let trips: TripCounter
    private(set) var isBroken = false
    private var isFlushing = false

    private struct Queued {
        /// Of a statement that is being prepared.
        var prepares: String?
        var answer: ((Answer) throws -> Void)?
    }

    /// What a statement answered.
    struct Answer {
        var rows: [SQLRow] = []
        var count = 0
        /// `COMMIT`, `ROLLBACK`, `INSERT 0 1`, …
        var tag = ""
    }

    /// Nothing that is asked takes longer: the server's own limits are below this, but for a commit that waits for a standby.
    static let usualPatience = Duration.seconds(15)
    /// The same of a transaction that takes long.
    static let longPatience = Duration.hours(6)
    var patience = Connection.usualPatience
    private static let mostQueued = 200

    /// - Throws: ``ServerError``
    init(_ target: ConnectionTarget, trips: TripCounter = TripCounter()) throws {
        self.trips = trips
        handle = try target.connect()
        backend = PQbackendPID(handle)
        // The connection is ended by `deinit`, here as later.
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else { throw broken() }
        // Notices would go to standard error.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        serverRun = try ServerRun.name(self)
    }

    deinit { PQfinish(handle) }

    // MARK: Statements

    /// Sends a statement, with all that was queued, and waits for its answer.
    /// - Throws: ``ServerError``, of whichever failed first.
    func run(_ sql: String, _ arguments: [SQLValue]) throws -> Answer {
        var answer = Answer()
        try queue(sql, arguments) { answer = $0 }
        try flush()
        return answer
    }

    /// Queues a statement; what comes of it is known at the next flush.
    func queue(_ sql: String, _ arguments: [SQLValue], _ answer: ((Answer) throws -> Void)? = nil) throws {
        if queued.count >= Self.mostQueued { try flush() }
        let parameters = Parameters(arguments)
        guard PreparedStatements.isWorthPreparing(sql) else {
            try require(parameters.send(handle, sql))
            return queued.append(Queued(prepares: nil, answer: answer))
        }
        let (name, isNew) = statements.name(of: sql, parameters.signature)
        if isNew {
            try require(parameters.prepare(handle, name, sql))
            queued.append(Queued(prepares: name, answer: nil))
        }
        try require(parameters.send(handle, prepared: name))
        queued.append(Queued(prepares: nil, answer: answer))
    }

    /// Sends what is queued, and reads all answers.
    func flush() throws {
        guard !queued.isEmpty else { return }
        try beginFlush()
        try finishFlush()
    }

    /// Reads what a flush was left to answer that nobody has waited for.
    func finishLastFlush() throws {
        if isFlushing { try finishFlush() }
    }

    /// Sends what is queued and does not wait: the answers are read before the connection is used again.
    func beginFlush() throws {
        try require(PQpipelineSync(handle))
        trips.count()
        isFlushing = true
        let deadline = ContinuousClock.now + patience
        while true {
            let state = PQflush(handle)
            if state == 0 { return }
            try require(state > 0 ? 1 : 0)
            // A server that waits for us to read before it reads on.
            if try wait(forWriting: true, until: deadline) { try require(PQconsumeInput(handle)) }
        }
    }

    func finishFlush() throws {
        isFlushing = false
        var failure: (any Error)?
        let deadline = ContinuousClock.now + patience
        while !queued.isEmpty {
            let command = queued.removeFirst()
            while let result = try next(until: deadline) {
                defer { PQclear(result) }
                do {
                    let answer = try Results.answer(result)
                    if failure == nil { try command.answer?(answer) }
                } catch let error {
                    if let name = command.prepares { statements.forget(name) }
                    failure = failure ?? error
                }
            }
        }
        guard let end = try next(until: deadline) else { throw broken("the pipeline lost its order") }
        defer { PQclear(end) }
        guard PQresultStatus(end) == PGRES_PIPELINE_SYNC else { throw broken("the pipeline lost its order") }
        if let failure { throw failure }
    }

    /// Whether a transaction is open, failed or not.
    var isInTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INTRANS || PQtransactionStatus(handle) == PQTRANS_INERROR }

    // MARK: Notifications

    /// What came while nothing was asked.
    enum Heard { case nothing, others, ourselves }

    /// Waits for a notification, for a byte at `bell`, or for so long.
    func hear(beside bell: Int32, for wait: Duration) throws -> Heard {
        var descriptors = [PQsocket(handle), bell].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let count = poll(&descriptors, 2, Int32(max(0, wait.microseconds / 1_000)))
        if count < 0, errno != EINTR { throw broken(String(cString: strerror(errno))) }
        try require(PQconsumeInput(handle))
        var heard = count > 0 ? Heard.ourselves : .nothing
        while let notification = PQnotifies(handle) {
            if notification.pointee.be_pid != backend { heard = .others }
            PQfreemem(notification)
        }
        return heard
    }

    // MARK: Waiting

    private func next(until deadline: ContinuousClock.Instant) throws -> OpaquePointer? {
        while PQisBusy(handle) != 0 {
            _ = try wait(forWriting: false, until: deadline)
            try require(PQconsumeInput(handle))
        }
        let result = PQgetResult(handle)
        if result == nil, PQstatus(handle) == CONNECTION_BAD { throw broken() }
        return result
    }

    /// - Returns: whether something can be read.
    private func wait(forWriting: Bool, until deadline: ContinuousClock.Instant) throws -> Bool {
        var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN | (forWriting ? POLLOUT : 0)), revents: 0)
        while true {
            let left = deadline - .now
            guard left > .zero else { throw broken("the server did not answer within \(patience.wholeSeconds) s") }
            let count = poll(&descriptor, 1, Int32(left.microseconds / 1_000) + 1)
            if count > 0 { return descriptor.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0 }
            if count < 0, errno != EINTR { throw broken(String(cString: strerror(errno))) }
        }
    }

    private func require(_ code: Int32) throws {
        if code != 1 { throw broken() }
    }

    private func broken(_ message: String? = nil) -> ServerError {
        isBroken = true
        return ServerError(state: "", message: message ?? String(cString: PQerrorMessage(handle)).trimmingBlanks)
    }
}

/// Statements that a connection has prepared, by text and types.
private struct PreparedStatements {
    private var names: [String: String] = [:]
    private var count = 0

    mutating func name(of sql: String, _ signature: String) -> (name: String, isNew: Bool) {
        let key = signature + sql
        if let name = names[key] { return (name, false) }
        count += 1
        let name = "s\(count)"
        names[key] = name
        return (name, true)
    }

    /// One that could not be prepared.
    mutating func forget(_ name: String) {
        for (key, value) in names where value == name { names[key] = nil }
    }

    static func isWorthPreparing(_ sql: String) -> Bool {
        ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains { sql.hasPrefix($0) }
    }
}
