import ProviderSupport
import UsherCore

/// Bookings with rooms elsewhere, as events without a conference in the owner's first calendar.
/// Source: https://developers.google.com/workspace/calendar/api/v3/reference/events
struct GoogleMeetCalendar {
    private let client: GoogleMeetClient

    init(_ client: GoogleMeetClient) { self.client = client }

    private static func path(_ id: String) -> String { "/calendars/primary/events/\(percentEncoded(id))" }

    func put(_ entry: CalendarEntry, isNew: Bool) async throws(ProviderError) {
        guard isNew else { return try await change(entry) }
        do throws(ProviderError) {
            let body = JSON.object([JSON.Member("id", .string(entry.id))] + Self.members(entry))
            _ = try await client.send("POST", "/calendars/primary/events?sendUpdates=none", body: body, changes: true)
        } catch {
            // The id is taken: by an attempt of ours whose answer was lost, or by an event that its owner has deleted.
            guard error.cause.hasPrefix("HTTP 409") else { throw error }
            try await change(entry)
        }
    }

    private func change(_ entry: CalendarEntry) async throws(ProviderError) {
        let before = try await client.send("GET", Self.path(entry.id), changes: false)
        // A change would not bring a deleted one back, and its owner does not want it.
        guard before["status"] != "cancelled" else { throw Self.gone }
        _ = try await client.send(
            "PATCH", "\(Self.path(entry.id))?sendUpdates=none", body: .object(Self.members(entry)), changes: true)
    }

    func remove(_ id: String) async throws(ProviderError) {
        do throws(ProviderError) { _ = try await client.send("DELETE", "\(Self.path(id))?sendUpdates=none", changes: true) } catch {
            if error.code != .meetingGone { throw error }
        }
    }

    /// The mark is another one than that of events which are rooms.
    private static func members(_ entry: CalendarEntry) -> [JSON.Member] {
        func time(_ instant: Instant) -> JSON { ["dateTime": .string(instant.rfc3339), "timeZone": .string(entry.timeZone)] }
        return [
            JSON.Member("summary", .string(entry.title)), JSON.Member("description", .string(entry.description)),
            JSON.Member("location", .string(entry.location)), JSON.Member("start", time(entry.start)), JSON.Member("end", time(entry.end)),
            JSON.Member("extendedProperties", ["private": ["usher-calendar": .string(entry.id)]]),
        ]
    }

    private static let gone = ProviderError(
        .meetingGone, retry: .never, "The event was deleted in the Google calendar.", remedy: "Nothing to do: it is left alone.")
}

extension GoogleMeetProvider: CalendarProvider {
    /// Inserts the event under the entry's id, or changes the one that is there.
    public static func put(_ entry: CalendarEntry, isNew: Bool, _ call: ProviderContext) async throws(ProviderError) {
        try await GoogleMeetCalendar(GoogleMeetClient(call: call, tokens: try call.connected("Google"))).put(entry, isNew: isNew)
    }

    /// Deletes the event. One that is gone is success.
    public static func removeEntry(_ id: String, _ call: ProviderContext) async throws(ProviderError) {
        try await GoogleMeetCalendar(GoogleMeetClient(call: call, tokens: try call.connected("Google"))).remove(id)
    }
}
