import Calendars
import Foundation
import Testing
import UsherCore

/// Events as calendars write them, and when their owner is busy with them.
@Suite(.timeLimit(.minutes(3)))
struct CalendarTextTests {
    /// An event's lines, and the busy times in November 2026 that follow, in UTC.
    struct Vector: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var lines: String
        var busy: [String]
        init(_ name: String, _ lines: String, _ busy: String...) { (testDescription, self.lines, self.busy) = (name, lines, busy) }
    }

    static let vectors = [
        Vector(
            "a week's meeting, one left out and one moved",
            """
            BEGIN:VEVENT
            UID:a
            DTSTART;TZID=Europe/Berlin:20261102T100000
            DTEND;TZID=Europe/Berlin:20261102T110000
            RRULE:FREQ=WEEKLY;COUNT=4
            EXDATE;TZID=Europe/Berlin:20261109T100000
            END:VEVENT
            BEGIN:VEVENT
            UID:a
            RECURRENCE-ID;TZID=Europe/Berlin:20261116T100000
            DTSTART;TZID=Europe/Berlin:20261117T150000
            DTEND;TZID=Europe/Berlin:20261117T160000
            END:VEVENT
            """, "11-02T09:00/10:00", "11-17T14:00/15:00", "11-23T09:00/10:00"),
        Vector(
            "an occurrence that is cancelled by itself",
            """
            BEGIN:VEVENT
            UID:a
            DTSTART:20261102T100000Z
            DURATION:PT1H
            RRULE:FREQ=DAILY;COUNT=2
            END:VEVENT
            BEGIN:VEVENT
            UID:a
            RECURRENCE-ID:20261103T100000Z
            DTSTART:20261103T100000Z
            DURATION:PT1H
            STATUS:CANCELLED
            END:VEVENT
            """, "11-02T10:00/11:00"),
        Vector(
            "this and all that follow are an hour later and shorter",
            """
            BEGIN:VEVENT
            UID:a
            DTSTART:20261102T100000Z
            DURATION:PT1H
            RRULE:FREQ=DAILY;COUNT=4
            END:VEVENT
            BEGIN:VEVENT
            UID:a
            RECURRENCE-ID;RANGE=THISANDFUTURE:20261104T100000Z
            DTSTART:20261104T110000Z
            DURATION:PT30M
            END:VEVENT
            """, "11-02T10:00/11:00", "11-03T10:00/11:00", "11-04T11:00/11:30", "11-05T11:00/11:30"),
        Vector(
            "a whole day is the owner's day", "BEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20261104\nEND:VEVENT", "11-03T23:00/11-04T23:00"),
        Vector(
            "an end that is a date is not a part of it",
            "BEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20261104\nDTEND;VALUE=DATE:20261106\nEND:VEVENT", "11-03T23:00/11-05T23:00"),
        Vector(
            "a time without a zone is the owner's time",
            "BEGIN:VEVENT\nUID:a\nDTSTART:20261104T090000\nDTEND:20261104T100000\nEND:VEVENT", "11-04T08:00/09:00"),
        Vector(
            "a zone by Windows' name",
            "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=W. Europe Standard Time:20261105T090000\nDURATION:PT1H\nEND:VEVENT", "11-05T08:00/09:00"),
        Vector(
            "a zone at the end of a path",
            "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=/mozilla.org/20070129_1/America/New_York:20261105T090000\nDURATION:PT1H\nEND:VEVENT",
            "11-05T14:00/15:00"),
        Vector(
            "a zone that only the calendar describes",
            """
            BEGIN:VTIMEZONE
            TZID:Somewhere
            BEGIN:STANDARD
            DTSTART:19700101T000000
            TZOFFSETFROM:+0300
            TZOFFSETTO:+0300
            END:STANDARD
            END:VTIMEZONE
            BEGIN:VEVENT
            UID:a
            DTSTART;TZID=Somewhere:20261105T090000
            DURATION:PT1H
            END:VEVENT
            """, "11-05T06:00/07:00"),
        Vector(
            "a name beats rules that are wrong",
            """
            BEGIN:VTIMEZONE
            TZID:Europe/Berlin
            BEGIN:STANDARD
            DTSTART:19700101T000000
            TZOFFSETFROM:+0900
            TZOFFSETTO:+0900
            END:STANDARD
            END:VTIMEZONE
            BEGIN:VEVENT
            UID:a
            DTSTART;TZID=Europe/Berlin:20261105T090000
            DURATION:PT1H
            END:VEVENT
            """, "11-05T08:00/09:00"),
        Vector("a transparent one is free", "BEGIN:VEVENT\nUID:a\nDTSTART:20261105T090000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT\nEND:VEVENT"),
        Vector("a cancelled one is free", "BEGIN:VEVENT\nUID:a\nDTSTART:20261105T090000Z\nDURATION:PT1H\nSTATUS:CANCELLED\nEND:VEVENT"),
        Vector(
            "a tentative one is busy",
            "BEGIN:VEVENT\nUID:a\nDTSTART:20261105T090000Z\nDURATION:PT1H\nSTATUS:TENTATIVE\nEND:VEVENT", "11-05T09:00/10:00"),
        Vector(
            "what the owner has declined is free",
            "BEGIN:VEVENT\nUID:a\nDTSTART:20261105T090000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=DECLINED:mailto:Ana@Northwind.example\nEND:VEVENT"
        ),
        Vector(
            "what somebody else has declined is busy",
            "BEGIN:VEVENT\nUID:a\nDTSTART:20261105T090000Z\nDURATION:PT1H\nATTENDEE;PARTSTAT=DECLINED:mailto:bo@northwind.example\nEND:VEVENT",
            "11-05T09:00/10:00"),
        Vector("a moment takes no time", "BEGIN:VEVENT\nUID:a\nDTSTART:20261105T090000Z\nEND:VEVENT"),
        Vector(
            "further times, one with a length of its own",
            "BEGIN:VEVENT\nUID:a\nDTSTART:20261105T090000Z\nDURATION:PT1H\nRDATE:20261106T090000Z\nRDATE;VALUE=PERIOD:20261107T090000Z/PT2H\nEND:VEVENT",
            "11-05T09:00/10:00", "11-06T09:00/10:00", "11-07T09:00/11:00"),
        Vector(
            "one that began before, and lasts into the time asked for",
            "BEGIN:VEVENT\nUID:a\nDTSTART:20261031T220000Z\nDTEND:20261101T030000Z\nEND:VEVENT", "10-31T22:00/11-01T03:00"),
        Vector(
            "a series of days ends with the day that it names",
            "BEGIN:VEVENT\nUID:a\nDTSTART:20261105T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261106\nEND:VEVENT",
            "11-05T09:00/10:00",
            "11-06T09:00/10:00"),
    ]

    private func read(_ text: String, timeZone: String = "Europe/Berlin") async throws -> [BusyEvent] {
        try await CalendarText.read(
            [Array(text.utf8)], from: Instant(rfc3339: "2026-11-01T00:00:00Z")!, to: Instant(rfc3339: "2026-12-01T00:00:00Z")!,
            timeZone: timeZone, addresses: ["ana@northwind.example"]
        ).events
    }

    private func calendar(_ lines: String) -> String {
        (["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"] + lines.split(separator: "\n").map(String.init) + ["END:VCALENDAR", ""])
            .joined(separator: "\r\n")
    }

    @Test("an event takes the time that its calendar says", arguments: vectors)
    func vector(_ vector: Vector) async throws {
        let busy = try await read(calendar(vector.lines)).map { event in
            let (start, end) = (event.start.rfc3339.dropFirst(5).prefix(11), event.end.rfc3339.dropFirst(5).prefix(11))
            return "\(start)/\(start.prefix(5) == end.prefix(5) ? end.suffix(5) : end)"
        }
        #expect(busy.sorted() == vector.busy)
    }

    @Test("of a time that a change repeats the first counts, and a time that it skips is the moment of the change")
    func changes() async throws {
        let lines = "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Berlin:20260328T023000\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT"
        func starts(_ from: String, _ to: String) async throws -> [String] {
            try await CalendarText.read(
                [Array(calendar(lines).utf8)], from: Instant(rfc3339: from)!, to: Instant(rfc3339: to)!, timeZone: "UTC", addresses: []
            ).events.map(\.start.rfc3339)
        }
        #expect(try await starts("2026-03-29T00:30:00Z", "2026-03-29T20:00:00Z") == ["2026-03-29T01:00:00Z"])
        #expect(try await starts("2026-10-24T20:00:00Z", "2026-10-25T20:00:00Z") == ["2026-10-25T00:30:00Z"])
    }

    @Test(
        "what cannot be read to its end is an error, and never an empty calendar",
        arguments: [
            "", "<html>Sign in</html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20261105T090000Z",
            "EVENT\nDTSTART:20261105T090000Z\nDURATION:PT1H\nRRULE:FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
            "EVENT\nDTSTART:20261105T090000Z\nDURATION:PT1H\nRRULE:FREQ=SOMETIMES", "EVENT\nDTSTART:yesterday\nDURATION:PT1H",
        ])
    func unreadable(_ text: String) async throws {
        let whole = text.hasPrefix("EVENT") ? calendar("BEGIN:VEVENT\nUID:a" + text.dropFirst(5) + "\nEND:VEVENT") : text
        await #expect(throws: CalendarProblem.self) { try await read(whole) }
    }

    @Test("a rule that cannot be followed matters not where it has ended, or takes no time")
    func endedRule() async throws {
        let rule = "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1"
        let event = "BEGIN:VEVENT\nUID:a\nDTSTART:20150105T090000Z\nDURATION:PT1H\n\(rule)%\nEND:VEVENT"
        #expect(try await read(calendar(event.replacing("%", with: ";UNTIL=20151231T000000Z"))).isEmpty)
        #expect(try await read(calendar(event.replacing("%", with: "\nTRANSP:TRANSPARENT"))).isEmpty)
        await #expect(throws: CalendarProblem.self) { try await read(calendar(event.replacing("%", with: ""))) }
    }

    @Test("ten thousand rules that never come true end within seconds, as an error")
    func bomb() async throws {
        let event = "BEGIN:VEVENT\nUID:%\nDTSTART:19700105T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n"
        let lines = (0..<10_000).map { event.replacing("%", with: "\($0)") }.joined()
        let began = ContinuousClock.now
        await #expect(throws: CalendarProblem.self) { try await read(calendar(lines)) }
        #expect(ContinuousClock.now - began < .seconds(60))
    }

    private struct Case: Decodable {
        var seed: Int
        var calendar: String
        var from: Int64
        var to: Int64
        var starts: [Int64]
    }

    @Test("two thousand seeded rules recur as python-dateutil says")
    func oracle() async throws {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../System/Scripts/recurrences.py"
        let python = Process()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        python.arguments = [script, "1", "2000"]
        let output = Pipe()
        python.standardOutput = output
        try python.run()
        let lines = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2_000)
        var wrong: [String] = []
        for line in lines {
            let one = try JSONDecoder().decode(Case.self, from: Data(line.utf8))
            let read: [Int64]
            do throws(CalendarProblem) {
                read = try await CalendarText.read(
                    [Array(one.calendar.utf8)], from: Instant(seconds: one.from), to: Instant(seconds: one.to), timeZone: "UTC",
                    addresses: []
                ).events.map(\.start.seconds).sorted()
            } catch {
                wrong.append("\(one.seed): \(error.reason)\n\(one.calendar)")
                continue
            }
            if read != one.starts {
                let (more, less) = (Set(read).subtracting(one.starts), Set(one.starts).subtracting(read))
                wrong.append("\(one.seed): more \(more.sorted().prefix(5)), less \(less.sorted().prefix(5))\n\(one.calendar)")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(4).joined(separator: "\n"))")
    }
}
