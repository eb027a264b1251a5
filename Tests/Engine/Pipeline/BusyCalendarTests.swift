import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherAvailability
import UsherCore
import UsherPipeline
import UsherStore

/// What owners' calendars say, and what it does to their slots. The clock stands at 2026-11-24T08:00Z, a Tuesday; Cleo's hours are 9 to
/// 12 in Berlin.
@Suite(.timeLimit(.minutes(2)))
struct BusyCalendarTests {
    private static let address = "https://calendar.northwind.example/secret/cleo.ics"

    private func at(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

    private func event(_ uid: String, _ start: String, hours: Int64 = 1) throws -> SandboxEvent {
        let start = try at(start)
        return SandboxEvent(uid: uid, start: start, end: start + .hours(hours))
    }

    private func file(_ events: SandboxEvent...) -> String { SandboxEvent.file(events, owner: "cleo@northwind.example") }

    private func engine(_ feed: any Transport, busy: String = "") async throws -> TestEngine {
        try await TestEngine(
            catalog: SlotTests.catalog.replacing("  default-provider: room\nproviders", with: "  default-provider: room\n\(busy)providers"),
            calendars: feed)
    }

    private func connect(_ engine: TestEngine) async throws -> ShownCalendar {
        let found = try await CalendarService(engine.context).connect(.init(kind: "ics", url: Self.address), owner: "cleo").value
        return try #require(found.first)
    }

    private func starts(_ engine: TestEngine, on day: String, owner: String = "cleo") async throws -> [String] {
        let from = try at("\(day)T00:00:00Z")
        return try await SlotService(engine.context).slots(
            .init(meetingType: "visit", owner: owner), from: from, to: from + .days(1), timeZone: nil
        ).slots.map { String($0.start.rfc3339.dropFirst(11).prefix(5)) }
    }

    private func reasons(_ engine: TestEngine, _ start: String) async throws -> [Unavailability] {
        try await SlotService(engine.context).explain(.init(meetingType: "visit", owner: "cleo"), start: try at(start))[0].reasons
    }

    private func book(_ engine: TestEngine, _ start: String, anyTime: Bool = false) async throws -> Booking {
        var request = TestEngine.request("visit", owner: "cleo", at: start)
        request.anyTime = anyTime
        return try await engine.service.book(request).value.booking
    }

    @Test("an event of a feed closes its slots and no others, and is passed over at any time")
    func busy() async throws {
        let feed = FeedSandbox(file(try event("x@y.example", "2026-12-01T09:00:00Z")), at: Self.address)
        let engine = try await engine(feed)
        #expect(try await connect(engine).state == .pending)
        #expect(try await reasons(engine, "2026-12-01T08:00:00Z") == [.calendarStale], "never read is closed")
        _ = try await engine.worker.pump()
        // Ten minutes after a visit are to be free, too.
        #expect(try await starts(engine, on: "2026-12-01") == ["08:00", "10:00", "10:30"])
        #expect(try await reasons(engine, "2026-12-01T09:30:00Z") == [.busyCalendar])
        await #expect(throws: UsherError.self) { try await book(engine, "2026-12-01T09:30:00Z") }
        #expect(try await book(engine, "2026-12-01T09:30:00Z", anyTime: true).start == at("2026-12-01T09:30:00Z"))
        let shown = try await CalendarService(engine.context).list(of: "cleo")
        #expect(
            shown.map(\.state) == [.fresh] && shown[0].calendar.name == "Ana" && shown[0].calendar.account == "calendar.northwind.example")
    }

    @Test("a calendar is read again by itself, whole only where it has changed, and no visitor waits for it")
    func again() async throws {
        let feed = FeedSandbox(file(), at: Self.address)
        let engine = try await engine(feed)
        _ = try await connect(engine)
        try await engine.run(for: .hours(2))
        let reads = feed.reads
        #expect(reads <= 2, "once to find it, once to read it")
        feed.publish(file(try event("x@y.example", "2026-12-01T09:00:00Z")))
        #expect(try await starts(engine, on: "2026-12-01").count == 6, "not on the visitor's path")
        try await engine.run(for: .minutes(20))
        #expect(try await starts(engine, on: "2026-12-01") == ["08:00", "10:00", "10:30"] && feed.reads == reads + 1)
    }

    @Test("an invitation of ours in the calendar is no second meeting, not even after its booking has moved or was cancelled")
    func own() async throws { try await own { booking, _ in booking.id } }

    @Test("an event that a provider's module made under a room's key is no second meeting either")
    func ownRoom() async throws {
        try await own { booking, engine in
            _ = try await engine.worker.pump()
            return try #require(try await engine.context.store.read { try $0.rooms(of: booking.id) }.last).key
        }
    }

