import Logging
import UsherCore
import UsherMail
import UsherStore
import UsherVault

/// Keeps a booking on its owner's connected calendar, where the meeting type wants that. Nobody waits for it, and where it cannot be,
/// the timeline says so.
struct SyncCalendar {
    private let context: EngineContext
    /// The last try is made so long before the meeting ends.
    private static let lastTry = Duration.minutes(1)

    init(_ context: EngineContext) { self.context = context }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        // What took place stays where it is.
        guard let booking = try step.tx.booking(id), step.now < booking.end else { return try step.finish(claim) }
        var record = try step.tx.calendarRecord(of: booking.id)
        let isWanted = booking.status == .confirmed && !OwnerCalendar(step).isRoomAnEvent(booking)
        guard isWanted ? record?.isKept ?? true : record.map({ $0.state != .over }) ?? false else { return try step.finish(claim) }
        guard let target = try OwnerCalendar(step).target(of: booking) else {
            let event = record == nil ? "calendar.skipped" : "calendar.remains"
            step.tx.note(booking.id, event, "no calendar is connected", at: step.now)
            return try step.finish(claim)
        }
        // The same account may be connected under another name by now.
        if record?.accountID == target.connection.account.id { record?.provider = target.connection.provider }
        if let record, record.accountID != target.connection.account.id {
            step.tx.note(booking.id, "calendar.remains", "the event stands on the calendar of another account", at: step.now)
            try step.tx.removeCalendarRecord(of: booking.id)
            return try prepare(id, claim, step)
        }
        if let record, !isWanted { return try remove(record, target, booking, claim, step) }
        return try put(record, target, booking, claim, step)
    }

    /// The same after a restore that does not know of the event.
    private func eventID(_ booking: Booking, _ target: OwnerCalendar.Target, _ step: StepTransaction) throws -> String {
        Vault.code("calendar \(booking.id) \(target.connection.account.id)", secret: try step.tx.installation().secret)
    }

    // MARK: The effects

    private func put(_ known: CalendarRecord?, _ target: OwnerCalendar.Target, _ booking: Booking, _ claim: Claim, _ step: StepTransaction)
        throws
        -> Effect?
    {
        var asked =
            try known
            ?? CalendarRecord(
                bookingID: booking.id, provider: target.connection.provider, accountID: target.connection.account.id,
                eventID: try eventID(booking, target, step), state: .asked, digest: "")
        let entry = try self.entry(asked.eventID, booking, step)
        if asked.state == .made, asked.digest == entry.digest { return try step.finish(claim) }
        let isNew = asked.state == .asked
        // Until its provider has answered, nobody knows what it says.
        asked.digest = ""
        if asked != known { try step.tx.save(asked) }
        var made = asked
        (made.state, made.digest) = (.made, entry.digest)
        let (record, outcome, deadline, module) = (asked, made, step.deadline, target.module)
        return Effect(provider: record.provider, for: booking) { [context] in
            do throws(ProviderError) {
                let call = try await ProviderResolver(context).call(record.provider, owner: booking.terms.owner.id, deadline: deadline).call
                try await module.put(entry, isNew: isNew, call)
                return { step in
                    try step.tx.save(outcome)
                    step.tx.note(booking.id, isNew ? "calendar.added" : "calendar.updated", record.provider, at: step.now)
                    return .lookAgain
                }
            } catch { return failed(error, record, booking, claim) }
        }
    }

    private func remove(
        _ known: CalendarRecord, _ target: OwnerCalendar.Target, _ booking: Booking, _ claim: Claim, _ step: StepTransaction
    ) throws -> Effect {
        var asked = known
        // Until its provider has answered, nobody knows whether it stands.
        asked.digest = ""
        if asked != known { try step.tx.save(asked) }
        let record = asked
        let (deadline, module) = (step.deadline, target.module)
        return Effect(provider: record.provider, for: booking) { [context] in
            do throws(ProviderError) {
                let call = try await ProviderResolver(context).call(record.provider, owner: booking.terms.owner.id, deadline: deadline).call
                try await module.removeEntry(record.eventID, call)
                return { step in
                    // An older reading of the calendar may still hold it: that it was ours is remembered.
                    var over = record
                    over.state = .over
                    let isCancelled = try step.tx.booking(booking.id)?.status == .cancelled
                    try isCancelled ? step.tx.save(over) : step.tx.removeCalendarRecord(of: booking.id)
                    step.tx.note(booking.id, "calendar.removed", record.provider, at: step.now)
                    return .lookAgain
                }
            } catch { return failed(error, record, booking, claim, isRemoval: true) }
        }
    }

    /// What may pass, or a person may mend, is tried again until the meeting is over; a plain no is the end of it.
    private func failed(
        _ error: ProviderError, _ record: CalendarRecord, _ booking: Booking, _ claim: Claim, isRemoval: Bool = false
    ) -> OutcomeWriter {
        context.logger.warning(
            "a calendar did not do what it was asked",
            metadata: [
                "booking": "\(booking.id)", "provider": "\(record.provider)", "reason": "\(error.message)", "cause": "\(error.cause)",
            ])
        return { step in
            if claim.attempt == 0 {
                step.tx.note(booking.id, "calendar.failed", "\(record.provider): \(error.message)", at: step.now)
            }
            let policy = error.code.isBlocking ? RetryPolicy.blockedCalendar : .calendar
            let wait = policy.delay(afterFailures: claim.attempt + 1, step.context.environment)
            let last = booking.end - Self.lastTry
            let isFinal = error.retry == .never && !error.code.isBlocking
            // Cancelled meanwhile: what may stand there is to be taken out, not left alone.
            let isCancelled = try step.tx.booking(booking.id)?.status == .cancelled
            let mayPass = !isFinal || (isCancelled && error.isUnclear)
            if mayPass, step.now < last { return .rest(until: min(step.now + wait, last)) }
            if claim.attempt > 0 { step.tx.note(booking.id, "calendar.given-up", record.provider, at: step.now) }
            if isCancelled || isRemoval {
                step.tx.note(booking.id, "calendar.remains", "\(record.provider): \(error.message)", at: step.now)
            }
            // The time is over, not the matter: a move or a cancellation takes it up again.
            if mayPass { return .sleep(until: booking.end) }
            var over = record
            over.state = isCancelled || isRemoval || error.code == .meetingGone ? .over : .givenUp
            try step.tx.save(over)
            return .lookAgain
        }
    }

    /// As the owner sees it.
    private func entry(_ id: String, _ booking: Booking, _ step: StepTransaction) throws -> CalendarEntry {
        // Others may read the calendar: what stands there lets nobody in as the owner.
        let page = context.ownersPage
        let text = context.renderer.calendarText(
            Letter(
                booking: booking, reader: .owner, kind: .confirmation, outboxID: "", messageID: "", threadID: nil, writtenAt: step.now,
                joinPage: page, calendarPage: page))
        return CalendarEntry(
            id: id, title: booking.title(in: booking.terms.owner.language), description: text.description, location: text.location,
            start: booking.start, end: booking.end,
            timeZone: booking.terms.owner.timeZone)
    }
}

extension CalendarEntry {
    /// The same for entries that say the same.
    fileprivate var digest: String {
        Vault.hash([id, title, description, location, start.rfc3339, end.rfc3339, timeZone].joined(separator: "\u{0}").utf8)
    }
}
