import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(2)))
struct TeamsTests {
    private func connected(_ change: (inout MicrosoftSandbox.Account) -> Void = { _ in }) async throws -> TestEngine {
        let engine = try await TestEngine()
        engine.microsoft.change(change)
        _ = try await engine.connectMicrosoft()
        return engine
    }

    @Test("a booking becomes a Teams meeting with its passcode and numbers; a move keeps it, a cancellation removes it")
    func wholeWay() async throws {
        let engine = try await connected()
        let view = try await engine.booked("teams")
        let room = try #require(view.booking.meeting.room)
        #expect(room.passcode == "Ab3xYz" && room.meetingID == "1234567890")
        #expect(room.dialIn.map(\.country) == ["DE"] && room.dialIn[0].pin == "123456789")
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T11:00:00Z")
        _ = try await engine.worker.pump()
        #expect(engine.microsoft.meetings.map(\.start) == ["2026-12-02T11:00:00Z"])
        _ = try await engine.service.cancel(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(engine.microsoft.meetings.isEmpty)
    }

    @Test("what a type says of recordings is asked for after the meeting is made, and what a policy makes otherwise is told")
    func recording() async throws {
        let text = TestCatalog.text.replacing(
            "teams: { title: \"At Teams\", duration: 30m, provider: teams }",
            with: "teams: { title: \"At Teams\", duration: 30m, provider: teams, meeting: { recording: off } }")
        for always in [false, true] {
            let engine = try await TestEngine(catalog: text)
            engine.microsoft.change { $0.recordsAlways = always }
            _ = try await engine.connectMicrosoft()
            let id = try await engine.booked("teams").booking.id
            let events = try await engine.service.timeline(id)
            #expect(events.contains { $0.event == "meeting.note" && $0.detail.contains("a policy says so") } == always)
            #expect(try await engine.service.view(id).booking.meeting.status == .ready)
            #expect(engine.microsoft.created == 1)
        }
    }

    @Test("without an Audio Conferencing licence there are no numbers, and the meeting is made all the same")
    func noAudio() async throws {
        let engine = try await connected { $0.hasAudio = false }
        let room = try #require(try await engine.booked("teams").booking.meeting.room)
        #expect(room.dialIn.isEmpty)
    }

    @Test(
        "a create whose answer was lost is asked again, and there is one meeting",
        arguments: [MicrosoftSandbox.Fault.cutAfter, .errorAfter(status: 503)])
    func lost(fault: MicrosoftSandbox.Fault) async throws {
        let engine = try await connected()
        engine.microsoft.inject(fault)
        let id = try await engine.booked("teams").booking.id
        try await engine.run(for: .minutes(1))
        #expect(try await engine.service.view(id).booking.meeting.status == .ready)
        #expect(engine.microsoft.created == 1)
    }

    @Test("a booking cancelled while its create is unclear leaves no meeting behind")
    func cancelledUnclear() async throws {
        let engine = try await connected()
        engine.microsoft.inject(.cutAfter)
        let id = try await engine.service.book(TestEngine.request("teams")).value.booking.id
        for work in try await engine.worker.claim(limit: 16) { await engine.worker.run(work) }
        _ = try await engine.service.cancel(id)
        try await engine.run(for: .minutes(5))
        #expect(engine.microsoft.meetings.isEmpty)
    }

    @Test("a meeting deleted at Microsoft is noticed before it begins, and made anew where the type says so")
    func deleted() async throws {
        let engine = try await TestEngine(
            catalog: TestCatalog.text.replacing("provider: teams }", with: "provider: teams, on-drift: recreate }"))
        _ = try await engine.connectMicrosoft()
        let view = try await engine.booked("teams")
        engine.microsoft.deleteByHand(engine.microsoft.meetings[0].id)
        try await engine.run(for: view.booking.start - engine.clock.now - .minutes(30))
        #expect(engine.microsoft.meetings.count == 1)
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("throttled, the work waits as long as Microsoft says")
    func throttled() async throws {
        let engine = try await connected()
        engine.microsoft.inject(.refused(status: 429, retryAfter: 90))
        let id = try await engine.booked("teams").booking.id
        #expect(try await engine.service.view(id).booking.meeting.problem?.code == .providerRateLimited)
        try await engine.run(for: .seconds(80))
        #expect(engine.microsoft.created == 0)
        try await engine.run(for: .seconds(20))
        #expect(engine.microsoft.created == 1)
    }

    @Test("a renewal keeps the new refresh token, and a revoked grant has to be made again")
    func grants() async throws {
        let engine = try await connected()
        for day in 1...3 {
            engine.clock.advance(by: .hours(3))
            _ = try await engine.booked("teams", at: "2026-12-0\(day)T10:00:00Z")
        }
        #expect(engine.microsoft.created == 3)
        engine.microsoft.revokeByHand()
        #expect(try await engine.booked("teams", at: "2026-12-05T10:00:00Z").booking.meeting.problem?.code == .reauthorize)
    }
}
