import Foundation
import ProviderSupport
import UsherCore

/// Subscriptions by which Graph tells that something in a mailbox's calendars has changed. They need `Calendars.Read`: the narrower
/// permission that is asked for does not allow them, so they are had where an organisation has granted more.
/// Source: https://learn.microsoft.com/graph/outlook-change-notifications-overview
extension MicrosoftBusySource: NotifyingBusySource {
    /// What is safe everywhere, a little below 4,230 minutes. Source: https://learn.microsoft.com/graph/api/resources/subscription
    private static let life = Duration.minutes(4_200)
    private static let scopes = ["Calendars.Read", "Calendars.ReadWrite"].flatMap { [$0, "https://graph.microsoft.com/\($0)"] }

    /// Graph calls the address, and wants an answer, before this returns.
    public static func subscribe(_ request: SubscriptionRequest, _ context: BusyContext) async throws(ProviderError) -> ServiceSubscription
    {
        let connection = try context.call.connected("Microsoft")
        let granted = try await connection.access(rejected: nil).scopes
        guard !Set(granted).isDisjoint(with: scopes) else {
            throw ProviderError(
                .missingScope, retry: .never, "Microsoft tells of changes only those who may read calendars.",
                remedy: "Nothing to do: the calendar is read every few minutes.")
        }
        let end = context.call.environment.now() + life
        let answer = try await TeamsClient(call: context.call, tokens: connection).send(
            "POST", "/subscriptions",
            body: [
                "changeType": "created,updated,deleted", "notificationUrl": .string(request.address), "resource": "/me/events",
                "expirationDateTime": .string(end.rfc3339), "clientState": .string(request.token.reveal()),
            ], changes: true)
        guard let id = answer["id"]?.string else {
            throw ProviderError(
                .unavailable, retry: .backoff, "Microsoft's answer about a subscription cannot be read.", remedy: ProviderError.triedAgain,
                operation: "POST subscriptions")
        }
        return ServiceSubscription(id: id, end: answer["expirationDateTime"]?.string.flatMap { Instant(rfc3339: $0) } ?? end)
    }

    /// Source: https://learn.microsoft.com/graph/api/subscription-delete
    public static func unsubscribe(_ subscription: ServiceSubscription, _ context: BusyContext) async throws(ProviderError) {
        let client = TeamsClient(call: context.call, tokens: try context.call.connected("Microsoft"))
        do throws(ProviderError) {
            _ = try await client.send("DELETE", "/subscriptions/\(percentEncoded(subscription.id))", changes: true)
        } catch {
            if error.code != .meetingGone { throw error }
        }
    }

    /// When a subscription is made, Graph sends a text that it wants back. A later request may hold several notifications.
    /// Source: https://learn.microsoft.com/graph/change-notifications-delivery-webhooks
    public static func read(_ delivery: EventDelivery) -> NotificationReading {
        let fields = URLComponents(string: "?" + delivery.query.replacing("+", with: "%20"))?.queryItems ?? []
        if let text = fields.first(where: { $0.name == "validationToken" })?.value, !text.isEmpty, text.utf8.count <= 4_096 {
            return .challenge(text)
        }
        let notifications = (try? JSON(parsing: delivery.body))?["value"]?.array ?? []
        let tokens = notifications.compactMap { $0["clientState"]?.string }
        return tokens.isEmpty ? .refused : .changed(tokens.map(Secret.init))
    }
}
