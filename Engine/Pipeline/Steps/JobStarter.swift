import UsherStore

/// Makes a change, and carries out at once what the change starts in its own commit.
package protocol JobStarter: Sendable {
    /// Whether a queue can take one more piece of work for this provider.
    func hasSlot(_ queue: Queue, service: String) -> Bool
    /// Runs `body` in a transaction. What it starts is carried out after the commit, or put back where there is no slot any more.
    func change<Result: Sendable>(_ body: @escaping @Sendable (StepTransaction) throws -> Result) async throws -> Result
}

/// Starts nothing: what follows from a change waits to be claimed.
struct NoStarter: JobStarter {
    let context: EngineContext

    func hasSlot(_ queue: Queue, service: String) -> Bool { false }

    func change<Result: Sendable>(_ body: @escaping @Sendable (StepTransaction) throws -> Result) async throws -> Result {
        try await context.store.write { [context] tx in
            try body(StepTransaction(tx: tx, context: context, now: context.now, starting: 0) { _, _, _ in nil })
        }
    }
}
