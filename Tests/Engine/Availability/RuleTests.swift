import Foundation
import Testing
import UsherAvailability
import UsherCore

/// The rules by hand, with times as people write them.
@Suite(.timeLimit(.minutes(1)))
struct RuleTests {
    /// The starts of slots on some dates.
    private func starts(
        _ zoneName: String, _ dates: String, _ windows: [String], length: Int64, step: Int64? = nil, busy: [Busy] = [],
        buffer: SlotBuffer = SlotBuffer(), earliest: Instant = .epoch, horizonEnd: Instant = .never, counted: [CountedMeetings] = []
    ) throws -> [String] {
        let zone = try #require(TimeZone(iana: zoneName))
        let parts = dates.split(separator: " ")
        let (first, last) = (try #require(CalendarDate(String(parts[0]))), try #require(CalendarDate(String(parts[parts.count - 1]))))
        let schedule = Schedule(
            name: "s", weekly: Array(repeating: [], count: 7),
            exceptions: [Schedule.Exception(first: first, last: last, windows: windows.compactMap { Schedule.Window($0) })])
        let days = LocalDays(zone, covering: Interval(first.midnight.asUTC, last.midnight.asUTC + .days(1)))
        let range = Interval(days.instant(first, minutes: 0), days.instant(last + 2, minutes: 0))
        let host = HostAvailability(
            HostQuestion(
                hours: OpenHours(schedule, days, in: range), days: days, step: .minutes(step ?? length), buffer: buffer, earliest: earliest,
                horizonEnd: horizonEnd, busy: busy, counted: counted),
            length: .minutes(length), in: range)
        return host.slots(in: range).map { String($0.rfc3339.dropFirst(8).prefix(8)) }
    }

    private func at(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

    @Test(
        "windows are wall time, whatever the clocks do that day",
        arguments: [
            ("Europe/Berlin", "2026-10-23", ["09:00-12:00"], 60, "23T07:00 23T08:00 23T09:00"),
            ("Europe/Berlin", "2026-10-26", ["09:00-12:00"], 60, "26T08:00 26T09:00 26T10:00"),
            ("Europe/Berlin", "2026-03-29", ["01:00-04:00"], 30, "29T00:00 29T00:30 29T01:00 29T01:30"),
            ("Europe/Berlin", "2026-03-29", ["02:30-05:00"], 60, "29T01:00 29T02:00"),
            ("Europe/Berlin", "2026-03-29", ["02:00-03:00"], 30, ""),
            ("Europe/Berlin", "2026-10-25", ["01:00-04:00"], 60, "24T23:00 25T00:00 25T01:00 25T02:00"),
            ("Europe/Berlin", "2026-03-28", ["22:00-04:00"], 60, "28T21:00 28T22:00 28T23:00 29T00:00 29T01:00"),
            ("Europe/Berlin", "2026-10-24", ["22:00-04:00"], 60, "24T20:00 24T21:00 24T22:00 24T23:00 25T00:00 25T01:00 25T02:00"),
            ("America/New_York", "2026-03-08", ["13:00-18:00"], 60, "08T17:00 08T18:00 08T19:00 08T20:00 08T21:00"),
            ("America/New_York", "2026-11-01", ["00:00-04:00"], 60, "01T04:00 01T05:00 01T06:00 01T07:00 01T08:00"),
            ("Australia/Lord_Howe", "2026-04-05", ["01:00-04:00"], 60, "04T14:00 04T15:00 04T16:00"),
            ("Australia/Lord_Howe", "2026-10-04", ["01:00-04:00"], 60, "03T14:30 03T15:30"),
            ("Asia/Kathmandu", "2026-10-23", ["09:00-11:00"], 60, "23T03:15 23T04:15"),
            ("Pacific/Apia", "2011-12-29", ["09:00-11:00"], 60, "29T19:00 29T20:00"),
            ("Pacific/Apia", "2011-12-30", ["09:00-11:00"], 60, ""),
            ("Pacific/Apia", "2011-12-31", ["09:00-11:00"], 60, "30T19:00 30T20:00"),
        ])
    func wallTime(zone: String, date: String, windows: [String], length: Int, expected: String) throws {
        let found = try starts(zone, date, windows, length: Int64(length)).map { String($0) }
        #expect(found.joined(separator: " ") == expected)
    }

    @Test("a window may pass midnight, and belongs to its first date")
    func pastMidnight() throws {
        #expect(try starts("UTC", "2026-10-23", ["22:30-02:00"], length: 60, step: 30).count == 6)
    }

    @Test("midnight itself may be skipped")
    func skippedMidnight() throws {
        for (zone, date, start) in [
            ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"), ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z"),
        ] {
            let (zone, date) = (try #require(TimeZone(iana: zone)), try #require(CalendarDate(date)))
            let days = LocalDays(zone, covering: Interval(date.midnight.asUTC, date.midnight.asUTC + .days(1)))
            #expect(days.instant(date, minutes: 0).rfc3339 == start)
            #expect(days.instant(date + 1, minutes: 0) - days.instant(date, minutes: 0) == .hours(23))
        }
    }

    @Test("an interval ends before its end")
    func halfOpen() throws {
        let busy = [Busy(Interval(try at("2026-10-23T12:50:00Z"), try at("2026-10-23T13:50:00Z")), .calendar)]
        let found = try starts("UTC", "2026-10-23", ["12:00-15:00"], length: 30, step: 10, busy: busy)
        #expect(found.contains("23T12:20") && !found.contains("23T12:30") && !found.contains("23T13:40") && found.contains("23T13:50"))
    }

    @Test("the grid begins with the window, and neither notice nor what is busy moves it")
    func grid() throws {
        let busy = [Busy(Interval(try at("2026-10-23T10:05:00Z"), try at("2026-10-23T10:10:00Z")), .calendar)]
        let around = try starts("UTC", "2026-10-23", ["09:00-12:00"], length: 30, busy: busy)
        #expect(around == ["23T09:00", "23T09:30", "23T10:30", "23T11:00", "23T11:30"])
        let two = try starts("UTC", "2026-10-23", ["08:00-12:00", "12:30-17:30"], length: 60)
        #expect(two == ["23T08:00", "23T09:00", "23T10:00", "23T11:00", "23T12:30", "23T13:30", "23T14:30", "23T15:30", "23T16:30"])
        let late = try starts("UTC", "2026-10-23", ["09:00-17:00"], length: 30, earliest: try at("2026-10-23T12:07:00Z"))
        #expect(late.first == "23T12:30")
    }

    @Test(
        "no grid depends on where a question begins, though hours go on without end",
        arguments: [["00:00-24:00"], ["02:00-20:00", "20:00-02:00"], ["00:00-12:00", "12:00-24:00"]])
    func endless(windows: [String]) throws {
        let zone = try #require(TimeZone(iana: "Europe/Berlin"))
        let schedule = Schedule(name: "s", weekly: Array(repeating: windows.compactMap { Schedule.Window($0) }, count: 7))
        func slots(_ from: Instant, _ to: Instant) throws -> [Instant] {
            let range = Interval(from, to)
            let days = LocalDays(zone, covering: range)
            let hours = OpenHours(schedule, days, in: range)
            let host = HostAvailability(
                HostQuestion(hours: hours, days: days, step: .minutes(50), earliest: .epoch, horizonEnd: .never), length: .minutes(50),
                in: range)
            let found = host.slots(in: range)
            #expect(found.allSatisfy { host.reasons(against: $0).isEmpty })
            return found
        }
        let whole = try slots(at("2026-10-20T00:00:00Z"), at("2026-11-10T00:00:00Z"))
        for start in whole {
            #expect(try slots(start, start + .microseconds(1)) == [start])
            #expect(try slots(start + .minutes(10), start + .minutes(11)).isEmpty || whole.contains(start + .minutes(10)))
        }
        // Each date begins anew at its midnight, or where its hours begin.
        #expect(Set(whole.map { WallTime($0, in: zone).text.dropFirst(11) }).contains(windows[0].prefix(5) + ":00"))
        let later = try at("2026-11-01T07:00:00Z")
        #expect(try slots(later, at("2026-11-10T00:00:00Z")) == whole.filter { $0 >= later })
    }

    @Test("durations and step are separate, and the last start leaves the meeting its time")
    func durations() throws {
        let found = try starts("UTC", "2026-10-23", ["09:00-10:30"], length: 45, step: 15)
        #expect(found == ["23T09:00", "23T09:15", "23T09:30", "23T09:45"])
    }

    @Test("of two buffers that meet the larger counts, not their sum")
    func buffers() throws {
        let existing = Busy(
            Interval(try at("2026-10-23T10:00:00Z"), try at("2026-10-23T10:30:00Z")), .booking(SlotBuffer(after: .minutes(10))))
        let found = try starts(
            "UTC", "2026-10-23", ["10:00-12:00"], length: 30, step: 15, busy: [existing], buffer: SlotBuffer(before: .minutes(15)))
        #expect(found.first == "23T10:45")
    }

    @Test("a horizon's last day is whole, in the host's zone")
    func horizon() throws {
        let zone = try #require(TimeZone(iana: "Europe/Berlin"))
        let now = try at("2026-10-23T22:30:00Z")
        let days = LocalDays(zone, covering: Interval(now, now + .days(5)))
        #expect(HostQuestion.horizonEnd(2, from: now, days).rfc3339 == "2026-10-26T23:00:00Z")
    }

    @Test("limits count by the host's day and by whole ISO weeks")
    func limits() throws {
        let one = CountedMeetings(SlotLimits(day: 1), [.init(start: try at("2023-11-05T22:00:00Z"), length: .minutes(30))])
        let brisbane = try starts("Australia/Brisbane", "2023-11-05 2023-11-07", ["08:00-09:00"], length: 60, counted: [one])
        #expect(brisbane == ["04T22:00", "06T22:00"])
        let weekly = CountedMeetings(SlotLimits(week: 1), [.init(start: try at("2023-07-31T08:00:00Z"), length: .minutes(30))])
        let week = try starts("UTC", "2023-07-31 2023-08-08", ["08:00-09:00"], length: 60, counted: [weekly])
        #expect(week == ["07T08:00", "08T08:00"])
        let minutes = CountedMeetings(SlotLimits(dayMinutes: 120), [.init(start: try at("2026-10-23T08:00:00Z"), length: .minutes(90))])
        #expect(try !starts("UTC", "2026-10-23", ["10:00-11:00"], length: 30, counted: [minutes]).isEmpty)
        #expect(try starts("UTC", "2026-10-23", ["10:00-11:00"], length: 45, counted: [minutes]).isEmpty)
    }

    @Test("an exception replaces the windows that begin on its date, and last night's tail stays")
    func exceptions() throws {
        let zone = try #require(TimeZone(iana: "Europe/Berlin"))
        let night = try #require(Schedule.Window("22:00-02:00"))
        let holiday = try #require(CalendarDate("2026-12-24"))
        let schedule = Schedule(
            name: "s", weekly: Array(repeating: [night], count: 7),
            exceptions: [Schedule.Exception(first: holiday, last: holiday, windows: [try #require(Schedule.Window("10:00-12:00"))])])
        let range = Interval(try at("2026-12-23T20:00:00Z"), try at("2026-12-25T20:00:00Z"))
        let hours = OpenHours(schedule, LocalDays(zone, covering: range), in: range)
        let windows = hours.windows.map(\.interval).filter { $0.overlaps(range) }.map {
            "\($0.start.rfc3339.dropFirst(8)) \($0.end.rfc3339.dropFirst(8))"
        }
        #expect(windows == ["23T21:00:00Z 24T01:00:00Z", "24T09:00:00Z 24T11:00:00Z"])
    }

    @Test("an exception is open in spite of the file of days that are closed, which moves no grid")
    func closedBy() throws {
        let zone = try #require(TimeZone(iana: "UTC"))
        let (date, next) = (try #require(CalendarDate("2026-12-24")), try #require(CalendarDate("2026-12-25")))
        let schedule = Schedule(
            name: "s", weekly: Array(repeating: [try #require(Schedule.Window("09:00-12:00"))], count: 7),
            exceptions: [Schedule.Exception(first: date, last: date, windows: [try #require(Schedule.Window("10:00-12:00"))])])
        let range = Interval(date.midnight.asUTC, (next + 1).midnight.asUTC)
        let days = LocalDays(zone, covering: range)
        let closures = [Interval(date.midnight.asUTC, next.midnight.asUTC + .minutes(9 * 60 + 50))]
        let host = HostAvailability(
            HostQuestion(
                hours: OpenHours(schedule, days, in: range, closures: closures), days: days, step: .minutes(30), earliest: .epoch,
                horizonEnd: .never), length: .minutes(30), in: range)
        #expect(
            host.slots(in: range).map { $0.rfc3339.dropFirst(8).prefix(8) } == [
                "24T10:00", "24T10:30", "24T11:00", "24T11:30", "25T10:00", "25T10:30", "25T11:00", "25T11:30",
            ])
        #expect(host.reasons(against: try at("2026-12-25T09:30:00Z")) == [.outsideHours])
    }

    @Test("where two schedules meet, each window of the intersection has a grid of its own")
    func intersection() throws {
        func hours(_ from: String, _ to: String) throws -> OpenHours {
            OpenHours(windows: [OpenWindow(Interval(try at(from), try at(to)))])
        }
        let both = try hours("2026-10-23T09:00:00Z", "2026-10-23T12:00:00Z").intersection(
            hours("2026-10-23T09:15:00Z", "2026-10-23T12:00:00Z"))
        let range = Interval(try at("2026-10-23T00:00:00Z"), try at("2026-10-24T00:00:00Z"))
        let host = HostAvailability(
            HostQuestion(
                hours: both, days: LocalDays(try #require(TimeZone(iana: "UTC")), covering: range), step: .minutes(60), earliest: .epoch,
                horizonEnd: .never), length: .minutes(60), in: range)
        #expect(host.slots(in: range).map { $0.rfc3339.dropFirst(11).prefix(5) } == ["09:15", "10:15"])
    }

    @Test("every reason is told, and one that no rule of time knows is told alone")
    func reasons() throws {
        let range = Interval(try at("2026-10-23T00:00:00Z"), try at("2026-10-24T00:00:00Z"))
        let days = LocalDays(try #require(TimeZone(iana: "UTC")), covering: range)
        let meeting = Interval(try at("2026-10-23T10:00:00Z"), try at("2026-10-23T10:30:00Z"))
        let full = CountedMeetings(SlotLimits(day: 1), [.init(start: meeting.start, length: .minutes(30))])
        func answer(_ hours: OpenHours?, _ start: Instant) -> [Unavailability] {
            HostAvailability(
                HostQuestion(
                    hours: hours, days: days, step: .minutes(30), earliest: meeting.start + .hours(1),
                    horizonEnd: meeting.start - .hours(1),
                    busy: [
                        Busy(meeting, .booking(SlotBuffer())), Busy(meeting, .hold(SlotBuffer())), Busy(meeting, .calendar),
                        Busy(meeting, .unknown), Busy(meeting, .capacity),
                    ], counted: [full]), length: .minutes(30), in: range
            ).reasons(against: start)
        }
        #expect(Set(answer(nil, meeting.start)) == Set(Unavailability.allCases).subtracting([.outsideHours, .notOnGrid]))
        let open = OpenHours(windows: [OpenWindow(Interval(meeting.start - .minutes(10), meeting.end))])
        #expect(Set(answer(open, meeting.start)) == Set(Unavailability.allCases).subtracting([.outsideHours, .noSchedule]))
        #expect(Set(answer(open, meeting.start + .minutes(1))).contains(.outsideHours))
    }

    @Test("an account holds no more than it can at any instant")
    func capacity() throws {
        func interval(_ from: Int64, _ to: Int64) -> Interval { Interval(Instant(seconds: from), Instant(seconds: to)) }
        // Two short ones inside a long one are never three at once.
        let meetings = [interval(0, 100), interval(10, 20), interval(30, 40)]
        #expect(meetings.times(when: 1) == [interval(0, 100)])
        #expect(meetings.times(when: 2) == [interval(10, 20), interval(30, 40)])
        #expect(meetings.times(when: 3).isEmpty)
        #expect([interval(0, 10), interval(10, 20)].times(when: 2).isEmpty)
    }

    @Test("a pool takes turns by weight, then by who has waited longest, then by id")
    func turns() {
        func turns(_ weights: [(String, Int)], _ count: Int) -> String {
            var hosts = weights.map { Pool.Host(id: $0.0, weight: $0.1, count: 0, lastAssigned: nil) }
            return (0..<count).map { turn in
                let next = Pool.next(of: hosts)!.id
                let index = hosts.firstIndex { $0.id == next }!
                hosts[index].count += 1
                hosts[index].lastAssigned = Instant(seconds: Int64(turn) + 1)
                return next
            }.joined()
        }
        #expect(turns([("A", 2), ("B", 1)], 9) == "ABAABAABA")
        #expect(turns([("A", 1), ("B", 1), ("C", 1)], 6) == "ABCABC")
    }

    @Test("a pool's slots are the union of its hosts', each with how many are free")
    func union() {
        let (one, two, three) = (Instant(seconds: 0), Instant(seconds: 300), Instant(seconds: 600))
        #expect(
            Pool.union([[one, two], [two, three]]) == [
                .init(start: one, free: 1), .init(start: two, free: 2), .init(start: three, free: 1),
            ])
        #expect(Pool.union([[], []]).isEmpty)
        #expect(Pool.union([[one], [one + .seconds(1)]]).count == 2)
    }

    @Test("a window is written as people write hours, and nothing else is taken for one")
    func written() {
        #expect(Schedule.Window("22:00-02:00") == Schedule.Window(from: 1_320, to: 1_560))
        #expect(Schedule.Window("20:00-24:00") == Schedule.Window(from: 1_200, to: 1_440))
        for wrong in ["9:00-10:00", "09:00", "09:00-25:00", "24:00-02:00", "09:00-09:00", "09:60-10:00", "09:00–10:00", "a-b", ""] {
            #expect(Schedule.Window(wrong) == nil, "\(wrong)")
        }
    }
}
