import UsherCore
import UsherPipeline

/// Reads the body of `POST /v1/bookings`: every field of a wrong type and every unknown field is found at once.
struct BookingJSON {
    private let json: JSON
    /// What is wrong with the form; ``BookingValidator`` finds what is wrong with the content.
    private(set) var findings: [UsherError.Finding] = []

    init(_ json: JSON) { self.json = json }

    mutating func request() -> BookingRequest {
        refuseUnknown(
            json, "",
            [
                "meetingType", "owner", "start", "timeZone", "disambiguation", "duration", "attendees", "provider", "note", "metadata",
                "source",
            ])
        let disambiguation = text(json, "", "disambiguation")
        if let disambiguation, BookingRequest.Disambiguation(rawValue: disambiguation) == nil {
            findings.append(.init("/disambiguation", "must be \"earlier\" or \"later\""))
        }
        return BookingRequest(
            meetingType: required("meetingType"), owner: required("owner"), start: required("start"), timeZone: text(json, "", "timeZone"),
            disambiguation: disambiguation.flatMap(BookingRequest.Disambiguation.init), duration: text(json, "", "duration"),
            attendees: attendees(), provider: text(json, "", "provider"), note: text(json, "", "note") ?? "", metadata: metadata(),
            source: text(json, "", "source") ?? "")
    }

    private mutating func required(_ key: String) -> String {
        guard json[key] != nil, json[key] != .null else {
            findings.append(.init("/\(key)", "is required"))
            return ""
        }
        return text(json, "", key) ?? ""
    }

    private mutating func text(_ object: JSON, _ path: String, _ key: String) -> String? {
        guard let value = object[key], !value.isNull else { return nil }
        if value.string == nil { findings.append(.init("\(path)/\(key)", "must be a string")) }
        return value.string
    }

    private mutating func attendees() -> [BookingRequest.Person] {
        guard let items = json["attendees"]?.array else {
            findings.append(.init("/attendees", json["attendees"] == nil ? "is required" : "must be a list"))
            return []
        }
        var people: [BookingRequest.Person] = []
        for (index, item) in items.enumerated() {
            let path = "/attendees/\(index)"
            guard item.members != nil else {
                findings.append(.init(path, "must be an object with an email"))
                continue
            }
            refuseUnknown(item, path, ["name", "email", "timeZone", "language"])
            let email = text(item, path, "email")
            if item["email"] == nil || item["email"] == .null { findings.append(.init("\(path)/email", "is required")) }
            people.append(
                .init(
                    name: text(item, path, "name"), email: email ?? "", timeZone: text(item, path, "timeZone"),
                    language: text(item, path, "language")))
        }
        return people
    }

    private mutating func metadata() -> [String: String] {
        guard let value = json["metadata"], !value.isNull else { return [:] }
        guard let members = value.members else {
            findings.append(.init("/metadata", "must be an object of strings"))
            return [:]
        }
        var pairs: [String: String] = [:]
        for member in members {
            if let text = member.value.string {
                pairs[member.key] = text
            } else {
                findings.append(.init("/metadata/\(JSON.pointerPart(member.key))", "must be a string"))
            }
        }
        return pairs
    }

    private mutating func refuseUnknown(_ object: JSON, _ path: String, _ known: [String]) {
        for member in object.members ?? [] where !known.contains(member.key) {
            let near = hint(member.key, known)
            findings.append(.init("\(path)/\(JSON.pointerPart(String(member.key.prefix(80))))", "is not a known field\(near)"))
        }
    }
}
