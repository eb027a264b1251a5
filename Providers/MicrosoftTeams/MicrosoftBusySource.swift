import Foundation
import ProviderSupport
import UsherCore

/// `microsoft`: the events of an owner's Outlook calendars, by name, so that those which Usher wrote can be told; never their titles.
/// Source: https://learn.microsoft.com/graph/api/calendar-list-calendarview
public enum MicrosoftBusySource: BusySource {
    private static let scope = "Calendars.ReadBasic"

    /// What this source is.
    public static let descriptor = BusySourceDescriptor(
        kind: "microsoft", name: "Outlook calendar",
        connection: .account(
            module: TeamsProvider.descriptor.id,
            scopes: [scope, "Calendars.Read", "Calendars.ReadWrite"].flatMap { [$0, "https://graph.microsoft.com/\($0)"] },
            asks: ["https://graph.microsoft.com/\(scope)"]), interval: .minutes(10))

    /// All calendars of the account.
    public static func calendars(_ context: BusyContext) async throws(ProviderError) -> [FoundCalendar] {
        try await all("/me/calendars?$select=id,name,isDefaultCalendar&$top=100", context).compactMap { item in
            item["id"]?.string.map {
                FoundCalendar(id: $0, name: item["name"]?.string ?? "", counts: item["isDefaultCalendar"]?.bool == true)
            }
        }
    }

    /// Each occurrence by itself; times without an offset are UTC where none is asked for.
    public static func busy(_ question: BusyQuestion, _ context: BusyContext) async throws(ProviderError) -> BusyAnswer {
        let times = "startDateTime=\(percentEncoded(question.from.rfc3339))&endDateTime=\(percentEncoded(question.to.rfc3339))"
        let fields = "$select=iCalUId,start,end,showAs,isAllDay,isCancelled,responseStatus&$top=500"
        let path = "/me/calendars/\(percentEncoded(question.calendar))/calendarView?\(times)&\(fields)"
        let zone = TimeZone(iana: question.timeZone) ?? .gmt
        var events: [BusyEvent] = []
        for item in try await all(path, context) where takesTime(item) {
            let isWholeDay = item["isAllDay"]?.bool == true
            guard let start = instant(item["start"], isWholeDay, zone), let end = instant(item["end"], isWholeDay, zone) else {
                throw unreadable
            }
            if start < end { events.append(BusyEvent(start: start, end: end, uid: item["iCalUId"]?.string ?? "")) }
        }
        return .events(events, mark: nil, next: nil)
    }

    private static func takesTime(_ item: JSON) -> Bool {
        item["isCancelled"]?.bool != true && item["responseStatus"]?["response"]?.string != "declined"
            && !["free", "workingElsewhere"].contains(item["showAs"]?.string)
    }

    /// A whole day goes from midnight to midnight in whatever zone it is asked for: its dates are meant, on the owner's wall.
    private static func instant(_ time: JSON?, _ isWholeDay: Bool, _ zone: TimeZone) -> Instant? {
        guard let text = time?["dateTime"]?.string, case .wall(let wall)? = WrittenTime(text) else { return nil }
        return isWholeDay ? CalendarDate(wall).beginning(in: zone) : wall.asUTC
    }

    /// All items of a list that names the address of its next page.
    private static func all(_ path: String, _ context: BusyContext) async throws(ProviderError) -> [JSON] {
        let connection = try context.call.connected("Microsoft")
        let client = TeamsClient(call: context.call, tokens: connection)
        let base = client.base(try await connection.access(rejected: nil))
        var (items, path): ([JSON], String?) = ([], path)
        while let page = path {
            let answer = try await client.send("GET", page, changes: false)
            guard let found = answer["value"]?.array else { throw unreadable }
            items += found
            guard let next = answer["@odata.nextLink"]?.string else { return items }
            // No token goes anywhere but to Graph.
            guard next.hasPrefix(base + "/"), String(next.dropFirst(base.count)) != page else { throw unreadable }
            path = String(next.dropFirst(base.count))
        }
        return items
    }

    private static let unreadable = ProviderError(
        .unavailable, retry: .backoff, "Microsoft's list of events cannot be read.", remedy: ProviderError.triedAgain,
        operation: "GET calendarView")
}
