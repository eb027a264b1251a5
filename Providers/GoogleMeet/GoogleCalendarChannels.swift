import ProviderSupport
import UsherCore

/// Channels on which Google tells that a calendar has changed.
/// Source: https://developers.google.com/workspace/calendar/api/guides/push
extension GoogleBusySource: NotifyingBusySource {
    /// Seconds; what Google takes where nothing is asked for.
    private static let life = 604_800

    /// Opens a channel.
    public static func subscribe(_ request: SubscriptionRequest, _ context: BusyContext) async throws(ProviderError) -> ServiceSubscription
    {
        let client = GoogleMeetClient(call: context.call, tokens: try context.call.connected("Google"))
        let answer = try await client.send(
            "POST", "/calendars/\(percentEncoded(request.calendar))/events/watch",
            body: [
                "id": .string(request.id), "type": "web_hook", "address": .string(request.address),
                "token": .string(request.token.reveal()),
                "params": ["ttl": .string("\(life)")],
            ], changes: true)
        let end = (answer["expiration"]?.int ?? answer["expiration"]?.string.flatMap { Int64($0) }).map {
            Instant(microseconds: $0 * 1_000)
        }
        guard let id = answer["id"]?.string, let resource = answer["resourceId"]?.string else {
            throw ProviderError(
                .unavailable, retry: .backoff, "Google's answer about a channel cannot be read.", remedy: ProviderError.triedAgain,
                operation: "POST events/watch")
        }
        return ServiceSubscription(id: id, resource: resource, end: end ?? context.call.environment.now() + .hours(1))
    }

    /// Closes a channel. Source: https://developers.google.com/workspace/calendar/api/v3/reference/channels/stop
    public static func unsubscribe(_ subscription: ServiceSubscription, _ context: BusyContext) async throws(ProviderError) {
        let client = GoogleMeetClient(call: context.call, tokens: try context.call.connected("Google"))
        do throws(ProviderError) {
            _ = try await client.send(
                "POST", "/channels/stop", body: ["id": .string(subscription.id), "resourceId": .string(subscription.resource)],
                changes: true)
        } catch { if error.code != .meetingGone { throw error } }
    }

    /// Its headers say all; the body is empty.
    public static func read(_ delivery: EventDelivery) -> NotificationReading {
        guard let token = delivery.header("X-Goog-Channel-Token"), !token.isEmpty else { return .refused }
        return .changed([Secret(token)])
    }
}
