import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

/// Services that tell at once that a calendar has changed. The clock stands at 2026-11-24T08:00Z; Cleo's hours are 9 to 12 in Berlin.
@Suite(.timeLimit(.minutes(2)))
struct CalendarNotificationTests {
    private static let mail = "cleo@northwind.example"

    private func event(_ uid: String, _ start: String) throws -> SandboxEvent {
        let start = try #require(Instant(rfc3339: start))
        return SandboxEvent(uid: uid, start: start, end: start + .hours(1))
    }

    /// With Cleo's Google account connected, and its calendar read.
    private func engine() async throws -> TestEngine {
        let engine = try await TestEngine(catalog: SlotTests.catalog)
        engine.google.change { $0.users = [Self.mail] }
        _ = try await engine.connectGoogle("cleo", as: Self.mail)
        _ = try await engine.worker.pump()
        return engine
    }

    private func calendar(_ engine: TestEngine) async throws -> StoredCalendar {
        try #require(try await CalendarService(engine.context).list(of: "cleo").first?.calendar)
    }

    private func busyTimes(_ engine: TestEngine) async throws -> Int {
        let id = try await calendar(engine).id
        return try await engine.context.store.read { try $0.busyTimes(of: id).count }
    }

    /// Hands on what the service has sent, as it was sent or otherwise.
    private func deliver(
        _ requests: [HTTPRequest], _ engine: TestEngine, change: (inout EventDelivery) -> Void = { _ in }
    ) async throws -> [CalendarNotifications.Answer] {
        var answers: [CalendarNotifications.Answer] = []
        for request in requests {
            let url = request.url.split(separator: "?", maxSplits: 1).map(String.init)
            #expect(url[0].hasPrefix("https://usher.example/webhooks/calendars/cal_"))
            var delivery = EventDelivery(
                headers: request.headers.map { ($0.name, $0.value) }, query: url.count > 1 ? url[1] : "", body: request.body,
                now: engine.clock.now)
            change(&delivery)
            let id = String(url[0].split(separator: "/").last ?? "")
            answers.append(try await CalendarNotifications(engine.context).receive(id, delivery))
        }
        return answers
    }

    @Test("what Google tells of is read within seconds, a hundred changes at once; what bears another token is refused")
    func told() async throws {
        let engine = try await engine()
        #expect(engine.google.listeners == 1)
        #expect(try await deliver(engine.google.takeNotifications(), engine) == [.done])
        try await engine.run(for: .seconds(30))
        for number in 0..<100 { engine.google.put(try event("x\(number)@y.example", "2026-12-01T09:00:00Z")) }
        let sent = engine.google.takeNotifications()
        #expect(sent.count == 100)
        let refused = try await deliver([sent[0]], engine) {
            $0.headers = $0.headers.map { ($0.name, $0.name == "X-Goog-Channel-Token" ? "0123456789" : $0.value) }
        }
        #expect(refused == [.refused])
        try await engine.run(for: .seconds(30))
        #expect(try await busyTimes(engine) == 0, "nobody has told yet")
        #expect(try await deliver(sent, engine).allSatisfy { $0 == .done })
        try await engine.run(for: .seconds(11))
        #expect(try await busyTimes(engine) == 1)
        #expect(
            try await CalendarNotifications(engine.context).receive("cal_none", EventDelivery(headers: [], body: [], now: .epoch))
                == .refused)
    }

    @Test("what is told of a calendar that the service wants left alone is not asked for before its time")
    func leftAlone() async throws {
        let engine = try await engine()
        for _ in 0..<2 { engine.google.inject(.refused(status: 403, reason: "quotaExceeded")) }
        engine.google.put(try event("x@y.example", "2026-12-01T09:00:00Z"))
        try await engine.run(for: .minutes(12))
        #expect(try await calendar(engine).problem != nil)
        let due = try await engine.context.store.read { try $0.nextDue(.calendars) }
        #expect(try await deliver(engine.google.takeNotifications().suffix(1), engine) == [.done])
        #expect(try await engine.context.store.read { try $0.nextDue(.calendars) } == due)
    }

    @Test("a subscription is renewed before it ends, and only the newest one is left")
    func renewed() async throws {
        let engine = try await engine()
        try await engine.run(for: .days(12))
        #expect(engine.google.listeners == 1)
        _ = engine.google.takeNotifications()
        engine.google.put(try event("late@y.example", "2026-12-08T09:00:00Z"))
        let sent = engine.google.takeNotifications()
        #expect(sent.count == 1)
        #expect(try await deliver(sent, engine) == [.done])
    }

    @Test("a calendar that counts no longer, or is removed, is not listened to")
    func ended() async throws {
        let engine = try await engine()
        let (service, id) = (CalendarService(engine.context), try await calendar(engine).id)
        _ = try await service.setCounts(false, calendar: id, owner: "cleo")
        _ = try await engine.worker.pump()
        #expect(engine.google.listeners == 0)
        _ = try await service.setCounts(true, calendar: id, owner: "cleo")
        _ = try await engine.worker.pump()
        #expect(engine.google.listeners == 1)
        engine.google.put(try event("x@y.example", "2026-12-01T09:00:00Z"))
        let sent = engine.google.takeNotifications().suffix(1)
        try await service.remove(id, owner: "cleo")
        #expect(try await deliver(Array(sent), engine) == [.refused])
        // The service is down at first.
        engine.google.inject(.refused(status: 503, reason: "backendError"))
        try await engine.run(for: .minutes(10))
        #expect(engine.google.listeners == 0)
        #expect(try await engine.context.store.read { try $0.subscription(ofCalendar: id) } == nil)
    }

    @Test("with the connection its subscriptions are forgotten")
    func disconnected() async throws {
        let engine = try await engine()
        let id = try await calendar(engine).id
        engine.google.put(try event("x@y.example", "2026-12-01T09:00:00Z"))
        try await Connections(engine.context).disconnect(owner: "cleo", provider: "meet")
        #expect(try await deliver(engine.google.takeNotifications().suffix(1), engine) == [.refused])
        #expect(try await engine.context.store.read { try $0.subscription(ofCalendar: id) } == nil)
    }

    @Test("Microsoft's look whether somebody is there is answered; with the narrow permission the calendar is read at its usual times")
    func microsoft() async throws {
        let engine = try await TestEngine(catalog: SlotTests.catalog)
        engine.microsoft.change {
            $0.users = [Self.mail]
            $0.scopes += " Calendars.ReadBasic"
        }
        _ = try await engine.connectMicrosoft("cleo", as: Self.mail)
        try await engine.run(for: .minutes(1))
        #expect(engine.microsoft.listeners == 0)
        #expect(try await CalendarService(engine.context).list(of: "cleo").map(\.state) == [.fresh])
        engine.microsoft.change { $0.scopes += " Calendars.Read" }
        _ = try await engine.connectMicrosoft("cleo", as: Self.mail)
        try await engine.run(for: .minutes(1))
        #expect(engine.microsoft.listeners == 1)
        #expect(
            try await deliver(engine.microsoft.takeNotifications(), engine).first.map { "\($0)" }?.hasPrefix(
                "challenge(\"Validation: is & there ") == true)
        engine.microsoft.put(try event("x@y.example", "2026-12-01T09:00:00Z"))
        let sent = engine.microsoft.takeNotifications()
        let refused = try await deliver(sent, engine) { $0.body = Array(#"{"value": [{"clientState": "no"}]}"#.utf8) }
        #expect(refused == [.refused])
        #expect(try await deliver(sent, engine) == [.done])
        try await engine.run(for: .seconds(11))
        #expect(try await busyTimes(engine) == 1)
    }
}
