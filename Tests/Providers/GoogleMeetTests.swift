import ProviderSandbox
import TestSupport
import Testing
import UsherCore
import UsherPipeline

@Suite(.timeLimit(.minutes(2)))
struct GoogleMeetTests {
    private func connected(_ change: (inout GoogleSandbox.Account) -> Void = { _ in }) async throws -> TestEngine {
        let engine = try await TestEngine()
        engine.google.change(change)
        _ = try await engine.connectGoogle()
        return engine
    }

    @Test("a booking becomes an event with a Meet link and phone numbers; a move keeps the link, a cancellation removes the event")
    func wholeWay() async throws {
        let engine = try await connected()
        let view = try await engine.booked("meet")
        let room = try #require(view.booking.meeting.room)
        #expect(room.joinURL.hasPrefix("https://meet.google.com/"))
        #expect(room.dialIn.map(\.country) == ["DE"] && room.dialIn[0].pin == "123456789")
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T11:00:00Z")
        _ = try await engine.worker.pump()
        #expect(engine.google.live.compactMap { engine.google.start(of: $0) } == ["2026-12-02T11:00:00Z"])
        #expect(try await engine.service.view(view.booking.id).booking.meeting.room == room)
        _ = try await engine.service.cancel(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(engine.google.live.isEmpty)
        #expect(engine.google.violations.isEmpty, "\(engine.google.violations)")
    }

    @Test("a link that Google is still making is waited for, and only then mailed")
    func pending() async throws {
        let engine = try await connected { $0.pendingLooks = 3 }
        let view = try await engine.booked("meet")
        #expect(view.booking.meeting.status == .pending)
        #expect(engine.mailer.taken.isEmpty)
        try await engine.run(for: .seconds(20))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
        #expect(engine.google.created == 1)
        #expect(engine.mailer.taken.count == 2)
    }

    @Test("a create whose answer was lost is adopted, not repeated")
    func lost() async throws {
        let engine = try await connected()
        _ = try await engine.booked("meet")
        for fault in [GoogleSandbox.Fault.cutAfter, .errorAfter(status: 503)] {
            engine.google.inject(fault)
            let before = engine.google.created
            let hour = 12 + before
            let view = try await engine.booked("meet", at: "2026-12-03T\(hour):00:00Z")
            #expect(view.booking.meeting.status == .ready)
            #expect(engine.google.created == before + 1)
        }
    }

    @Test("an account without Meet is the owner's matter, and the event does not stay behind unseen")
    func noMeet() async throws {
        let engine = try await connected { $0.conferenceFails = true }
        let view = try await engine.booked("meet")
        #expect(view.booking.meeting.problem?.code == .plan)
        #expect(view.booking.meeting.status == .blocked)
    }

    @Test(
        "Google's reasons are told apart",
        arguments: [
            (403, "rateLimitExceeded", ErrorCode.providerRateLimited), (403, "quotaExceeded", .providerRateLimited),
            (403, "dailyLimitExceeded", .dailyLimit), (403, "insufficientPermissions", .missingScope), (403, "accessNotConfigured", .plan),
            (400, "invalid", .rejected),
        ])
    func reasons(status: Int, reason: String, code: ErrorCode) async throws {
        let engine = try await connected()
        engine.google.inject(.refused(status: status, reason: reason))
        #expect(try await engine.booked("meet").booking.meeting.problem?.code == code)
    }

    @Test("an owner who revokes the access at Google has to connect again, and then what waits resumes")
    func revoked() async throws {
        let engine = try await connected()
        engine.google.revokeByHand("ana@northwind.example")
        let view = try await engine.booked("meet")
        #expect(view.booking.meeting.problem?.code == .reauthorize)
        _ = try await engine.connectGoogle()
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("who presses Cancel at Google, or unticks the calendar, is told so and is not connected")
    func refused() async throws {
        let engine = try await TestEngine()
        guard case .refused(.declined("access_denied", _), _, _) = try await engine.connectGoogle(as: nil) else {
            Issue.record("not told")
            return
        }
        engine.google.change { $0.scopes = "openid https://www.googleapis.com/auth/userinfo.email" }
        guard case .refused(.missing, _, _) = try await engine.connectGoogle() else {
            Issue.record("connected without the calendar")
            return
        }
        #expect(try await Connections(engine.context).list(owner: "ana").isEmpty)
    }

    @Test("an event deleted in the calendar is made anew under another id where the type heals")
    func deleted() async throws {
        let engine = try await connected()
        let view = try await engine.booked("meet")
        engine.google.deleteByHand(engine.google.live[0])
        try await engine.run(for: .days(8))
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .failed)
        #expect(after.booking.meeting.problem?.code == .meetingGone)
    }
}
