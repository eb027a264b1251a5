import Foundation
import TestValues
import Testing
import UsherCore
import UsherMail

@Suite(.timeLimit(.minutes(2)))
struct MailTests {
    static func letter(
        title: String = "Consultation", name: String = "Bo Li", zone: String = "America/New_York", language: String = "en",
        start: String = "2026-12-01T09:00:00Z", reader: Reader = .attendee(0), kind: MailKind = .confirmation, note: String = ""
    ) throws -> Letter {
        let catalog = try TestCatalog.read()
        var type = try #require(catalog.meetingType("consultation"))
        type.title = title
        let terms = Terms(
            type: type, owner: catalog.owners[0], site: catalog.site, chain: [Terms.Link(provider: "room", module: "link")],
            because: .siteDefault)
        guard case .instant(let begin)? = WrittenTime(start) else { throw UsherError(.internalError, "no time") }
        let room = Room(
            joinURL: "https://meet.northwind.example/abc?x=1&y=2", meetingID: "85012345678", passcode: "482913",
            dialIn: [DialIn(country: "DE", number: "+49 30 901820", pin: "482913")])
        let booking = Booking(
            id: "bk_1", revision: kind == .confirmation ? 1 : 2, start: begin, end: begin + .minutes(30), timeZone: "Europe/Berlin",
            attendees: [Attendee(name: name, email: "bo@example.org", timeZone: zone, language: language)],
            details: BookingDetails(note: note), terms: terms,
            meeting: Meeting(status: .ready, provider: "room", module: "link", because: .siteDefault, room: room), changedAt: begin,
            createdAt: begin)
        return Letter(
            booking: booking, reader: reader, kind: kind, outboxID: "ml_1", messageID: "m1@northwind.example",
            threadID: kind == .confirmation ? nil : "m0@northwind.example", writtenAt: Instant(seconds: 1_795_507_200),
            joinPage: "https://usher.example/join/token")
    }

    private func parts(_ letter: Letter) throws -> MailRenderer.Parts { try MailRenderer().parts(letter) }

    @Test(
        "the region of the reader's zone, or the one that their language names, decides on the form of date and time",
        arguments: [
            ("en", "America/New_York", "Tuesday, December 1, 2026, 4:00 – 4:30 AM"),
            ("en", "Europe/London", "Tuesday 1 December 2026, 09:00 – 09:30"),
            ("en", "Europe/Berlin", "Tuesday 1 December 2026, 10:00 – 10:30"),
            ("en", "UTC", "Tuesday 1 December 2026, 09:00 – 09:30"),
            ("en-US", "Europe/Berlin", "Tuesday, December 1, 2026, 10:00 – 10:30 AM"),
            ("en-GB", "America/New_York", "Tuesday 1 December 2026, 04:00 – 04:30"),
            ("pt-BR", "America/Sao_Paulo", "terça-feira, 1 de dezembro de 2026, 06:00 – 06:30"),
            ("de", "Europe/Vienna", "Dienstag, 1. Dezember 2026, 10:00 – 10:30"),
            ("en", "Asia/Kolkata", "Tuesday 1 December 2026, 2:30 – 3:00 PM"),
        ])
    func habits(language: String, zone: String, expected: String) throws {
        guard case .instant(let start)? = WrittenTime("2026-12-01T09:00:00Z") else { throw UsherError(.internalError, "no time") }
        let time = ReaderTime.of(start: start, end: start + .minutes(30), timeZone: zone, language: language)
        #expect("\(time.date), \(time.range)" == expected)
    }

    @Test("a language with a region is the nearest that is spoken, and what is none is none")
    func tags() {
        #expect(["en-us", "pt-BR", "DE", "de-AT"].map(Language.normalized) == ["en-US", "pt-BR", "de", "de-AT"])
        #expect(["xx", "en-", "en-USA", "zh-CN", "en-US-x", ""].allSatisfy { Language.normalized($0) == nil })
    }

