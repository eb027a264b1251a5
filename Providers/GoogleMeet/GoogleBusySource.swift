import Foundation
import ProviderSupport
import UsherCore

/// `google`: the events of an owner's Google calendars, by name, so that those which Usher wrote can be told; never their titles.
/// Source: https://developers.google.com/workspace/calendar/api/v3/reference/events/list
public enum GoogleBusySource: BusySource {
    /// What this source is. The permission that Meet has is enough for the owner's first calendar.
    public static let descriptor = BusySourceDescriptor(
        kind: "google", name: "Google Calendar",
        connection: .account(
            module: GoogleMeetProvider.descriptor.id, scopes: GoogleScopes.events + [GoogleScopes.eventsReadOnly],
            asks: [
                GoogleScopes.eventsReadOnly, GoogleScopes.calendarList,
            ]), interval: .minutes(10))

    /// The calendars whose list the owner lets us read; else the first one.
    public static func calendars(_ context: BusyContext) async throws(ProviderError) -> [FoundCalendar] {
        let connection = try context.call.connected("Google")
        let primary = FoundCalendar(id: primary, name: connection.account.email, counts: true)
        let scopes = try await connection.access(rejected: nil).scopes
        guard !Set(scopes).isDisjoint(with: [GoogleScopes.calendarList, GoogleScopes.all]) else { return [primary] }
        let client = GoogleMeetClient(call: context.call, tokens: connection)
        let items = try await client.list(
            "/users/me/calendarList?maxResults=250&fields=nextPageToken,items(id,summary,summaryOverride,primary)", items: "items",
            next: "nextPageToken", parameter: "pageToken")
        let others = items.filter { $0["primary"]?.bool != true }.compactMap { item in
            item["id"]?.string.map {
                FoundCalendar(id: $0, name: item["summaryOverride"]?.string ?? item["summary"]?.string ?? "", counts: false)
            }
        }
        return [primary] + others
    }

    private static let primary = "primary"

    /// Each occurrence by itself (`singleEvents`). `timeMin` bounds ends, `timeMax` starts.
    public static func busy(_ question: BusyQuestion, _ context: BusyContext) async throws(ProviderError) -> BusyAnswer {
        let client = GoogleMeetClient(call: context.call, tokens: try context.call.connected("Google"))
        let fields = "nextPageToken,timeZone,items(id,iCalUID,status,transparency,eventType,start,end,attendees(self,responseStatus))"
        let query =
            "singleEvents=true&maxResults=2500&timeMin=\(percentEncoded(question.from.rfc3339))&timeMax=\(percentEncoded(question.to.rfc3339))&fields=\(percentEncoded(fields))"
        let path = "/calendars/\(percentEncoded(question.calendar))/events?\(query)"
        var (events, page): ([BusyEvent], String) = ([], "")
        repeat {
            let answer = try await client.send("GET", path + (page.isEmpty ? "" : "&pageToken=\(percentEncoded(page))"), changes: false)
            guard let items = answer["items"]?.array else { throw unreadable }
            let zone = TimeZone(iana: answer["timeZone"]?.string ?? "") ?? TimeZone(iana: question.timeZone) ?? .gmt
            for item in items where takesTime(item) {
                guard let start = instant(item["start"], zone), let end = instant(item["end"], zone) else { throw unreadable }
                guard start < end else { continue }
                // The UID of what Usher made there is its own id.
                events.append(BusyEvent(start: start, end: end, uid: item["iCalUID"]?.string ?? item["id"]?.string ?? ""))
            }
            let next = answer["nextPageToken"]?.string ?? ""
            guard next != page || next.isEmpty else { throw unreadable }
            page = next
        } while !page.isEmpty
        return .events(events, mark: nil, next: nil)
    }

    /// Source: https://developers.google.com/workspace/calendar/api/v3/reference/events#resource
    private static func takesTime(_ item: JSON) -> Bool {
        let isDeclined = item["attendees"]?.array?.contains { $0["self"]?.bool == true && $0["responseStatus"]?.string == "declined" }
        return item["status"]?.string != "cancelled" && item["transparency"]?.string != "transparent" && isDeclined != true
            && !["workingLocation", "birthday"].contains(item["eventType"]?.string)
    }

    /// A day is one of the calendar's zone.
    private static func instant(_ time: JSON?, _ zone: TimeZone) -> Instant? {
        if let text = time?["dateTime"]?.string { return Instant(rfc3339: text) }
        return time?["date"]?.string.flatMap(CalendarDate.init)?.beginning(in: zone)
    }

    private static let unreadable = ProviderError(
        .unavailable, retry: .backoff, "Google's list of events cannot be read.", remedy: ProviderError.triedAgain, operation: "GET events")
}
