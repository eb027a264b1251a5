import Foundation
import ProviderSupport
import UsherCore

/// `caldav`: the calendars of a server (RFC 4791), such as Nextcloud's, iCloud's or Fastmail's.
///
/// A change is noticed by the collection's tag or, where it has none, by its list of changes (RFC 6578); what changed is read whole, since
/// servers name deletions that did not happen, and leave out others.
public enum CalDAVSource: BusySource {
    /// What this source is.
    public static let descriptor = BusySourceDescriptor(
        kind: "caldav", name: "CalDAV", connection: .password, interval: .minutes(5), confirmsRemovals: true)

    /// The account's calendars that hold events.
    public static func calendars(_ context: BusyContext) async throws(ProviderError) -> [FoundCalendar] {
        try await CalDAVDiscovery(CalDAVClient(context)).calendars()
    }

    /// All events of the time asked for, unless nothing has changed.
    public static func busy(_ question: BusyQuestion, _ context: BusyContext) async throws(ProviderError) -> BusyAnswer {
        let client = try CalDAVClient(context)
        guard let calendar = client.home.resolving(question.calendar) else {
            throw CalendarErrors.rejected("The calendar's address cannot be followed.", remedy: "Connect the calendar again.")
        }
        // Read first: what changes meanwhile is noticed the next time.
        let version = try await version(of: calendar, client)
        if let mark = question.mark, let known = CollectionVersion(mark), try await isSame(known, version, calendar, client) {
            return .unchanged(mark: version.text)
        }
        let texts = try await CalDAVQuery(client: client, calendar: calendar).texts(from: question.from, to: question.to)
        do throws(CalendarProblem) {
            let addresses = question.addresses + (context.user.contains("@") ? [context.user.lowercased()] : [])
            let reading = try await CalendarText.read(
                texts, from: question.from, to: question.to, timeZone: question.timeZone, addresses: addresses)
            return .events(reading.events, mark: version.isEmpty ? nil : version.text, next: nil)
        } catch { throw CalendarErrors.unreadable("the CalDAV server", error, "REPORT calendar-query") }
    }

    private static func version(of calendar: CalendarAddress, _ client: CalDAVClient) async throws(ProviderError) -> CollectionVersion {
        let body = """
            <d:propfind xmlns:d="DAV:" xmlns:s="http://calendarserver.org/ns/"><d:prop><s:getctag/><d:sync-token/></d:prop></d:propfind>
            """
        let (answer, _) = try await client.multiStatus("PROPFIND", calendar, depth: 0, body: body)
        let properties = answer.responses.first
        return CollectionVersion(
            tag: properties?.property(.tag)?.text.trimmingBlanks, token: properties?.property(.dav("sync-token"))?.text.trimmingBlanks)
    }

    private static func isSame(
        _ known: CollectionVersion, _ present: CollectionVersion, _ calendar: CalendarAddress, _ client: CalDAVClient
    ) async throws(ProviderError) -> Bool {
        if known.tag != nil || present.tag != nil { return known.tag == present.tag && known.token == present.token }
        guard let token = known.token else { return false }
        let body = """
            <d:sync-collection xmlns:d="DAV:"><d:sync-token>\(token.inXML)</d:sync-token><d:sync-level>1</d:sync-level>\
            <d:prop><d:getetag/></d:prop></d:sync-collection>
            """
        let answer = try await client.send("REPORT", calendar, depth: 0, body: body)
        // A token that the server does not know any more, or a server without such lists: all is read.
        guard answer.response.status == 207, let changes = MultiStatus(answer.response.body) else { return false }
        return changes.responses.isEmpty
    }
}

/// What tells one state of a collection from another.
private struct CollectionVersion: SourceMark {
    var tag: String?
    var token: String?

    init(tag: String?, token: String?) {
        self.tag = tag.flatMap { $0.isEmpty ? nil : $0 }
        self.token = token.flatMap { $0.isEmpty ? nil : $0 }
    }

    var isEmpty: Bool { tag == nil && token == nil }
}
