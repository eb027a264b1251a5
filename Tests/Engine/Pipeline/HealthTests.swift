import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

/// One truth about each provider, and what stays as it was told.
@Suite(.timeLimit(.minutes(2)))
struct HealthTests {
    private func state(_ engine: TestEngine, _ provider: String = "campus") async throws -> FailingProvider? {
        try await engine.context.health.all().first { $0.provider == provider }
    }

    @Test("a provider whose calls fail is failing since the first of them, with why and what to do, and works after one that does not")
    func lastCalls() async throws {
        let engine = try await TestEngine()
        #expect(try await state(engine) == nil)
        engine.zoom.change { $0.clientSecret = "changed" }
        let first = engine.clock.now
        let id = try await engine.booked("fixed").booking.id
        try await engine.run(for: .minutes(10))
        let failing = try #require(try await state(engine))
        #expect(failing.since == first && failing.failures > 2 && !failing.problem.remedy.isEmpty)
        let resolution = try await engine.service.resolve("fixed", owner: "ana")
        #expect(try await engine.service.explained(resolution).json["health"]?["state"] == "failing")
        // Another process has not heard of it, and is the one that succeeds.
        let other = try TestEngine.context(
            database: engine.context.store.database, transport: engine.context.transport, mailer: engine.mailer, clock: engine.clock,
            seed: engine.seed, catalog: engine.context.catalog.current)
        try await Heartbeat(other).join()
        engine.zoom.change { $0.clientSecret = "sandbox-secret" }
        _ = try await engine.service.retry(id)
        _ = try await Worker(other).pump()
        #expect(try await state(engine) == nil)
    }

    @Test("a process that has been silent for long and goes on keeps what it has claimed since")
    func silentProcess() async throws {
        let engine = try await TestEngine()
        let other = try TestEngine.context(
            database: engine.context.store.database, transport: engine.context.transport, mailer: engine.mailer, clock: engine.clock,
            seed: engine.seed, catalog: engine.context.catalog.current)
        try await Heartbeat(other).join()
        engine.clock.advance(by: .minutes(10))
        _ = try await engine.service.book(TestEngine.request("fixed"))
        let works = try await Worker(other).claim(limit: 8)
        #expect(!works.isEmpty)
        try await Heartbeat(engine.context).takeOver()
        #expect(try await engine.worker.claim(limit: 8).isEmpty)
        for work in works { await Worker(other).run(work) }
        #expect(engine.zoom.ledger.count { $0.event == .created } == 1)
    }

    @Test("what concerns one host, or one owner's connection, says nothing of the provider")
    func onlyOne() async throws {
        let engine = try await TestEngine(
            catalog: TestCatalog.text.replacing("email: ana@northwind.example", with: "email: nobody@northwind.example"))
        #expect(try await engine.booked("fixed").booking.meeting.problem?.code == .hostUnknown)
        _ = try await engine.booked("mine", at: "2026-12-02T10:00:00Z")
        #expect(try await engine.context.health.all().isEmpty)
    }

    @Test("a service that refuses even a fresh token marks the connection")
    func refusedFresh() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectMicrosoft()
        engine.clock.advance(by: .minutes(5))
        engine.microsoft.inject(.refused(status: 401, retryAfter: nil))
        engine.microsoft.inject(.passed)
        engine.microsoft.inject(.refused(status: 401, retryAfter: nil))
        let view = try await engine.booked("teams")
        #expect(view.booking.meeting.problem?.code == .reauthorize)
        #expect(try await Connections(engine.context).list(owner: "ana").first?.health == .reauthorize)
    }

    @Test("a grant that sleeps is renewed once, whatever else asks for it in that second")
    func renewedOnce() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        engine.clock.advance(by: .days(30))
        _ = try await engine.worker.pump()
        #expect(engine.zoom.refreshes == 1)
    }

    @Test("the link that was sent stays when the catalogue names another address and the booking is moved")
    func keepsLink() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("open")
        engine.context.catalog.put(
            try TestCatalog.read(
                TestCatalog.text.replacing("https://meet.northwind.example/", with: "https://other.example/")))
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        _ = try await engine.worker.pump()
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.room == view.booking.meeting.room && after.booking.meeting.status == .ready)
    }

    @Test("a room that remains because the app may not delete is told to its owner by mail")
    func remains() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.scopes.remove("meeting:delete:meeting:admin") }
        let view = try await engine.booked("fixed")
        _ = try await engine.service.cancel(view.booking.id)
        try await engine.run(for: .minutes(2))
        let letters = engine.mailer.taken.filter { $0.recipient == "ana@northwind.example" }.map {
            String(decoding: $0.bytes, as: UTF8.self)
        }
        #expect(letters.count { $0.contains("Subject: Still at Zoom") } == 1)
    }

    @Test("a start with a fraction of a second is refused, one that a program writes with zeros is not")
    func fractions() async throws {
        let engine = try await TestEngine()
        let error = await #expect(throws: UsherError.self) {
            try await engine.service.book(TestEngine.request(at: "2026-12-01T10:00:00.5Z"))
        }
        #expect(error?.findings.map(\.detail) == ["must be a whole minute"])
        _ = try await engine.service.book(TestEngine.request(at: "2026-12-01T10:00:00.000Z"))
    }

    @Test("an owner who was probably meant is named")
    func nearOwner() async throws {
        let engine = try await TestEngine()
        let error = await #expect(throws: UsherError.self) { try await engine.service.book(TestEngine.request(owner: "anna")) }
        #expect(error?.findings.first?.detail == "no owner is called 'anna'; did you mean 'ana'?")
        let explained = await #expect(throws: UsherError.self) { try await engine.service.resolve("fixed", owner: "anna") }
        #expect(explained?.message.contains("Did you mean 'ana'?") == true)
    }
}
