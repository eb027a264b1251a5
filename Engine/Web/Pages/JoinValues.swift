import UsherCore
import UsherMail

/// The values of `join.html.mustache`.
struct JoinValues: Sendable {
    struct Begins: Sendable {
        var beginsAt, saying: String
        /// What a script counts down with, for `{duration}`.
        var counts: String?
    }
    struct Code: Sendable { var codeName, codeValue, codeShown: String }
    struct Phone: Sendable {
        var phoneName: String
        var numbers: [Number]
    }
    /// As the mail writes it: `Germany: +49 30 5679 5800 (Berlin), toll-free, PIN 482913`.
    struct Number: Sendable {
        var country, tapToCall, number: String
        var city, free, pinName: String?
        var pin: String

        init(_ number: DialIn, _ words: PageWords) {
            country = words.country(number.country) + words.colon
            (tapToCall, self.number, city) = (number.tapToCall, number.number, number.city)
            free = number.tollFree ? words.comma + words.tollFree : nil
            pinName = number.pin == nil ? nil : words.comma + words.pin
            pin = number.pin ?? ""
        }
    }

    var meeting: MeetingPart
    var notice: NoticePart?
    var begins: Begins?
    var waiting: String?
    /// Whom a guest asks who waits for long; `nil` at first.
    var hostMail: String?
    var longer: String
    var ways: [WayPart] = []
    /// Seconds after which the page is asked for again.
    var looksAgain: String?
    /// Makes the room, or this visitor's way into it.
    var press: FormButton?
    var joinURL: String?
    var joinName, copy, copied, copyAll, wholeText: String
    var hasCodes = false
    /// Whether there is something to hand on.
    var hasRoom = false
    var codes: [Code] = []
    var phone: Phone?
    var calendars: CalendarsPart?
    var again: AgainPart?

    private static let patience = Duration.minutes(1)

    init(_ visit: ReaderLinks.Visit) {
        let words = visit.words
        meeting = MeetingPart(visit)
        (joinName, copy, copied, copyAll) = (words.join, words(.copy), words(.copied), words(.copyAll))
        (longer, wholeText) = (words(.longer), "")
    }

    /// The way into the room, or what is true of one that is not there.
    /// - Parameter now: for how long the room has been in the making.
    mutating func showRoom(_ visit: ReaderLinks.Visit, _ token: String, now: Instant) {
        let (meeting, words) = (visit.booking.meeting, visit.words)
        if meeting.status == .onJoin { return press = FormButton(words(.start), action: "/join/\(token)", key: nil) }
        guard let room = meeting.room else { return showWaiting(visit, now) }
        if room.needsEntry {
            press = FormButton(words.join, action: "/join/\(token)", key: nil)
        } else {
            joinURL = room.joinURL
        }
        codes = [(words.meetingID, room.meetingID), (words.passcode, room.passcode ?? "")].filter { !$0.1.isEmpty }.map {
            Code(codeName: $0.0, codeValue: $0.1, codeShown: $0.0 == words.meetingID ? readable($0.1) : $0.1)
        }
        hasCodes = !codes.isEmpty
        if !room.dialIn.isEmpty {
            phone = Phone(phoneName: words.phone, numbers: words.numbers(room, zone: visit.timeZone).map { Number($0, words) })
        }
        wholeText = text(visit, room)
        hasRoom = true
    }

    private mutating func showWaiting(_ visit: ReaderLinks.Visit, _ now: Instant) {
        if visit.reader == .owner, let problem = visit.booking.meeting.problem {
            notice = NoticePart(.bad, "There is no room yet: \(problem.message)", problem.remedy)
            ways = [WayPart(wayPath: "/owners/me", wayName: "Open my page")]
            looksAgain = "30"
            return
        }
        switch visit.booking.meeting.status {
        case .blocked, .failed:
            notice = NoticePart(.warn, visit.words(.blocked, ["owner": visit.booking.terms.owner.name]))
            looksAgain = "30"
        default:
            waiting = visit.words(.making)
            let isLong = now > visit.booking.changedAt + Self.patience
            hostMail = isLong && visit.reader != .owner ? visit.booking.terms.owner.email : nil
            looksAgain = "5"
        }
    }

    /// All that lets somebody in, to be handed on.
    private func text(_ visit: ReaderLinks.Visit, _ room: Room) -> String {
        let head = [visit.booking.title, "\(meeting.time.date), \(meeting.time.range), \(meeting.time.zone)"]
        let way = room.needsEntry ? [] : [room.joinURL]
        let numbers = (phone?.numbers ?? []).map { number in
            "\(number.country) \(number.number)\(number.city.map { " (\($0))" } ?? "")\(number.pinName.map { "\($0) \(number.pin)" } ?? "")"
        }
        return (head + way + codes.map { "\($0.codeName)\(visit.words.colon) \($0.codeShown)" } + numbers).joined(separator: "\n")
    }
}
