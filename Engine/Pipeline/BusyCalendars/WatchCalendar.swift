import Logging
import UsherCore
import UsherStore
import UsherVault

/// Has a service tell at once when a calendar that counts has changed, renews that at half of its time, and ends it when the calendar
/// counts no longer.
///
/// The token is written down before the service is asked, since some call back while they are asked. Where our process dies in between,
/// the service is asked again: the first subscription goes on until it ends by itself. Where there is none, the calendar is read at its
/// usual times.
struct WatchCalendar {
    private let context: EngineContext
    private let reader: BusyReader

    /// From one try to the next: nobody waits, since the calendar is read meanwhile.
    private static let pause = Duration.minutes(30)
    /// A service that does not allow it is asked again after this; a person may have changed that.
    private static let refusedPause = Duration.days(1)
    /// A subscription that cannot be ended is forgotten after so many tries: it ends by itself.
    private static let mostEndings: Int64 = 5

    init(_ context: EngineContext) {
        self.context = context
        reader = BusyReader(context: context)
    }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        // Locked in the order in which they are removed.
        let calendar = try step.tx.calendar(id)
        let known = try step.tx.subscription(ofCalendar: id)
        guard let calendar, let remoteID = calendar.remoteID,
            let source = reader.source(calendar.kind) as? any NotifyingBusySource.Type, try isWished(calendar, step.tx)
        else { return try end(known, claim, step) }
        if let known, known.remote != nil, step.now < known.renewAt {
            try step.tx.release(claim, due: known.renewAt, attempt: 0)
            return nil
        }
        let request = SubscriptionRequest(
            id: context.environment.id("sub_"), calendar: remoteID,
            address: context.settings.publicURL + CalendarNotifications.path + "/\(id)",
            token: try known.map(CalendarNotifications(context).token) ?? newToken(calendar, step.tx))
        let (deadline, before) = (step.deadline, known?.remote)
        return Effect(provider: claim.service, about: ["calendar": "\(id)"]) { [reader, context] in
            do throws(ProviderError) {
                let call = try await reader.call(calendar, deadline: deadline)
                let remote = try await source.subscribe(request, call)
                if let before { await Self.forget(before, source, call, context) }
                return { step in
                    // Its owner may have disconnected meanwhile: then it ends by itself, and is refused until then.
                    guard var present = try step.tx.subscription(ofCalendar: id) else { return .lookAgain }
                    present.remote = remote
                    present.renewAt = step.now + .microseconds(max(remote.end - step.now, .minutes(2)).microseconds / 2)
                    try step.tx.markSubscribed(present)
                    return .sleep(until: present.renewAt)
                }
            } catch {
                context.logger.notice(
                    "a service does not tell of a calendar's changes: it is read at its usual times",
                    metadata: ["calendar": "\(id)", "kind": "\(calendar.kind)", "reason": "\(error.message)", "cause": "\(error.cause)"])
                return { step in .sleep(until: Self.nextTry(after: error, step.now)) }
            }
        }
    }

    /// Written down before anybody hears it.
    private func newToken(_ calendar: StoredCalendar, _ tx: Tx) throws -> Secret {
        let token = context.environment.code(bits: 160)
        try tx.add(
            StoredSubscription(
                calendarID: calendar.id, ownerID: calendar.ownerID, kind: calendar.kind, provider: calendar.provider,
                sealed: try context.vault.seal(token, context: StoredSubscription.context(calendar.id))))
        return Secret(token)
    }

    private static func nextTry(after error: ProviderError, _ now: Instant) -> Instant {
        switch error.retry {
        case .at(let time): max(time, now + pause)
        case .never: now + refusedPause
        default: now + pause
        }
    }

    /// Services tell nobody without https.
    private func isWished(_ calendar: StoredCalendar, _ tx: Tx) throws -> Bool {
        guard calendar.counts, !calendar.provider.isEmpty, context.settings.publicURL.hasPrefix("https://") else { return false }
        return try tx.owner(calendar.ownerID)?.isActive == true
            && tx.connection(owner: calendar.ownerID, provider: calendar.provider) != nil
    }

    private func end(_ known: StoredSubscription?, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let known else { return try step.finish(claim) }
        guard let remote = known.remote, let source = reader.source(known.kind) as? any NotifyingBusySource.Type,
            claim.attempt < Self.mostEndings
        else {
            try step.tx.removeSubscription(ofCalendar: known.calendarID)
            return try step.finish(claim)
        }
        let deadline = step.deadline
        return Effect(provider: claim.service, about: ["calendar": "\(known.calendarID)"]) { [reader, context] in
            do throws(ProviderError) {
                let call = try await reader.call(owner: known.ownerID, provider: known.provider, deadline: deadline)
                try await source.unsubscribe(remote, call)
            } catch {
                guard error.retry == .never else {
                    let wait = RetryPolicy.busyCalendar.delay(afterFailures: claim.attempt + 1, context.environment)
                    return { step in .rest(until: step.now + wait) }
                }
            }
            return { step in
                try step.tx.removeSubscription(ofCalendar: known.calendarID)
                return .lookAgain
            }
        }
    }

    /// One that another has taken the place of. Where the service does not answer, it ends by itself.
    private static func forget(
        _ remote: ServiceSubscription, _ source: any NotifyingBusySource.Type, _ call: BusyContext, _ context: EngineContext
    ) async {
        do throws(ProviderError) { try await source.unsubscribe(remote, call) } catch {
            context.logger.debug("a former subscription ends by itself", metadata: ["reason": "\(error.message)"])
        }
    }
}
