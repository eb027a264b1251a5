import Logging
import UsherCore
import UsherStore
import UsherVault

/// Has a service tell at once when a calendar that counts has changed, renews that at half of its time, and ends it when the calendar
/// counts no longer.
///
/// The token is written down before the service is asked, since some call back while they are asked. Where our process dies in between,
/// the service is asked again: the first promise tells as well until it ends by itself. Where none can be had, the calendar is read at
/// its usual times.
struct WatchCalendar {
    private let context: EngineContext
    private let reader: BusyReader

    /// A service that does not allow it is asked again after this; a person may have changed that.
    private static let refusedPause = Duration.days(1)
    /// A promise that cannot be taken back is forgotten after so many tries: it ends by itself.
    private static let mostEndings: Int64 = 5

    init(_ context: EngineContext) {
        self.context = context
        reader = BusyReader(context: context)
    }

    func prepare(_ id: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        let known = try step.tx.subscription(ofCalendar: id)
        guard let calendar = try step.tx.calendar(id), let remoteID = calendar.remoteID,
            let source = reader.source(calendar.kind) as? any NotifyingBusySource.Type, try isWished(calendar, step.tx)
        else { return try end(known, claim, step) }
        if let known, known.grant != nil, step.now < known.renewAt {
            try step.tx.release(claim, due: known.renewAt, attempt: 0)
            return nil
        }
        let wish = NotificationWish(
            id: context.environment.id("sub_"), calendar: remoteID,
            address: context.settings.publicURL + CalendarNotifications.path + "/\(id)",
            token: try known.map(CalendarNotifications(context).token) ?? newToken(calendar, step.tx))
        let (deadline, before) = (step.deadline, known?.grant)
        return Effect(provider: claim.service, about: ["calendar": "\(id)"]) { [reader, context] in
            do throws(ProviderError) {
                let call = try await reader.call(calendar, deadline: deadline)
                let grant = try await source.subscribe(wish, call)
                if let before { await Self.forget(before, source, call, context) }
                return { step in
                    // Its owner may have disconnected meanwhile: it ends with the grant.
                    guard var present = try step.tx.subscription(ofCalendar: id) else { return .lookAgain }
                    present.grant = grant
                    present.renewAt = step.now + .microseconds(max(grant.end - step.now, .minutes(2)).microseconds / 2)
                    try step.tx.markGranted(present)
                    return .sleep(until: present.renewAt)
                }
            } catch {
                context.logger.notice(
                    "a service does not tell of a calendar's changes: it is read at its usual times",
                    metadata: ["calendar": "\(id)", "kind": "\(calendar.kind)", "reason": "\(error.message)", "cause": "\(error.cause)"])
                let wait = RetryPolicy.busyCalendar.delay(afterFailures: claim.attempt + 1, context.environment)
                return { step in .rest(until: step.now + (error.retry == .never ? Self.refusedPause : wait)) }
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

    /// Services tell nobody without https.
    private func isWished(_ calendar: StoredCalendar, _ tx: Tx) throws -> Bool {
        guard calendar.counts, !calendar.provider.isEmpty, context.settings.publicURL.hasPrefix("https://") else { return false }
        return try tx.owner(calendar.ownerID)?.isActive == true
            && tx.connection(owner: calendar.ownerID, provider: calendar.provider) != nil
    }

    private func end(_ known: StoredSubscription?, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let known else { return try step.finish(claim) }
        guard let grant = known.grant, let source = reader.source(known.kind) as? any NotifyingBusySource.Type,
            claim.attempt < Self.mostEndings
        else {
            try step.tx.removeSubscription(ofCalendar: known.calendarID)
            return try step.finish(claim)
        }
        let deadline = step.deadline
        return Effect(provider: claim.service, about: ["calendar": "\(known.calendarID)"]) { [reader, context] in
            do throws(ProviderError) {
                let call = try await reader.call(owner: known.ownerID, provider: known.provider, deadline: deadline)
                try await source.unsubscribe(grant, call)
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
        _ grant: NotificationGrant, _ source: any NotifyingBusySource.Type, _ call: BusyContext, _ context: EngineContext
    ) async {
        do throws(ProviderError) { try await source.unsubscribe(grant, call) } catch {
            context.logger.debug("a service's former promise ends by itself", metadata: ["reason": "\(error.message)"])
        }
    }
}
