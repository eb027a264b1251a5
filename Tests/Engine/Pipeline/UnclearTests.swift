import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

/// Creates of which nobody knows what became of them.
@Suite(.timeLimit(.minutes(2)))
struct UnclearTests {
    /// How the create is answered that is asked again.
    enum Answer: CaseIterable { case refused, limited, dead, broken }
    /// What happens to the booking meanwhile.
    enum Change: CaseIterable { case nothing, cancel, fallback, restart }

    private static let catalog = TestCatalog.text.replacing(
        "teams: { title:", with: "both: { title: \"Teams or here\", duration: 30m, provider: teams, fallback: [room] }\n  teams: { title:")

    @Test(
        "a create that is repeatable stays unclear until one succeeds, whatever it is answered, and ends with one meeting or none",
        arguments: Answer.allCases, Change.allCases)
    func repeatable(answer: Answer, change: Change) async throws {
        let engine = try await TestEngine(catalog: Self.catalog)
        _ = try await engine.connectMicrosoft()
        engine.microsoft.inject(.cutAfter)
        let id = try await engine.service.book(TestEngine.request(change == .fallback ? "both" : "teams")).value.booking.id
        for work in try await engine.worker.claim(limit: 1) { _ = await engine.worker.perform(work) }
        #expect(engine.microsoft.meetings.count == 1)
        switch answer {
        case .refused: engine.microsoft.inject(.refused(status: 400, retryAfter: nil))
        case .limited: engine.microsoft.inject(.refused(status: 429, retryAfter: 30))
        case .dead: engine.microsoft.revokeByHand()
        case .broken: engine.microsoft.inject(.refused(status: 503, retryAfter: nil))
        }
        try await engine.run(for: .seconds(4))
        let worker =
            change == .restart
            ? Worker(
                try TestEngine.context(
                    database: engine.context.store.database, transport: engine.context.transport, mailer: engine.mailer,
                    clock: engine.clock, seed: engine.seed, catalog: engine.context.catalog.current)) : engine.worker
        if change == .cancel { _ = try await engine.service.cancel(id) }
        _ = try await worker.pump()
        #expect(try await engine.service.view(id).booking.meeting.provider == "teams", "nobody falls back from what may be there")
        if answer == .dead { _ = try await engine.connectMicrosoft() }
        try await engine.run(for: .hours(1))
        let view = try await engine.service.view(id)
        #expect(view.booking.meeting.status == (change == .cancel ? .cancelled : .ready))
        #expect(engine.microsoft.meetings.count == (change == .cancel ? 0 : 1))
        #expect(engine.microsoft.created == 1)
    }

    @Test("an unclear create that is withdrawn before it left is unclear as before, with the account that it was asked of")
    func withdrawn() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectMicrosoft()
        engine.microsoft.inject(.cutAfter)
        let id = try await engine.service.book(TestEngine.request("teams")).value.booking.id
        for work in try await engine.worker.claim(limit: 1) { _ = await engine.worker.perform(work) }
        let before = try await engine.context.store.read { try $0.rooms(of: id)[0] }
        #expect(before.state == .unclear)
        engine.clock.advance(by: .minutes(1))
        let work = try #require(try await engine.worker.claim(limit: 1).first)
        await engine.worker.putBack(work, until: engine.clock.now)
        let after = try await engine.context.store.read { try $0.rooms(of: id)[0] }
        #expect(after.state == .unclear && after.host == before.host)
    }

    @Test("a Google event that its owner deleted before it had a link burns its key: another is made under a new one")
    func burntKey() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        engine.google.change { $0.pendingLooks = 1_000 }
        let id = try await engine.booked("meet").booking.id
        engine.google.deleteByHand(try #require(engine.google.live.first))
        engine.google.change { $0.pendingLooks = 0 }
        try await engine.run(for: .minutes(10))
        #expect(try await engine.service.view(id).booking.meeting.status == .ready)
        #expect(engine.google.live.count == 1)
        #expect(try await engine.context.store.read { try $0.rooms(of: id) }.map(\.state) == [.removed, .live])
    }

    @Test("a meeting that Zoom lists and calls gone is asked for with pauses, and counts as gone the second time")
    func listedButGone() async throws {
        let engine = try await TestEngine()
        engine.zoom.inject(.late(.zero), .cutAfter)
        let id = try await engine.service.book(TestEngine.request("fixed")).value.booking.id
        for work in try await engine.worker.claim(limit: 1) { _ = await engine.worker.perform(work) }
        engine.zoom.deleteAtPortal(try #require(engine.zoom.meetings.first).id, listedFor: .hours(1))
        let requests = engine.zoom.requests
        try await engine.run(for: .minutes(5))
        #expect(engine.zoom.requests - requests < 20)
        #expect(try await engine.service.view(id).booking.meeting.status == .ready)
        #expect(engine.zoom.meetings.count == 1)
    }

    @Test("an unclear room at an account that nobody mends is asked for ever more rarely, and no longer than a day after the meeting")
    func deadAccount() async throws {
        let engine = try await TestEngine()
        engine.zoom.inject(.late(.zero), .cutAfter)
        let id = try await engine.service.book(TestEngine.request("fixed")).value.booking.id
        for work in try await engine.worker.claim(limit: 1) { _ = await engine.worker.perform(work) }
        engine.zoom.change { $0.clientSecret = "changed" }
        engine.clock.advance(by: .hours(2))
        let end = try await engine.service.view(id).booking.end
        try await engine.run(for: .days(3))
        let requests = engine.zoom.requests
        try await engine.run(for: .days(1))
        #expect(engine.zoom.requests - requests < 15)
        try await engine.run(for: end - engine.clock.now + .days(2))
        let room = try await engine.context.store.read { try $0.rooms(of: id)[0] }
        #expect(room.state == .refused)
        let left = try await engine.context.store.read { try $0.waitingJobs(now: .never).map(\.kind) }
        #expect(!left.contains("provision"), "\(left)")
        let events = try await engine.context.store.read { try $0.timeline(of: id) }
        #expect(events.last { $0.event == "meeting.given-up" }?.detail.contains(room.key) == true)
    }

    @Test("what a quota parks until midnight comes back spread over ten minutes")
    func quotaSpread() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.dailyLimit = 0 }
        for hour in 10..<18 { _ = try await engine.booked("fixed", at: "2026-12-01T\(hour):00:00Z") }
        let due = try await engine.context.store.read { tx in
            try tx.bookings(after: (engine.clock.now, ""), until: .never, owner: nil, status: nil, limit: 20)
                .compactMap { try tx.rooms(of: $0.id).first?.notBefore }
        }
        let midnight = engine.clock.now.nextDayUTC
        #expect(Set(due).count > 4)
        #expect(due.allSatisfy { (midnight...midnight + .minutes(10)).contains($0) })
    }
}
