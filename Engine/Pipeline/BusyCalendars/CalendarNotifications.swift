import UsherCore
import UsherStore
import UsherVault

/// Takes what services tell of calendars: whoever brings the calendar's token along has it read soon.
package struct CalendarNotifications: Sendable {
    private let context: EngineContext

    /// Below the public URL; a calendar's id follows.
    package static let path = "/webhooks/calendars"
    /// A calendar is read no more often: a hundred changes at once are one reading.
    private static let pause = Duration.seconds(10)

    package init(_ context: EngineContext) { self.context = context }

    /// What is answered.
    package enum Answer: Hashable, Sendable {
        /// Nobody waits for this, or the token does not fit.
        case refused
        /// The service wants this text back.
        case challenge(String)
        case done
    }

    /// - Parameter id: of the calendar, as the address says.
    package func receive(_ id: String, _ delivery: EventDelivery) async throws -> Answer {
        let (calendar, subscription) = try await context.store.read { tx in (try tx.calendar(id), try tx.subscription(ofCalendar: id)) }
        guard let subscription, let source = BusyReader(context: context).source(subscription.kind) as? any NotifyingBusySource.Type else {
            return .refused
        }
        switch source.read(delivery) {
        case .refused: return .refused
        case .challenge(let text): return .challenge(text)
        case .changed(let tokens):
            let token = try token(subscription)
            guard tokens.contains(token), let calendar else { return .refused }
            // One that cannot be read waits for its own time: the service may have asked for that.
            guard calendar.problem == nil else { return .done }
            let now = context.now
            let time = max(now, (calendar.asOf ?? .epoch) + Self.pause)
            try await context.store.write { tx in
                try tx.enqueue(followUps(of: .calendarTouched(calendar, readAt: time), now: now), now: now)
            }
            return .done
        }
    }

    /// By which the service is known.
    func token(_ subscription: StoredSubscription) throws -> Secret {
        Secret(try context.vault.open(subscription.sealed, context: StoredSubscription.context(subscription.calendarID)))
    }
}
