import UsherCore

/// The calendar of the stand-in, in pages of two.
/// Source: https://learn.microsoft.com/graph/api/calendar-list-calendarview
extension MicrosoftSandbox.State {
    private static let pageSize = 2

    func calendars(_ request: SandboxRequest) -> HTTPResponse {
        guard account.scopes.contains("Calendars.Read") else {
            return MicrosoftSandbox.error(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        }
        let path = Array(request.path.dropFirst(3))
        if path.isEmpty {
            return ZoomAnswer.json(200, ["value": [["id": "AAMk=", "name": "Calendar", "isDefaultCalendar": true]]])
        }
        guard path == ["AAMk=", "calendarView"] else { return MicrosoftSandbox.error(404, "ErrorItemNotFound", "Not found.") }
        guard let from = request.query["startDateTime"].flatMap(Instant.init(rfc3339:)),
            let to = request.query["endDateTime"].flatMap(Instant.init(rfc3339:)), from < to
        else { return MicrosoftSandbox.error(400, "ErrorInvalidParameter", "startDateTime and endDateTime are required.") }
        let all = foreign.flatMap { event in
            event.occurrences.filter { $0.end > from && $0.start < to }.map { describe(event, $0.start, $0.end) }
        }
        let skip = Int(request.query["$skip"] ?? "0") ?? 0
        var members = [JSON.Member("value", .array(Array(all.dropFirst(skip).prefix(Self.pageSize))))]
        if all.count > skip + Self.pageSize {
            let query = request.rawQuery.split(separator: "&").filter { !$0.hasPrefix("$skip") }.joined(separator: "&")
            let next = "\(SandboxTransport.microsoftGraphURL)/me/calendars/AAMk%3D/calendarView?\(query)&$skip=\(skip + Self.pageSize)"
            members.append(JSON.Member("@odata.nextLink", .string(next)))
        }
        return ZoomAnswer.json(200, .object(members))
    }

    /// Without an offset, in UTC; whole days from midnight to midnight.
    private func describe(_ event: SandboxEvent, _ start: Instant, _ end: Instant) -> JSON {
        func time(_ instant: Instant) -> JSON {
            ["dateTime": .string(String(instant.rfc3339.dropLast()) + ".0000000"), "timeZone": "UTC"]
        }
        return [
            "iCalUId": .string(event.uid), "start": time(start), "end": time(end), "isAllDay": .bool(event.isWholeDay),
            "showAs": event.isFree ? "free" : "busy", "isCancelled": .bool(event.isCancelled),
            "responseStatus": ["response": event.isDeclined ? "declined" : "accepted"],
        ]
    }
}
