import UsherCore

/// The booking as an iCalendar object (RFC 5545, 5546, 7986): an invitation for an attendee, a plain event for the owner,
/// because mail systems show no invitation to its own organiser.
struct Invitation {
    enum Method: String { case request = "REQUEST", cancel = "CANCEL", publish = "PUBLISH" }

    let method: Method
    let text: String

    /// - Parameter isPlain: a plain event, whoever reads it.
    init(_ letter: Letter, _ words: Words, isPlain: Bool = false) {
        let booking = letter.booking
        let site = booking.terms.site
        method = isPlain || letter.reader == .owner ? .publish : (letter.kind == .cancellation ? .cancel : .request)
        var lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Usher//Usher 1//EN", "METHOD:\(method.rawValue)", "BEGIN:VEVENT"]
        lines += [
            "UID:\(booking.id)@\(site.from.domain)", "DTSTAMP:\(Self.time(letter.writtenAt))", "DTSTART:\(Self.time(booking.start))",
            "DTEND:\(Self.time(booking.end))", "SEQUENCE:\(booking.revision - 1)",
            "STATUS:\(letter.kind == .cancellation ? "CANCELLED" : "CONFIRMED")", "SUMMARY:\(Self.text(booking.title))",
            "ORGANIZER;CN=\(Self.parameter(booking.terms.owner.name)):\(Self.mailto(site.from.address))",
        ]
        if method != .publish {
            let name = letter.recipient.name.isEmpty ? letter.recipient.address : letter.recipient.name
            lines.append(
                "ATTENDEE;CN=\(Self.parameter(name));ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:\(Self.mailto(letter.recipient.address))"
            )
        }
        if let room = letter.room, let entrance = letter.entrance {
            lines += ["LOCATION:\(Self.text(entrance))", "URL:\(entrance)"]
            lines.append("CONFERENCE;VALUE=URI;FEATURE=VIDEO,AUDIO;LABEL=\(Self.parameter(words.join)):\(entrance)")
            lines += room.dialIn.readersFirst(country(ofZone: letter.timeZone)).map {
                "CONFERENCE;VALUE=URI;FEATURE=PHONE,AUDIO;LABEL=\(Self.parameter("\(words.phone) \($0.country)")):\($0.tapToCall)"
            }
        } else if letter.kind != .cancellation {
            lines += ["LOCATION:\(Self.text(letter.joinPage))", "URL:\(letter.joinPage)"]
        }
        lines.append("DESCRIPTION:\(Self.text(Self.description(letter, words)))")
        if letter.kind != .cancellation { lines += letter.booking.terms.type.reminders.flatMap { Self.alarm($0, booking.title) } }
        lines += ["END:VEVENT", "END:VCALENDAR"]
        text = lines.map(Self.folded).joined()
    }

    /// RFC 5545 §3.6.6.
    private static func alarm(_ before: Duration, _ title: String) -> [String] {
        [
            "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT\(before.wholeSeconds)S", "DESCRIPTION:\(text(title))", "END:VALARM",
        ]
    }

    /// The link comes first: calendars and assistants look for it there.
    static func description(_ letter: Letter, _ words: Words) -> String {
        var lines: [String] = []
        if let room = letter.room, let entrance = letter.entrance {
            lines.append("\(words.join): \(entrance)")
            if !room.meetingID.isEmpty { lines.append("\(words.meetingID): \(readable(room.meetingID))") }
            if let passcode = room.passcode { lines.append("\(words.passcode): \(passcode)") }
            lines += room.dialIn.readersFirst(country(ofZone: letter.timeZone)).map {
                "\(words.phone): \($0.country) \($0.number)\($0.pin.map { ", \(words.pin) \($0)" } ?? "")"
            }
        }
        if letter.kind != .cancellation { lines.append("\(words.joinPage) \(letter.joinPage)") }
        if !letter.booking.description.isEmpty { lines += (lines.isEmpty ? [] : [""]) + [letter.booking.description] }
        return lines.joined(separator: "\n")
    }

    /// RFC 6068 §2: what an address may hold and an address of a page may not is percent-encoded.
    private static func mailto(_ address: String) -> String {
        var out = "mailto:"
        for scalar in address.unicodeScalars {
            switch scalar {
            case "%", "?", "&", "#", "/", "^", "`", "{", "|", "}": out += "%" + String(scalar.value, radix: 16, uppercase: true)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// `20261201T090000Z`.
    private static func time(_ instant: Instant) -> String {
        String(decoding: instant.rfc3339.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }, as: UTF8.self)
    }

    /// TEXT, escaped by RFC 5545 §3.3.11; other control characters are left out.
    static func text(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in byte >= 32 && byte != 127 && byte != 0x5C && byte != 0x3B && byte != 0x2C }
        if isPlain { return value }
        var out = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case ";": out += "\\;"
            case ",": out += "\\,"
            case "\n": out += "\\n"
            case _ where character.value < 32 || character.value == 127: break
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    /// A parameter's value in quotes, its quotes and line ends by RFC 6868.
    static func parameter(_ value: String) -> String {
        var out = "\""
        for character in value.unicodeScalars {
            switch character {
            case "\"": out += "^'"
            case "^": out += "^^"
            case "\n": out += "^n"
            case _ where character.value < 32 || character.value == 127: break
            default: out.unicodeScalars.append(character)
            }
        }
        return out + "\""
    }

    /// One content line with its CRLF, folded after 75 octets at most, at the border of a character (RFC 5545 §3.1).
    static func folded(_ line: String) -> String {
        guard line.utf8.count > 75 else { return line + "\r\n" }
        var out = ""
        var rest = Substring(line).utf8
        var room = 75
        while rest.count > room {
            var end = rest.index(rest.startIndex, offsetBy: room)
            // Never between the octets of one character.
            while rest[end] & 0xC0 == 0x80 { end = rest.index(before: end) }
            out += Substring(rest[..<end])
            out += "\r\n "
            rest = rest[end...]
            room = 74
        }
        return out + Substring(rest) + "\r\n"
    }
}
