import UsherCore
import UsherStore

/// Tells of a hold that ended without a booking, and forgets it a day later.
struct ExpireHold {
    private let context: EngineContext

    init(_ context: EngineContext) { self.context = context }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let hold = try step.tx.hold(id) else { return try step.finish(claim) }
        guard step.now >= hold.expiresAt else {
            try step.tx.release(claim, due: hold.expiresAt, attempt: 0)
            return nil
        }
        if step.now >= hold.expiresAt + HoldService.memory {
            if try !step.tx.removeHold(id) { try step.tx.forgetAddress(ofHold: id) }
            return try step.finish(claim)
        }
        // A booking that is under way may be made of it just now.
        if !hold.isTold, hold.bookingID == nil, try step.tx.markTold(hold: id) {
            try context.announcer.tell(.holdExpired, about: id, meeting: hold.start, step.tx) { _ in hold.json }
        }
        try step.tx.release(claim, due: hold.expiresAt + HoldService.memory, attempt: 0)
        return nil
    }
}