    private func own(_ uid: (Booking, TestEngine) async throws -> String) async throws {
        let feed = FeedSandbox(file(), at: Self.address)
        let engine = try await engine(feed)
        _ = try await connect(engine)
        _ = try await engine.worker.pump()
        let booking = try await book(engine, "2026-12-01T09:00:00Z")
        feed.publish(file(try event("\(try await uid(booking, engine))@northwind.example", "2026-12-01T09:00:00Z")))
        try await engine.run(for: .minutes(20))
        let slots = try await starts(engine, on: "2026-12-01")
        _ = try await engine.service.reschedule(booking.id, to: "2026-12-01T09:30:00Z")
        #expect(!slots.contains("09:00"))
        _ = try await engine.service.cancel(booking.id)
        try await engine.run(for: .minutes(20))
        #expect(try await starts(engine, on: "2026-12-01").contains("09:00"))
    }

    @Test(
        "what was not heard of for too long is closed, or open where the site says so; the answer says it", arguments: ["closed", "open"])
    func stale(choice: String) async throws {
        let feed = FeedSandbox(file(try event("x@y.example", "2026-12-01T09:00:00Z")), at: Self.address)
        let engine = try await engine(feed, busy: "  busy: { max-age: 1h, when-stale: \(choice) }\n")
        _ = try await connect(engine)
        _ = try await engine.worker.pump()
        feed.setDown(true)
        try await engine.run(for: .minutes(50))
        #expect(try await starts(engine, on: "2026-12-01").contains("08:00"), "known for an hour")
        try await engine.run(for: .minutes(40))
        #expect(try await starts(engine, on: "2026-12-01").contains("08:00") == (choice == "open"))
        #expect(try await !starts(engine, on: "2026-12-01").contains("09:00"))
        let from = try at("2026-12-01T00:00:00Z")
        let calendars = try await SlotService(engine.context).slots(
            .init(meetingType: "visit", owner: "cleo"), from: from, to: from + .days(1), timeZone: nil
        ).calendars
        #expect(calendars.map(\.state) == [.failing] && calendars[0].owner == "cleo" && calendars[0].asOf != nil)
        feed.setDown(false)
        try await engine.run(for: .hours(1))
        #expect(try await starts(engine, on: "2026-12-01").contains("08:00"), "it mends itself")
    }

    @Test("an owner whose calendar cannot be read any more hears of it once, and webhooks do")
    func alert() async throws {
        let feed = FeedSandbox(file(), at: Self.address)
        let engine = try await engine(feed)
        _ = try await WebhookService(engine.context).create(url: "https://crm.example/hook", events: ["calendar.needs-attention"])
        _ = try await connect(engine)
        try await engine.run(for: .minutes(5))
        let before = engine.mailer.taken.count
        feed.setDown(true)
        try await engine.run(for: .hours(9))
        let mails = engine.mailer.taken.dropFirst(before)
        #expect(mails.count == 1 && mails.first?.recipient == "cleo@northwind.example")
        #expect(engine.receiver.types == ["calendar.needs-attention"])
    }

    @Test("a calendar that does not count closes nothing, and one that is removed is forgotten")
    func choice() async throws {
        let feed = FeedSandbox(file(try event("x@y.example", "2026-12-01T09:00:00Z")), at: Self.address)
        let engine = try await engine(feed)
        let service = CalendarService(engine.context)
        let id = try await connect(engine).calendar.id
        _ = try await engine.worker.pump()
        _ = try await service.setCounts(false, calendar: id, owner: "cleo")
        #expect(try await starts(engine, on: "2026-12-01").count == 6)
        _ = try await service.setCounts(true, calendar: id, owner: "cleo")
        #expect(try await starts(engine, on: "2026-12-01").count == 3)
        await #expect(throws: UsherError.self) { try await service.remove(id, owner: "dov") }
        try await service.remove(id, owner: "cleo")
        let left = try await service.list(of: "cleo")
        #expect(try await starts(engine, on: "2026-12-01").count == 6 && left.isEmpty)
        #expect(try await engine.context.store.read { try $0.busyTimes(of: id) }.isEmpty)
    }

