import Foundation
import Synchronization
import UsherCore

/// The calendar of the stand-in.
extension GoogleSandbox.State {
    mutating func events(_ request: SandboxRequest, _ path: [String], _ user: String, _ now: Instant) -> HTTPResponse {
        let isChange = ["POST", "PATCH", "DELETE"].contains(request.method)
        if isChange, request.query["sendUpdates"] != "none" {
            violations.append("Google would mail: \(request.method) without sendUpdates=none")
        }
        let hasConference =
            (try? JSON(parsing: request.body))?["conferenceData"] != nil || path.first.flatMap { events[$0]?.body["conferenceData"] } != nil
        if ["POST", "PATCH"].contains(request.method), hasConference, request.query["conferenceDataVersion"] != "1" {
            violations.append("conferenceData is ignored: \(request.method) without conferenceDataVersion=1")
        }
        switch (request.method, path.first) {
        case ("POST", nil): return insert(request, user, now)
        case ("GET", nil): return list(request, user)
        case (let method, let id?): return one(method, id, request, user)
        default: return GoogleAnswer.error(404, "notFound", "Not Found")
        }
    }

    private mutating func insert(_ request: SandboxRequest, _ user: String, _ now: Instant) -> HTTPResponse {
        guard let body = try? JSON(parsing: request.body), let start = instant(body["start"]), let end = instant(body["end"]) else {
            return GoogleAnswer.error(400, "required", "Missing start or end.")
        }
        guard start < end else { return GoogleAnswer.error(400, "timeRangeEmpty", "The specified time range is empty.") }
        if body["attendees"] != nil { violations.append("attendees would be mailed by Google") }
        number += 1
        let id = body["id"]?.string ?? "sandbox\(number)"
        guard id.wholeMatch(of: /[a-v0-9]{5,1024}/) != nil else { return GoogleAnswer.error(400, "invalid", "Invalid resource id value.") }
        guard events[id] == nil else { return GoogleAnswer.error(409, "duplicate", "The requested identifier already exists.") }
        events[id] = GoogleSandbox.Event(id: id, owner: user, body: body, looksLeft: account.pendingLooks, created: now)
        created += 1
        return ZoomAnswer.json(200, describe(id))
    }

    private mutating func one(_ method: String, _ id: String, _ request: SandboxRequest, _ user: String) -> HTTPResponse {
        guard let event = events[id], event.owner == user else { return GoogleAnswer.error(404, "notFound", "Not Found") }
        switch method {
        case "GET":
            if event.looksLeft > 0 { events[id]?.looksLeft -= 1 }
            return ZoomAnswer.json(200, describe(id))
        case "PATCH":
            guard !event.isCancelled else { return GoogleAnswer.error(403, "forbidden", "Forbidden") }
            guard let change = try? JSON(parsing: request.body) else { return GoogleAnswer.error(400, "parseError", "Parse Error") }
            let kept = (event.body.members ?? []).filter { member in change[member.key] == nil }
            events[id]?.body = .object(kept + (change.members ?? []))
            return ZoomAnswer.json(200, describe(id))
        case "DELETE":
            guard !event.isCancelled else { return GoogleAnswer.error(410, "deleted", "Resource has been deleted") }
            events[id]?.isCancelled = true
            deleted += 1
            return HTTPResponse(status: 204)
        default: return GoogleAnswer.error(405, "httpMethodNotAllowed", "Method Not Allowed")
        }
    }

