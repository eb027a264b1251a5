import UsherCore

/// All that Usher remembers. Every SQL statement is in this module, once, for both databases.
package struct Store: Sendable {
    package let database: any Database
    /// Wakes whoever waits for work.
    package let signal = WorkSignal()
    let memory = StoreCache()

    package init(_ database: any Database) {
        self.database = database
        database.listen { [signal] in signal.send(to: Queue.allCases) }
    }

    /// Runs `body` in a transaction; see ``Database/write(_:)`` for what it may do.
    package func write<Result: Sendable>(_ body: @escaping @Sendable (Tx) throws -> Result) async throws -> Result {
        do { return try await writeOnce(body) } catch let error as DatabaseError where error.kind == .missing && memory.terms.forget() {
            // A standby that took over may lack the last commits, and terms that are remembered with them.
            return try await writeOnce(body)
        }
    }

    private func writeOnce<Result: Sendable>(_ body: @escaping @Sendable (Tx) throws -> Result) async throws -> Result {
        let actor = Actor.current
        let outcome = try await database.write { [memory] in try Tx(session: $0, memory: memory, actor: actor).run(body) }
        memory.terms.learn(outcome.terms)
        if !outcome.enqueued.isEmpty {
            signal.send(to: outcome.enqueued)
            database.notify()
        }
        return outcome.result
    }

    package func read<Result: Sendable>(_ body: @escaping @Sendable (Tx) throws -> Result) async throws -> Result {
        let outcome = try await database.read { [memory] in try Tx(session: $0, memory: memory).run(body) }
        memory.terms.learn(outcome.terms)
        return outcome.result
    }
}
