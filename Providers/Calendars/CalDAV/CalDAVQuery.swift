import Foundation
import UsherCore

/// Reads the events of a calendar that lie in a stretch of time (RFC 4791 §7.8).
struct CalDAVQuery {
    let client: CalDAVClient
    let calendar: CalendarAddress

    private static let names = "xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\""
    private static let mostAtOnce = 100

    /// The events as the server keeps them, whole. Servers compare times without a zone, and days, as if they were UTC: so a day more is
    /// asked for on either side.
    func texts(from: Instant, to: Instant) async throws(ProviderError) -> [[UInt8]] {
        let body = """
            <c:calendar-query \(Self.names)><d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter><c:comp-filter name="VCALENDAR">\
            <c:comp-filter name="VEVENT"><c:time-range start="\(Self.time(from - .days(1)))" end="\(Self.time(to + .days(1)))"/>\
            </c:comp-filter></c:comp-filter></c:filter></c:calendar-query>
            """
        let (answer, at) = try await client.multiStatus("REPORT", calendar, depth: 1, body: body)
        var (texts, missing): ([[UInt8]], [String]) = ([], [])
        for response in answer.responses {
            // A resource that cannot be read, or 507: the server has cut the list short.
            guard response.status == 200 else { throw cut }
            if let text = response.property(.caldav("calendar-data"))?.text {
                texts.append(Array(text.utf8))
            } else {
                missing.append(response.href)
            }
        }
        return texts + (try await fetch(missing, at))
    }

    /// Some servers answer a query with names alone.
    private func fetch(_ names: [String], _ at: CalendarAddress) async throws(ProviderError) -> [[UInt8]] {
        var texts: [[UInt8]] = []
        for first in stride(from: 0, to: names.count, by: Self.mostAtOnce) {
            let part = names[first..<min(first + Self.mostAtOnce, names.count)]
            let body = """
                <c:calendar-multiget \(Self.names)><d:prop><d:getetag/><c:calendar-data/></d:prop>\
                \(part.map { "<d:href>\($0.inXML)</d:href>" }.joined())</c:calendar-multiget>
                """
            let (answer, _) = try await client.multiStatus("REPORT", at, depth: 1, body: body)
            guard answer.responses.count >= part.count else { throw cut }
            // Gone since the query.
            for response in answer.responses where ![404, 410].contains(response.status) {
                guard response.status == 200, let text = response.property(.caldav("calendar-data"))?.text else { throw cut }
                texts.append(Array(text.utf8))
            }
        }
        return texts
    }

    private var cut: ProviderError {
        CalendarErrors.unreadable("the CalDAV server", CalendarProblem("a part of the events is missing"), "REPORT calendar-query")
    }

    /// `20261101T000000Z`
    private static func time(_ instant: Instant) -> String {
        instant.rfc3339.filter { $0 != "-" && $0 != ":" }
    }
}