    func calendarList(_ user: String) -> HTTPResponse {
        guard account.scopes.contains("calendar.calendarlist.readonly") else {
            return GoogleAnswer.error(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        }
        let own: [JSON] = [["id": .string(user), "summary": .string(user), "primary": true], ["id": "family@group", "summary": "Family"]]
        let others = (0..<account.subscribed).map { number -> JSON in ["id": .string("other-\(number)@group"), "summary": "Other"] }
        return ZoomAnswer.json(200, ["items": .array(others + own)])
    }

    /// Each occurrence by itself, of what others have put there and of what was inserted here.
    private func occurrences(_ request: SandboxRequest, _ user: String) -> HTTPResponse {
        guard request.query["singleEvents"] == "true", let from = request.query["timeMin"].flatMap(Instant.init(rfc3339:)),
            let to = request.query["timeMax"].flatMap(Instant.init(rfc3339:)), from < to
        else { return GoogleAnswer.error(400, "timeRangeEmpty", "The specified time range is empty.") }
        var items = events.values.filter { event in
            guard event.owner == user, !event.isCancelled, let start = instant(event.body["start"]), let end = instant(event.body["end"])
            else {
                return false
            }
            return end > from && start < to
        }.map { describe($0.id) }
        for event in foreign {
            for (start, end) in event.occurrences where end > from && start < to { items.append(foreignEvent(event, start, end)) }
        }
        return ZoomAnswer.json(200, ["kind": "calendar#events", "timeZone": "Europe/Madrid", "items": .array(items)])
    }

    private func foreignEvent(_ event: SandboxEvent, _ start: Instant, _ end: Instant) -> JSON {
        func time(_ instant: Instant) -> JSON {
            event.isWholeDay ? ["date": .string(String(instant.rfc3339.prefix(10)))] : ["dateTime": .string(instant.rfc3339)]
        }
        return [
            "id": .string(event.uid.filter(\.isLetter)), "iCalUID": .string(event.uid),
            "status": event.isCancelled ? "cancelled" : "confirmed", "transparency": event.isFree ? "transparent" : "opaque",
            "summary": "A secret", "start": time(start), "end": time(end),
            "attendees": event.isDeclined ? [["self": true, "responseStatus": "declined"]] : [],
        ]
    }

    private func list(_ request: SandboxRequest, _ user: String) -> HTTPResponse {
        if request.query["singleEvents"] != nil { return occurrences(request, user) }
        let wanted = request.query["privateExtendedProperty"]?.split(separator: "=", maxSplits: 1).map(String.init)
        let items = events.values.filter { event in
            event.owner == user && !event.isCancelled
                && (wanted.map { $0.count == 2 && event.body["extendedProperties"]?["private"]?[$0[0]]?.string == $0[1] } ?? true)
        }
        return ZoomAnswer.json(200, ["kind": "calendar#events", "items": .array(items.sorted { $0.id < $1.id }.map { describe($0.id) })])
    }

    private func instant(_ time: JSON?) -> Instant? {
        if let instant = time?["dateTime"]?.string.flatMap(Instant.init(rfc3339:)) { return instant }
        return nil
    }

    private func describe(_ id: String) -> JSON {
        guard let event = events[id] else { return .null }
        var conference: JSON = .null
        if let asked = event.body["conferenceData"]?["createRequest"] {
            let status = account.conferenceFails ? "failure" : (event.looksLeft > 0 ? "pending" : "success")
            let code = "\(id.prefix(3))-\(id.dropFirst(3).prefix(4))-\(id.dropFirst(7).prefix(3))"
            var entries: [JSON] = [
                ["entryPointType": "video", "uri": .string("https://meet.google.com/\(code)"), "label": .string("meet.google.com/\(code)")]
            ]
            if account.hasPhones {
                entries.append([
                    "entryPointType": "phone", "uri": "tel:+49-30-300195060", "label": "+49 30 300195060", "pin": "123456789",
                    "regionCode": "DE",
                ])
            }
            conference = [
                "createRequest": .object((asked.members ?? []) + [JSON.Member("status", ["statusCode": .string(status)])]),
                "entryPoints": .array(status == "success" ? entries : []),
            ]
        }
        return [
            "kind": "calendar#event", "id": .string(id), "status": event.isCancelled ? "cancelled" : "confirmed",
            "iCalUID": .string("\(id)@google.com"), "created": .string(event.created.rfc3339), "summary": event.body["summary"] ?? .null,
            "start": event.body["start"] ?? .null, "end": event.body["end"] ?? .null,
            "extendedProperties": event.body["extendedProperties"] ?? .null, "conferenceData": conference,
        ]
    }
}
