import Logging
import UsherCore
import UsherStore

/// Once a day: blanks and deletes what is older than the catalogue's `retention` says.
struct Prune {
    private let context: EngineContext
    private static let batch = 200
    private static let grace = Duration.days(7)
    private static let pause = Duration.days(1)

    init(_ context: EngineContext) { self.context = context }

    func prepare(_ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        let (now, deadline) = (step.now, step.deadline)
        return Effect { [context] in
            do {
                let isDone = try await Self.run(context, now: now, until: deadline)
                return { _ in isDone ? .sleep(until: now + Self.pause) : .sleep(until: now) }
            } catch {
                context.logger.warning("what is too old could not be pruned", metadata: ["error": "\(error)"])
                return { step in .rest(until: step.now + .hours(1)) }
            }
        }
    }

    /// In batches, so that nobody waits for long.
    /// - Returns: whether nothing is left to do today.
    private static func run(_ context: EngineContext, now: Instant, until deadline: Instant) async throws -> Bool {
        let retention = context.catalog.current.retention
        let end = deadline - .seconds(5)
        while try await pruneSome(context, retention, now: now) { if context.now >= end { return false } }
        guard let age = retention.bookings else { return true }
        let service = PersonService(context)
        var from = Instant.epoch
        while context.now < end {
            let erased = try await context.store.write { [from] tx in
                let old = try tx.endedBookings(before: now - age, from: from, limit: batch)
                // What is still on its way has a week more.
                for booking in old where try booking.end < now - age - grace || !tx.isUnderWay(booking) {
                    _ = try service.erase(booking, { _ in true }, tx)
                }
                return old.map(\.start)
            }
            guard erased.count == batch, let last = erased.last else { return true }
            from = last
        }
        return false
    }

    private static func pruneSome(_ context: EngineContext, _ retention: Retention, now: Instant) async throws -> Bool {
        try await context.store.write { tx in
            try tx.forgetAdminSessions(now: now)
            try tx.forgetProviderCalls(before: now.seconds / 86_400)
            return try tx.prune(
                audit: retention.audit.map { now - $0 }, mailTexts: retention.mailTexts.map { now - $0 }, forms: now - retention.forms,
                repeats: now - Tx.idempotencyLifetime, limit: 1_000)
        }
    }
}
