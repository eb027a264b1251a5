import Foundation
import TestSupport
import Testing
import UsherCore
import UsherMail

@Suite(.timeLimit(.minutes(2)))
struct MailTests {
    static func letter(
        title: String = "Consultation", name: String = "Bo Li", zone: String = "America/New_York", language: String = "en",
        start: String = "2026-12-01T09:00:00Z", reader: Reader = .attendee(0), kind: Letter.Kind = .confirmation, note: String = ""
    ) throws -> Letter {
        let catalog = try TestEngine.catalog()
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
            attendees: [Attendee(name: name, email: "bo@example.org", timeZone: zone, language: language)], note: note, terms: terms,
            meeting: Meeting(status: .ready, provider: "room", module: "link", because: .siteDefault, room: room), changedAt: begin,
            createdAt: begin)
        return Letter(
            booking: booking, reader: reader, kind: kind, outboxID: "ml_1", messageID: "m1@northwind.example",
            threadID: kind == .confirmation ? nil : "m0@northwind.example", writtenAt: Instant(seconds: 1_795_507_200),
            joinPage: "https://usher.example/join/token")
    }

    private func parts(_ letter: Letter) throws -> MailRenderer.Parts { try MailRenderer().parts(letter) }

    @Test("the same letter gives the same bytes")
    func pure() throws {
        let letter = try Self.letter()
        #expect(try MailRenderer().mail(letter).bytes == MailRenderer().mail(letter).bytes)
    }

    @Test(
        "each reader reads the time in their own zone, on both sides of a change of the clocks",
        arguments: [
            ("2027-03-14T06:30:00Z", "America/New_York", "01:30 – 03:00", "Eastern Standard Time (UTC−05:00)"),
            ("2027-03-14T07:30:00Z", "America/New_York", "03:30 – 04:00", "Eastern Daylight Time (UTC−04:00)"),
            ("2027-03-28T00:30:00Z", "Europe/Berlin", "01:30 – 03:00", "Central European Standard Time (UTC+01:00)"),
            ("2027-10-31T01:30:00Z", "Europe/Berlin", "02:30 – 03:00", "Central European Standard Time (UTC+01:00)"),
            ("2026-12-01T09:00:00Z", "Asia/Kathmandu", "14:45 – 15:15", "Nepal Time (UTC+05:45)"),
            ("2026-12-01T09:00:00Z", "Australia/Lord_Howe", "20:00 – 20:30", "Lord Howe Daylight Time (UTC+11:00)"),
        ])
    func zones(start: String, zone: String, range: String, name: String) throws {
        var letter = try Self.letter(zone: zone, start: start)
        letter.booking.end = letter.booking.start + .minutes(30)
        let text = try parts(letter).text
        #expect(text.contains(range), "\(text)")
        #expect(text.contains(name), "\(text)")
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
}
