import ProviderSupport
import UsherCore

/// Channels on which Google tells that a calendar has changed.
/// Source: https://developers.google.com/workspace/calendar/api/guides/push
extension GoogleBusySource: NotifyingBusySource {
    /// Seconds; what Google takes where nothing is asked for.
    private static let life = 604_800

    /// Opens a channel.
    public static func subscribe(_ wish: NotificationWish, _ context: BusyContext) async throws(ProviderError) -> NotificationGrant {
        let client = GoogleMeetClient(call: context.call, tokens: try context.call.connected("Google"))
        let answer = try await client.send(
            "POST", "/calendars/\(percentEncoded(wish.calendar))/events/watch",
            body: [
                "id": .string(wish.id), "type": "web_hook", "address": .string(wish.address), "token": .string(wish.token.reveal()),
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
        return NotificationGrant(id: id, resource: resource, end: end ?? context.call.environment.now() + .hours(1))
    }

    /// Closes a channel. Source: https://developers.google.com/workspace/calendar/api/v3/reference/channels/stop
    public static func unsubscribe(_ grant: NotificationGrant, _ context: BusyContext) async throws(ProviderError) {
        let client = GoogleMeetClient(call: context.call, tokens: try context.call.connected("Google"))
        do throws(ProviderError) {
            _ = try await client.send(
                "POST", "/channels/stop", body: ["id": .string(grant.id), "resourceId": .string(grant.resource)], changes: true)
        } catch { if error.code != .meetingGone { throw error } }
    }

    /// All of it stands in headers.
    public static func read(_ delivery: EventDelivery) -> NotificationReading {
        guard let token = delivery.header("X-Goog-Channel-Token"), !token.isEmpty else { return .refused }
        return .changed([Secret(token)])
    }
}