    @Test("in Arabic each name and time of a line stands for itself, and the commas are Arabic")
    func isolated() throws {
        let text = try parts(try Self.letter(zone: "Africa/Cairo", language: "ar")).text
        let line = try #require(text.split(separator: "\n").first { $0.contains("Ana Ruiz") && $0.contains("–") })
        #expect(line.hasPrefix("\u{2068}Ana Ruiz\u{2069}: \u{2068}"))
        #expect(line.contains("\u{2069}، \u{2068}") && !line.contains(", "))
        #expect(text.contains("\u{2068}+49 30 901820\u{2069}"))
        #expect(try !parts(try Self.letter()).text.contains("\u{2068}"), "where all runs one way nothing is marked")
    }

    @Test("the same letter gives the same bytes")
    func pure() throws {
        let letter = try Self.letter()
        #expect(try MailRenderer().mail(letter).bytes == MailRenderer().mail(letter).bytes)
    }

    @Test(
        "each reader reads the time in their own zone, on both sides of a change of the clocks",
        arguments: [
            (
                "2027-03-14T06:30:00Z", "America/New_York", "1:30 AM (UTC−05:00) – 3:00 AM (UTC−04:00)",
                "Eastern Standard Time (UTC−05:00) / Eastern Daylight Time (UTC−04:00)"
            ),
            ("2027-11-07T05:30:00Z", "America/New_York", "1:30 AM (UTC−04:00) – 1:00 AM (UTC−05:00)", "Eastern Standard Time (UTC−05:00)"),
            ("2027-03-14T07:30:00Z", "America/New_York", "3:30 – 4:00 AM", "Eastern Daylight Time (UTC−04:00)"),
            ("2027-03-28T00:30:00Z", "Europe/Berlin", "01:30 (UTC+01:00) – 03:00 (UTC+02:00)", "Central European Summer Time (UTC+02:00)"),
            ("2027-10-31T01:30:00Z", "Europe/Berlin", "02:30 – 03:00", "Central European Standard Time (UTC+01:00)"),
            ("2026-12-01T09:00:00Z", "Asia/Kathmandu", "14:45 – 15:15", "Nepal Time (UTC+05:45)"),
            ("2026-12-01T09:00:00Z", "Australia/Lord_Howe", "8:00 – 8:30 pm", "Lord Howe Daylight Time (UTC+11:00)"),
        ])
    func zones(start: String, zone: String, range: String, name: String) throws {
        var letter = try Self.letter(zone: zone, start: start)
        letter.booking.end = letter.booking.start + .minutes(30)
        let text = try parts(letter).text
        #expect(text.contains(range), "\(text)")
        #expect(text.contains(name), "\(text)")
    }

    @Test("where the room is made on the click, the mail's button leads to the join page, and nothing sounds like a fault")
    func onJoin() throws {
        var letter = try Self.letter(zone: "Europe/Berlin", start: "2026-12-01T09:00:00Z")
        letter.booking.terms.type.provision = .onJoin
        letter.booking.meeting.room = nil
        let parts = try parts(letter)
        #expect(parts.text.contains("Join the meeting:\n\(letter.joinPage)"), "\(parts.text)")
        #expect(!parts.text.contains("not ready"))
        #expect(parts.html.contains("href=\"\(letter.joinPage)\""))
    }

    @Test(
        "around every change of the clocks the mail shows the reader's own time, and the calendar the same instant",
        arguments: MailCases.changes)
    func clockChanges(change: (zone: String, start: String, shown: String, offset: String)) throws {
        let letter = try Self.letter(zone: change.zone, start: change.start)
        let parts = try parts(letter)
        #expect(parts.text.contains(change.shown), "\(parts.text)")
        #expect(parts.text.contains(change.offset) && parts.html.contains(change.offset))
        let instant = change.start.filter { $0 != "-" && $0 != ":" }
        #expect(parts.calendar.contains("DTSTART:\(instant)\r\n"))
        // The owner, in Madrid, is shown beside where the clocks differ.
        #expect(parts.text.contains("Ana Ruiz: ") == (change.zone != "Europe/Berlin"))
    }