    @Test("connecting the same feed twice makes one calendar; a page and a wrong address are refused in words")
    func refusals() async throws {
        let feed = FeedSandbox(file(), at: Self.address)
        let engine = try await engine(feed)
        let first = try await connect(engine).calendar.id
        #expect(try await connect(engine).calendar.id == first)
        feed.publish("<html>Sign in</html>")
        let page = try await CalendarService(engine.context).connect(.init(kind: "ics", url: Self.address), owner: "dov").value
        #expect(page.map(\.state) == [.failing] && page[0].calendar.problem?.message.contains("cannot be read") == true)
        for url in ["http://calendar.northwind.example/x.ics", "https://ana:pw@calendar.northwind.example/x.ics", "ftp://x", ""] {
            await #expect(throws: UsherError.self, "\(url)") {
                try await CalendarService(engine.context).connect(.init(kind: "ics", url: url), owner: "dov")
            }
        }
    }

    @Test("a calendar of a connected Google account makes busy, and goes with the connection")
    func google() async throws {
        let engine = try await engine(FeedSandbox("", at: ""))
        engine.google.put(try event("x@y.example", "2026-12-01T09:00:00Z"))
        engine.google.change { $0.users = ["cleo@northwind.example"] }
        _ = try await engine.connectGoogle("cleo", as: "cleo@northwind.example")
        try await engine.run(for: .minutes(1))
        #expect(try await CalendarService(engine.context).list(of: "cleo").map(\.calendar.kind) == ["google"])
        #expect(try await starts(engine, on: "2026-12-01") == ["08:00", "10:00", "10:30"])
        // More of the account is listed where its owner allows that.
        engine.google.change { $0.scopes += " https://www.googleapis.com/auth/calendar.calendarlist.readonly" }
        let begun = try await CalendarService(engine.context).authorize("google", owner: "cleo").value
        let url = try await Consents(engine.context).start(begun.id, browser: Secret("browser"))
        #expect(url.contains("calendar.calendarlist.readonly"))
        _ = try await engine.back(
            engine.google.decide(String(url.split(separator: "?", maxSplits: 1)[1]), user: "cleo@northwind.example"), service: "google")
        try await engine.run(for: .minutes(1))
        let calendars = try await CalendarService(engine.context).list(of: "cleo").map(\.calendar)
        #expect(calendars.map(\.remoteID) == ["primary", "family@group"] && calendars.map(\.counts) == [true, false])
        _ = try await Connections(engine.context).disconnect(owner: "cleo", provider: "meet")
        let left = try await CalendarService(engine.context).list(of: "cleo")
        #expect(left.isEmpty)
    }

    @Test("of an account with more calendars than can be kept the one that counts is kept", arguments: [29, 39, 60])
    func manyCalendars(subscribed: Int) async throws {
        let engine = try await engine(FeedSandbox("", at: ""))
        engine.google.change {
            $0.users = ["cleo@northwind.example"]
            $0.scopes += " https://www.googleapis.com/auth/calendar.calendarlist.readonly"
            $0.subscribed = subscribed
        }
        let begun = try await CalendarService(engine.context).authorize("google", owner: "cleo").value
        let url = try await Consents(engine.context).start(begun.id, browser: Secret("browser"))
        _ = try await engine.back(
            engine.google.decide(String(url.split(separator: "?", maxSplits: 1)[1]), user: "cleo@northwind.example"), service: "google")
        for span in [Duration.minutes(1), .days(2)] {
            try await engine.run(for: span)
            let calendars = try await CalendarService(engine.context).list(of: "cleo").map(\.calendar)
            #expect(calendars.count == 30)
            #expect(calendars.filter(\.counts).map(\.remoteID) == ["primary"])
        }
        let jobs = try await engine.context.store.read { try $0.waitingJobs(now: engine.clock.now) }
        #expect(!jobs.contains { $0.kind == "find-calendars" }, "it looks again each day")
    }

    @Test("a job whose outcome cannot be written down is set aside and shown, and its service is not asked each minute")
    func outcomeOfItsOwnFault() async throws {
        let engine = try await engine(FeedSandbox("", at: ""))
        engine.google.change { $0.users = ["cleo@northwind.example"] }
        _ = try await engine.connectGoogle("cleo", as: "cleo@northwind.example")
        // Nobody's calendars can be kept.
        _ = try await engine.context.store.database.write { try $0.execute("UPDATE owners SET active = 0 WHERE id = 'cleo'", []) }
        try await engine.run(for: .minutes(10))
        let troubled = try await engine.context.store.read { try $0.troubledKinds().map(\.kind) }
        #expect(troubled == ["find-calendars"])
    }

    @Test("what a CalDAV server says is gone stays busy until it is gone at a second look")
    func phantom() async throws {
        let server = DAVStandIn(file(try event("x@y.example", "2026-12-01T09:00:00Z")))
        let engine = try await engine(server)
        _ = try await CalendarService(engine.context).connect(
            .init(kind: "caldav", url: "https://dav.northwind.example/cleo/", user: "cleo", password: Secret("app")), owner: "cleo")
        _ = try await engine.worker.pump()
        #expect(try await starts(engine, on: "2026-12-01") == ["08:00", "10:00", "10:30"])
        server.hold(nil)
        try await engine.run(for: .minutes(6))
        #expect(try await starts(engine, on: "2026-12-01") == ["08:00", "10:00", "10:30"], "a phantom")
        server.hold(file(try event("x@y.example", "2026-12-01T09:00:00Z")))
        try await engine.run(for: .minutes(30))
        #expect(try await starts(engine, on: "2026-12-01") == ["08:00", "10:00", "10:30"])
        server.hold(nil)
        try await engine.run(for: .minutes(30))
        #expect(try await starts(engine, on: "2026-12-01").count == 6, "gone indeed")
    }
}
