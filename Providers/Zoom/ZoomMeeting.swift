import UsherCore

/// A meeting as Zoom describes it. Only its id and join link must be there.
/// Source: https://developers.zoom.us/docs/api/meetings/#tag/meetings/GET/meetings/{meetingId}
struct ZoomMeeting {
    let id: String
    let joinURL: String
    private let json: JSON

    init?(_ json: JSON?) {
        guard let json, let id = json["id"]?.text, !id.isEmpty, let url = json["join_url"]?.string, url.hasPrefix("https://") else {
            return nil
        }
        self.id = id
        joinURL = url
        self.json = json
    }

    var start: Instant? {
        guard let instant = json["start_time"]?.string.flatMap(Instant.init(rfc3339:)) else { return nil }
        return instant
    }
    var end: Instant? {
        guard let start, let minutes = json["duration"]?.int else { return nil }
        return start + .minutes(minutes)
    }

    /// The room. Numbers come from the structured list; the phone's passcode is digits, whatever the web's is.
    var provided: ProvidedRoom {
        let pin = json["pstn_password"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        let numbers = (json["settings"]?["global_dial_in_numbers"]?.array ?? []).compactMap { entry -> DialIn? in
            guard let country = entry["country"]?.string, let number = entry["number"]?.text else { return nil }
            return DialIn(
                country: country, number: number, pin: pin, tollFree: entry["type"]?.string == "tollfree",
                city: entry["city"]?.string.flatMap { $0.isEmpty ? nil : $0 }, meetingID: id)
        }
        let passcode = json["password"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        return ProvidedRoom(
            id: id, room: Room(joinURL: joinURL, meetingID: id, passcode: passcode, dialIn: numbers), start: start, end: end)
    }
}

/// The mark by which we know our meetings again: at the head of the agenda, because lists show only its first 250 characters.
enum ZoomMarker {
    static func agenda(_ key: String, _ description: String) -> String {
        cut("[usher:\(key)]" + (description.isEmpty ? "" : "\n\(description)"), to: 2_000)
    }

    /// The key in an agenda; `nil` where the meeting is not ours.
    static func key(in agenda: String?) -> String? {
        guard let agenda, agenda.hasPrefix("[usher:"), let close = agenda.firstIndex(of: "]") else { return nil }
        return String(agenda[agenda.index(agenda.startIndex, offsetBy: 7)..<close])
    }

    /// At most `limit` UTF-16 units, cut between characters: Zoom does not say what it counts, and this fits every count.
    static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf16.count > limit else { return text }
        var out = ""
        var length = 0
        for character in text {
            length += character.utf16.count
            if length > limit { break }
            out.append(character)
        }
        return out
    }
}
