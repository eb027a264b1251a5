import UsherCore
import UsherStore

/// Writes the mails that a booking's readers are owed to the outbox. It only looks at the database: a timer that comes due when the
/// mail waits for the room no longer.
struct PlanMail {
    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let booking = try step.tx.booking(id), let deadline = try MailPlan(step).advance(booking) else {
            return try step.finish(claim)
        }
        try step.tx.release(claim, due: deadline, attempt: 0)
        return nil
    }
}