    @Test("whatever stands in a field is harmless, and can still be read", arguments: MailCases.hostile.indices)
    func hostileFields(index: Int) async throws {
        let evil = MailCases.hostile[index]
        for reader in [Reader.attendee(0), .owner] {
            for kind in [MailKind.confirmation, .update, .cancellation, .reminder] {
                var letter = try Self.letter(title: evil, name: evil, reader: reader, kind: kind, note: evil)
                letter.booking.terms.type.intro = evil
                letter.booking.terms.type.description = evil
                letter.booking.terms.owner.name = evil
                let parts = try parts(letter)
                let mail = String(decoding: try MailRenderer().mail(letter).bytes, as: UTF8.self)
                let head = try #require(mail.split(separator: "\r\n\r\n").first)
                let names = head.replacing("\r\n ", with: " ").split(separator: "\r\n").map { $0.prefix { $0 != ":" } }
                #expect(
                    Set(names).isSubset(of: [
                        "Date", "Message-ID", "In-Reply-To", "References", "From", "To", "Reply-To", "Subject", "Auto-Submitted",
                        "MIME-Version", "Content-Type",
                    ]), "\(names)")
                #expect(mail.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 998 })
                #expect(!mail.unicodeScalars.contains { $0.value < 32 && $0 != "\r" && $0 != "\n" })
                for tag in ["<img src=x", "<b>", "<script"] { #expect(!parts.html.contains(tag)) }
                #expect(!parts.html.contains("\u{202E}") && !parts.text.contains("\u{202E}"))
                let lines = parts.calendar.split(separator: "\r\n")
                #expect(lines.count { $0 == "BEGIN:VEVENT" } == (kind == .reminder ? 0 : 1))
                #expect(lines.allSatisfy { $0.utf8.count <= 75 })
            }
        }
    }

    @Test("addresses with a domain beyond ASCII travel as IDNA has it")
    func domains() {
        #expect(asciiMailAddress("bo@bücher.example") == "bo@xn--bcher-kva.example")
        #expect(asciiMailAddress("bo@example.org") == "bo@example.org")
        #expect(Mailbox("Bücher <post@bücher.example>")?.address == "post@xn--bcher-kva.example")
        for bad in ["bö@example.org", "bo@", "bo@a b.example", "bo@bücher.example/x", "bo@bücher.example\r\nRCPT", "bo@@bücher.example"] {
            #expect(asciiMailAddress(bad) == nil, "\(bad)")
        }
    }

    @Test("a name that looks like an encoded word is read as it was written, and an address says nothing but itself")
    func lookalikes() throws {
        var letter = try Self.letter(name: "=?utf-8?Q?Your_Bank?=")
        let head = String(decoding: try MailRenderer().mail(letter).bytes, as: UTF8.self)
        #expect(!head.contains("=?utf-8?Q?Your_Bank?="))
        letter.booking.attendees[0].email = "bo?cc=eve%40x@example.org"
        #expect(try parts(letter).calendar.replacing("\r\n ", with: "").contains("mailto:bo%3Fcc=eve%2540x@example.org"))
    }

    @Test("the owner's mail shows every time that a guest has, once, where it is another than the owner's")
    func otherTimes() throws {
        var letter = try Self.letter(reader: .owner)
        letter.booking.attendees += [("Jo", "Asia/Kolkata"), ("Di", "America/New_York"), ("Al", "Africa/Cairo")].map {
            Attendee(name: $0, email: "\($0.lowercased())@example.org", timeZone: $1, language: "en")
        }
        let text = try parts(letter).text
        #expect(text.contains("Bo Li: 04:00 – 04:30") && text.contains("; Jo: 14:30 – 15:00") && text.contains("; Al: 11:00 – 11:30"))
        #expect(!text.contains("Di:"))
    }

    @Test("attendees see each other where the type says so, and nobody's address elsewhere")
    func company() throws {
        var letter = try Self.letter()
        letter.booking.attendees.append(Attendee(name: "Cy Orr", email: "cy@example.org", timeZone: "UTC", language: "en"))
        letter.booking.attendees.append(Attendee(name: "", email: "dee@example.org", timeZone: "UTC", language: "en"))
        let hidden = String(decoding: try MailRenderer().mail(letter).bytes, as: UTF8.self)
        #expect(!hidden.contains("Cy Orr") && !hidden.contains("cy@example.org") && !hidden.contains("dee@example.org"))
        letter.booking.terms.type.showAttendees = true
        let shown = try parts(letter).text
        #expect(shown.contains("With: Ana Ruiz, Cy Orr, and dee@example.org"))
    }

