import UsherCore

/// The booking as an iCalendar object (RFC 5545, 5546, 7986): an invitation for an attendee, a plain event for the owner,
/// because mail systems show no invitation to its own organiser.
struct Invitation {
    enum Method: String { case request = "REQUEST", cancel = "CANCEL", publish = "PUBLISH" }

    let method: Method
    /// In UTF-8.
    let bytes: [UInt8]
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// - Parameter isPlain: a plain event, whoever reads it.
    init(_ letter: Letter, _ words: Words, isPlain: Bool = false) {
        let booking = letter.booking
        let site = booking.terms.site
        method = isPlain || letter.reader == .owner ? .publish : (letter.kind == .cancellation ? .cancel : .request)
        let domain = site.from.domain
        let title = Self.text(booking.title)
        var lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Usher//Usher 1//EN", "METHOD:\(method.rawValue)", "BEGIN:VEVENT"]
        lines += [
            "UID:\(booking.id)@\(domain)", "DTSTAMP:\(Self.time(letter.writtenAt))", "DTSTART:\(Self.time(booking.start))",
            "DTEND:\(Self.time(booking.end))", "SEQUENCE:\(booking.revision - 1)",
            "STATUS:\(letter.kind == .cancellation ? "CANCELLED" : "CONFIRMED")", "SUMMARY:\(title)",
            "ORGANIZER;CN=\(Self.parameter(booking.terms.owner.name)):\(Self.mailto(booking.terms.from.address))",
        ]
        if method != .publish {
            let name = letter.recipient.name.isEmpty ? letter.recipient.address : letter.recipient.name
            lines.append(
                "ATTENDEE;CN=\(Self.parameter(name));ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:\(Self.mailto(letter.recipient.address))"
            )
        }
        if let room = letter.room, let entrance = letter.calendarEntrance {
            lines += ["LOCATION:\(Self.text(entrance))", "URL:\(entrance)"]
            lines.append("CONFERENCE;VALUE=URI;FEATURE=VIDEO,AUDIO;LABEL=\(Self.parameter(words.join)):\(entrance)")
            lines += room.dialIn.readersFirst(country(ofZone: letter.timeZone)).map {
                "CONFERENCE;VALUE=URI;FEATURE=PHONE,AUDIO;LABEL=\(Self.parameter("\(words.phone) \($0.country)")):\($0.tapToCall)"
            }
        } else if letter.kind != .cancellation {
            lines += ["LOCATION:\(Self.text(letter.calendarPage ?? letter.joinPage))", "URL:\(letter.calendarPage ?? letter.joinPage)"]
        }
        lines.append("DESCRIPTION:\(Self.text(Self.description(letter, words)))")
        if letter.kind != .cancellation { lines += letter.booking.terms.type.reminders.flatMap { Self.alarm($0, title) } }
        lines += ["END:VEVENT", "END:VCALENDAR"]
        var out: [UInt8] = []
        out.reserveCapacity(2_048)
        for line in lines { Self.fold(line, into: &out) }
        bytes = out
    }

    /// RFC 5545 §3.6.6.
    /// - Parameter title: escaped.
    private static func alarm(_ before: Duration, _ title: String) -> [String] {
        [
            "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT\(before.wholeSeconds)S", "DESCRIPTION:\(title)", "END:VALARM",
        ]
    }

    /// The link comes first: calendars and assistants look for it there.
    static func description(_ letter: Letter, _ words: Words) -> String {
        var lines: [String] = []
        if let room = letter.room, let entrance = letter.calendarEntrance {
            lines.append("\(words.join): \(entrance)")
            if !room.meetingID.isEmpty { lines.append("\(words.meetingID): \(readable(room.meetingID))") }
            if let passcode = room.passcode { lines.append("\(words.passcode): \(passcode)") }
            lines += room.dialIn.readersFirst(country(ofZone: letter.timeZone)).map {
                "\(words.phone): \($0.country) \($0.number)\($0.pin.map { ", \(words.pin) \($0)" } ?? "")"
            }
        }
        if letter.kind != .cancellation { lines.append("\(words.joinPage): \(letter.calendarPage ?? letter.joinPage)") }
        if !letter.booking.description.isEmpty { lines += (lines.isEmpty ? [] : [""]) + [letter.booking.description] }
        return lines.joined(separator: "\n")
    }

    /// RFC 6068 §2: what an address may hold and an address of a page may not is percent-encoded.
    private static func mailto(_ address: String) -> String {
        "mailto:"
            + address.rewritten { byte in
                switch byte {
                case UInt8(ascii: "%"): "%25"
                case UInt8(ascii: "?"): "%3F"
                case UInt8(ascii: "&"): "%26"
                case UInt8(ascii: "#"): "%23"
                case UInt8(ascii: "/"): "%2F"
                case UInt8(ascii: "^"): "%5E"
                case UInt8(ascii: "`"): "%60"
                case UInt8(ascii: "{"): "%7B"
                case UInt8(ascii: "|"): "%7C"
                case UInt8(ascii: "}"): "%7D"
                default: nil
                }
            }
    }

    /// `20261201T090000Z`.
    private static func time(_ instant: Instant) -> String {
        String(decoding: instant.rfc3339.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }, as: UTF8.self)
    }

    /// TEXT, escaped by RFC 5545 §3.3.11; other control characters are left out.
    static func text(_ value: String) -> String {
        value.rewritten { byte in
            switch byte {
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: ";"): "\\;"
            case UInt8(ascii: ","): "\\,"
            case UInt8(ascii: "\n"): "\\n"
            case 0..<32, 127: ""
            default: nil
            }
        }
    }

    /// A parameter's value in quotes, its quotes and line ends by RFC 6868.
    static func parameter(_ value: String) -> String {
        let escaped = value.rewritten { byte in
            switch byte {
            case UInt8(ascii: "\""): "^'"
            case UInt8(ascii: "^"): "^^"
            case UInt8(ascii: "\n"): "^n"
            case 0..<32, 127: ""
            default: nil
            }
        }
        return "\"\(escaped)\""
    }

    /// Adds one content line with its CRLF, folded after 75 octets at most, at the border of a character (RFC 5545 §3.1).
    static func fold(_ line: String, into out: inout [UInt8]) {
        var line = line
        line.withUTF8 { bytes in
            var (start, room) = (0, 75)
            while bytes.count - start > room {
                var end = start + room
                // Never between the octets of one character.
                while bytes[end] & 0xC0 == 0x80 { end -= 1 }
                out += UnsafeBufferPointer(rebasing: bytes[start..<end])
                out += "\r\n ".utf8
                (start, room) = (end, 74)
            }
            out += UnsafeBufferPointer(rebasing: bytes[start...])
        }
        out += "\r\n".utf8
    }
}