    @Test("a change shows the old time struck through, and says when the way in is another")
    func changed() throws {
        var letter = try Self.letter(kind: .update)
        var before = MailSnapshot(letter.booking)
        before.start = before.start - .hours(2)
        letter.previous = before
        var parts = try parts(letter)
        #expect(parts.text.contains("Previously: Tuesday, December 1, 2026, 2:00 – 4:30 AM"))
        #expect(parts.html.contains("<s style=\"text-decoration:line-through;\">Tuesday, December 1, 2026, 2:00 – 4:30 AM</s>"))
        #expect(!parts.text.contains("The way in has changed"))
        before = MailSnapshot(letter.booking)
        before.room = "another"
        letter.previous = before
        parts = try self.parts(letter)
        #expect(parts.text.contains("The way in has changed") && !parts.text.contains("Previously"))
        before.room = ""
        letter.previous = before
        #expect(try self.parts(letter).text.contains("The room is ready."))
    }

    @Test("the reader's own country comes first among the numbers, and more than five stay on the join page")
    func numbers() throws {
        var letter = try Self.letter(zone: "Asia/Tokyo")
        let countries = ["DE", "US", "FR", "ES", "GB", "JP"]
        letter.booking.meeting.room?.dialIn = countries.map { DialIn(country: $0, number: "+49 30 9018201", pin: nil) }
        let text = try parts(letter).text
        let at = { (name: String) in text.range(of: name)?.lowerBound ?? text.endIndex }
        #expect(at("Japan") < at("Germany") && at("Germany") < at("Spain"))
        #expect(!text.contains("United Kingdom") && text.contains("More numbers: https://usher.example/join/token"))
    }

    @Test("a reader of German gets German")
    func german() throws {
        let parts = try parts(Self.letter(zone: "Europe/Berlin", language: "de"))
        #expect(parts.text.contains("Ihr Termin ist bestätigt"))
        #expect(parts.text.contains("Dienstag, 1. Dezember 2026"))
    }

    @Test("no value can break out of HTML, headers or iCalendar lines")
    func hostile() throws {
        let evil = "<script>x</script>\"'{{joinPage}}, ;\\ Bcc: a@b.example"
        let letter = try Self.letter(title: evil, name: evil, reader: .owner, note: "line\r\nBEGIN:VEVENT <b>")
        let parts = try parts(letter)
        #expect(!parts.html.contains("<script>"))
        #expect(!parts.html.contains("<b>"))
        #expect(!parts.calendar.contains("\nBEGIN:VEVENT <b>"))
        #expect(parts.text.contains(evil))
        let head = String(decoding: try MailRenderer().mail(letter).bytes, as: UTF8.self).split(separator: "\r\n\r\n")[0]
        #expect(!head.contains("\nBcc"))
    }

    @Test("calendar lines are folded by octets at the border of characters")
    func folding() throws {
        let calendar = try parts(Self.letter(title: String(repeating: "ß🎉日本", count: 40))).calendar
        #expect(calendar.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 75 })
        #expect(calendar.replacing("\r\n ", with: "").contains(String(repeating: "ß🎉日本", count: 40)))
    }

    @Test("an invitation names its reader; the owner's event is a plain one")
    func methods() throws {
        #expect(try parts(Self.letter()).calendar.contains("METHOD:REQUEST\r\n"))
        #expect(try parts(Self.letter()).calendar.replacing("\r\n ", with: "").contains("mailto:bo@example.org"))
        let owner = try parts(Self.letter(reader: .owner)).calendar
        #expect(owner.contains("METHOD:PUBLISH\r\n"))
        #expect(!owner.contains("ATTENDEE"))
        let cancelled = try parts(Self.letter(kind: .cancellation))
        #expect(
            cancelled.calendar.contains("METHOD:CANCEL\r\n") && cancelled.calendar.contains("STATUS:CANCELLED")
                && cancelled.calendar.contains("SEQUENCE:1"))
        #expect(!cancelled.text.contains("https://meet"))
    }

    @Test("without a room the mail leads to the join page")
    func late() throws {
        var letter = try Self.letter()
        letter.booking.meeting.room = nil
        let parts = try parts(letter)
        #expect(parts.text.contains("not ready yet"))
        #expect(parts.text.contains("https://usher.example/join/token"))
        #expect(parts.calendar.contains("LOCATION:https://usher.example/join/token"))
    }

    @Test("quoted-printable lines stay within 76 characters and carry every byte")
    func quoted() throws {
        let bytes = try MailRenderer().mail(Self.letter(title: String(repeating: "é", count: 190))).bytes
        #expect(String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").allSatisfy { $0.utf8.count <= 78 })
        #expect(!bytes.contains { $0 > 126 })
    }

    @Test("whatever a text holds, its quoted-printable lines are short, end in nothing invisible, and read back as the text")
    func quotedReadBack() {
        var generator = SystemRandomNumberGenerator()
        let pieces = ["a", "word ", " ", "\t", "\n", ".", "From ", "=", "é", "日本", "x".repeated(70), "é".repeated(200), "🙂"]
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 0...30, using: &generator)).map { _ in pieces.randomElement(using: &generator)! }.joined()
            let lines = String(decoding: quotedPrintable(Array(text.utf8)), as: UTF8.self).components(separatedBy: "\r\n")
            for line in lines {
                #expect(line.utf8.count <= 76)
                #expect(![" ", "\t"].contains(line.suffix(1)) && !line.hasPrefix("."))
            }
            let whole = lines.map { $0.hasSuffix("=") ? String($0.dropLast()) : $0 + "\n" }.joined()
            let read = whole.dropLast().replacing("=", with: "%").removingPercentEncoding
            #expect(read == text || read == text + "\n", "\(text)")
        }
    }
}

extension String {
    fileprivate func repeated(_ count: Int) -> String { String(repeating: self, count: count) }
}

enum MailCases {
    /// The hour before a change of the clocks, and the hour after it.
    static let changes: [(zone: String, start: String, shown: String, offset: String)] = [
        ("America/New_York", "2027-03-14T06:00:00Z", "1:00 – 1:30 AM", "UTC−05:00"),
        ("America/New_York", "2027-03-14T07:00:00Z", "3:00 – 3:30 AM", "UTC−04:00"),
        ("America/New_York", "2027-11-07T05:00:00Z", "1:00 – 1:30 AM", "UTC−04:00"),
        ("America/New_York", "2027-11-07T06:00:00Z", "1:00 – 1:30 AM", "UTC−05:00"),
        ("Europe/Berlin", "2027-03-28T00:00:00Z", "01:00 – 01:30", "UTC+01:00"),
        ("Europe/Berlin", "2027-03-28T01:00:00Z", "03:00 – 03:30", "UTC+02:00"),
        ("Europe/Berlin", "2027-10-31T00:00:00Z", "02:00 – 02:30", "UTC+02:00"),
        ("Europe/Berlin", "2027-10-31T01:00:00Z", "02:00 – 02:30", "UTC+01:00"),
        ("Australia/Lord_Howe", "2027-10-02T15:00:00Z", "1:30 am (UTC+10:30) – 2:30 am (UTC+11:00)", "UTC+10:30"),
        ("Australia/Lord_Howe", "2027-10-02T15:30:00Z", "2:30 – 3:00 am", "UTC+11:00"),
        ("Australia/Lord_Howe", "2027-04-03T14:30:00Z", "1:30 am (UTC+11:00) – 1:30 am (UTC+10:30)", "UTC+11:00"),
        ("Australia/Lord_Howe", "2027-04-03T15:00:00Z", "1:30 – 2:00 am", "UTC+10:30"),
        ("Asia/Kolkata", "2027-03-14T06:00:00Z", "11:30 AM – 12:00 PM", "UTC+05:30"),
        ("Asia/Kathmandu", "2027-03-14T06:00:00Z", "11:45 – 12:15", "UTC+05:45"),
    ]

    /// What nobody should write, and somebody does.
    static let hostile = [
        "a\r\nBcc: x@evil.example", "\"><img src=x onerror=alert(1)>", "{{joinPage}} {{{title}}} {{#hasRoom}}",
        "\u{202E}drowssap\u{202C} \u{2067}x",
        "🎉👩‍👩‍👧‍👦 ünï", "=?utf-8?B?QmNj?=", "Subject: x", "BEGIN:VEVENT\nEND:VCALENDAR", "; CN=\"x\", \\n , :", "<b>&amp;</b>",
        "{owner.name} {title}",
        "\u{0}\u{7}\u{1B}[31m", String(repeating: "wörld ", count: 830), ".", "From here", "\u{2028}line\u{2029}",
    ]
}
