import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(5)))
struct PipelineTests {
    @Test("a booking ends with a room at its provider and a mail to each reader")
    func ready() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked()
        #expect(view.booking.meeting.status == .ready)
        #expect(view.booking.meeting.provider == "campus")
        #expect(view.booking.meeting.because == .ownerDefault)
        #expect(engine.zoom.meetings.count == 1)
        #expect(engine.mailer.taken.map(\.recipient).sorted() == ["ana@northwind.example", "bo@example.org"])
        #expect(view.booking.readers.map(view.confirmation) == [.sent, .sent])
    }

    @Test("a reschedule moves the same meeting, and everyone gets one update")
    func reschedule() async throws {
        let engine = try await TestEngine()
        let before = try await engine.booked()
        _ = try await engine.service.reschedule(before.booking.id, to: "2026-12-02T11:00:00Z")
        _ = try await engine.worker.pump()
        let after = try await engine.service.view(before.booking.id)
        #expect(after.booking.meeting.room == before.booking.meeting.room)
        #expect(engine.zoom.meetings.map(\.start.rfc3339) == ["2026-12-02T11:00:00Z"])
        #expect(after.booking.revision == 2)
        #expect(after.mails.filter { $0.kind == .update && $0.state == .sent }.count == 2)
    }

    @Test("the same time again changes nothing")
    func sameTime() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked()
        #expect(try await engine.service.reschedule(view.booking.id, to: "2026-12-01T10:00:00Z").value.booking.revision == 1)
    }

    @Test("a cancellation removes the room and tells those who were told of the booking")
    func cancel() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked()
        _ = try await engine.service.cancel(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(engine.zoom.meetings.isEmpty)
        let after = try await engine.service.cancel(view.booking.id).value
        #expect(after.mails.filter { $0.kind == .cancellation && $0.state == .sent }.count == 2)
        #expect(after.booking.revision == 2)
    }

    @Test("a mail whose turn comes too late in a claim was never under way, and goes out all the same")
    func slowNeighbour() async throws {
        let clock = Mutex<VirtualClock?>(nil)
        let engine = try await TestEngine(mail: { _ in
            clock.withLock { $0?.advance(by: .seconds(25)) }
            return .accepted
        })
        clock.withLock { $0 = engine.clock }
        let view = try await engine.booked()
        #expect(view.mails.map(\.state) == [.sent, .sent])
        #expect(view.mails.allSatisfy { !$0.maybeDelivered })
        #expect(engine.mailer.taken.count == 2)
    }

    @Test("who never got the confirmation gets no cancellation")
    func silentCancellation() async throws {
        let engine = try await TestEngine(mail: { _ in .later("451 not now") })
        let view = try await engine.booked()
        _ = try await engine.service.cancel(view.booking.id)
        try await engine.run(for: .hours(1))
        #expect(try await engine.service.view(view.booking.id).mails.allSatisfy { $0.state == .dropped && $0.kind == .confirmation })
    }

    @Test("a cancelled booking cannot be moved")
    func moveCancelled() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked()
        _ = try await engine.service.cancel(view.booking.id)
        let error = await #expect(throws: UsherError.self) {
            try await engine.service.reschedule(view.booking.id, to: "2026-12-03T10:00:00Z")
        }
        #expect(error?.code == .bookingCancelled)
    }

    @Test("the mail goes out after two minutes without a room, and a second one follows when the room is there")
    func lateRoom() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.dailyLimit = 0 }
        let view = try await engine.booked("fixed")
        #expect(view.mails.isEmpty)
        try await engine.run(for: .seconds(119))
        #expect(engine.mailer.taken.map(\.recipient).isEmpty)
        try await engine.run(for: .seconds(2))
        #expect(engine.mailer.taken.map(\.recipient).count == 2)
        engine.zoom.change { $0.dailyLimit = 100 }
        try await engine.run(for: .days(1))
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .ready)
        #expect(after.booking.revision == 2)
        #expect(after.mails.map(\.kind) == [.confirmation, .confirmation, .update, .update])
    }

    @Test("shortly before the start the mail waits ten seconds only")
    func shortNotice() async throws {
        let engine = try await TestEngine()
        engine.zoom.inject(.hostLimit, .hostLimit)
        _ = try await engine.booked("fixed", at: (engine.clock.now + .minutes(4)).rfc3339)
        try await engine.run(for: .seconds(11))
        #expect(engine.mailer.taken.count == 2)
    }

    @Test("on-join leaves the room for later, and the mail leads to the join page")
    func onJoin() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("later")
        #expect(view.booking.meeting.status == .onJoin)
        #expect(engine.zoom.meetings.isEmpty)
        #expect(engine.mailer.taken.count == 2)
    }

    @Test("rooms at links have passcodes and codes of their own, with nothing of the time in them")
    func linkRooms() async throws {
        let engine = try await TestEngine()
        var rooms: [Room] = []
        for hour in 10..<18 {
            rooms.append(try #require(try await engine.booked("open", at: "2026-12-01T\(hour):00:00Z").booking.meeting.room))
        }
        #expect(Set(rooms.map(\.passcode)).count > 6)
        #expect(Set(rooms.map { $0.dialIn.first?.pin }).count > 6)
        let heads = rooms.map { $0.joinURL.split(separator: "/").last.map { String($0.prefix(2)) } }
        #expect(Set(heads).count > 4)
    }

    @Test("a provider that hangs holds up neither the rooms of others nor anybody's mail")
    func hangingProvider() async throws {
        let engine = try await TestEngine(transport: { _ in HangingTransport() })
        for minute in 0..<40 {
            _ = try await engine.service.book(
                TestEngine.request("fixed", at: (engine.clock.now + .days(1) + .hours(Int64(minute))).rfc3339))
        }
        var others: [String] = []
        for _ in 0..<12 { others.append(try await engine.service.book(TestEngine.request("open", owner: "tom")).value.booking.id) }
        let loop = WorkLoop(engine.context, concurrency: 4)
        let running = Task { await loop.run() }
        for other in others { try await eventually { try await engine.service.view(other).mails.count { $0.state == .sent } == 2 } }
        engine.clock.advance(by: .minutes(3))
        try await eventually { engine.mailer.taken.count == 104 }
        running.cancel()
    }

    @Test("a row that cannot be read sets its own booking aside, and no other's mail")
    func damagedRow() async throws {
        let engine = try await TestEngine()
        let damaged = try await engine.service.book(TestEngine.request("open")).value.booking.id
        let whole = try await engine.service.book(TestEngine.request("open")).value.booking.id
        try await engine.context.store.database.write {
            try _ = $0.execute("UPDATE bookings SET attendees = 'nonsense' WHERE id = $1", [.text(damaged)])
        }
        // Both timers have come due, and are claimed together.
        engine.clock.advance(by: .minutes(3))
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(whole).mails.count { $0.kind == .confirmation && $0.state == .sent } == 2)
        #expect(try await engine.service.view(whole).booking.meeting.status == .ready)
        for job in [Job.planMail(booking: damaged), .provision(booking: damaged)] {
            #expect(try await engine.context.store.write { try $0.runNow(job.id, now: engine.clock.now) })
        }
    }

    /// Takes every request and never answers.
    private struct HangingTransport: Transport {
        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            do { try await Task.sleep(for: .seconds(3_600)) } catch { throw .unclear("cancelled") }
            throw .unclear("no answer")
        }
    }

    private func eventually(_ isSo: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while try await !isSo(), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try await isSo())
    }

    @Test("a host that the admin writes under hosts: is used at the next try")
    func mendedHost() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.users = [ZoomSandbox.User("a.ruiz@uni.example")] }
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.problem?.code == .hostUnknown)
        var owner = try await OwnerService(engine.context).owner("ana").owner
        owner.hosts = ["campus": "a.ruiz@uni.example"]
        let mended = owner
        try await engine.context.store.write { try $0.adopt([mended]) }
        _ = try await engine.service.retry(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("a reschedule while the credentials are broken waits, and is carried out once they are mended")
    func brokenWhileMoving() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("fixed")
        engine.clock.advance(by: .hours(2))
        engine.zoom.change { $0.clientSecret = "changed" }
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T11:00:00Z")
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .blocked)
        engine.zoom.change { $0.clientSecret = "sandbox-secret" }
        try await engine.run(for: .hours(2))
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .ready)
        #expect(after.booking.meeting.problem == nil)
        #expect(engine.zoom.meetings.map(\.start.rfc3339) == ["2026-12-02T11:00:00Z"])
    }

    @Test("a host's daily limit parks the work until midnight UTC")
    func dailyLimit() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.dailyLimit = 0 }
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.status == .pending)
        #expect(view.booking.meeting.problem?.code == .dailyLimit)
        let requests = engine.zoom.requests
        try await engine.run(for: .hours(15))
        #expect(engine.zoom.requests == requests)
        engine.zoom.change { $0.dailyLimit = 100 }
        try await engine.run(for: .hours(2))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("a fallback is tried where the type names it, and the booking says who holds the room")
    func fallback() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.users = [] }
        let view = try await engine.booked("safe")
        #expect(view.booking.meeting.status == .ready)
        #expect(view.booking.meeting.provider == "room")
        #expect(view.booking.meeting.because == .fallback)
        #expect(engine.mailer.taken.allSatisfy { String(decoding: $0.bytes, as: UTF8.self).contains("held at Video room") })
    }

    @Test("a moment's trouble shortly before the start is no reason to fall back")
    func hiccup() async throws {
        let engine = try await TestEngine()
        engine.zoom.inject(.late(.zero), .perSecondLimit)
        let id = try await engine.booked("safe", at: (engine.clock.now + .minutes(20)).rfc3339).booking.id
        try await engine.run(for: .seconds(30))
        let view = try await engine.service.view(id)
        #expect(view.booking.meeting.status == .ready)
        #expect(view.booking.meeting.provider == "campus")
    }

    @Test("without a fallback nobody swaps the provider: the booking is blocked with a remedy, and resumes by itself")
    func blocked() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.users = [] }
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.status == .blocked)
        #expect(view.booking.meeting.problem?.code == .hostUnknown)
        #expect(view.booking.meeting.problem?.remedy.isEmpty == false)
        engine.zoom.change { $0.users = [ZoomSandbox.User("ana@northwind.example")] }
        try await engine.run(for: .hours(2))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("a retry tries at once")
    func retry() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.users = [] }
        let view = try await engine.booked("fixed")
        engine.zoom.change { $0.users = [ZoomSandbox.User("ana@northwind.example")] }
        _ = try await engine.service.retry(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("a meeting that was deleted at Zoom counts as gone when Zoom has said so twice")
    func gone() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("fixed")
        engine.zoom.deleteAtPortal(engine.zoom.meetings[0].id)
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .pending)
        try await engine.run(for: .minutes(1))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.problem?.code == .meetingGone)
        _ = try await engine.service.retry(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("a meeting that was called gone once is asked for again, though the account refused in between")
    func goneWhileBlocked() async throws {
        let engine = try await TestEngine()
        let start = Instant(seconds: (engine.clock.now + .minutes(50)).seconds).rfc3339
        let view = try await engine.booked("fixed", at: start)
        engine.zoom.deleteAtPortal(engine.zoom.meetings[0].id)
        try await ProviderEvents(engine.context).touched(try #require(view.booking.meeting.room?.meetingID))
        _ = try await engine.worker.pump()
        engine.zoom.inject(.unauthorized, .unauthorized)
        try await engine.run(for: .minutes(10))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.problem?.code == .meetingGone)
    }

    @Test("with on-drift: recreate a deleted meeting is made anew, and mailed")
    func recreate() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("healing")
        engine.zoom.deleteAtPortal(engine.zoom.meetings[0].id)
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        try await engine.run(for: .minutes(1))
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .ready)
        #expect(after.booking.meeting.room != view.booking.meeting.room)
        #expect(after.mails.contains { $0.revision == after.booking.revision && $0.state == .sent })
    }

    @Test("without an update scope the change is made here, and the timeline says that the room stays as it was")
    func noUpdateScope() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("fixed")
        engine.zoom.change { $0.scopes.remove("meeting:update:meeting:admin") }
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
        #expect(try await engine.context.store.read { try $0.timeline(of: view.booking.id) }.contains { $0.event == "meeting.unchanged" })
    }

    @Test("mail that is refused for good shows as failed, and a later retry sends it")
    func refusedMail() async throws {
        let engine = try await TestEngine(mail: { $0.recipient == "bo@example.org" ? .refused("550 no such user") : .accepted })
        let view = try await engine.booked()
        #expect(view.booking.readers.map(view.confirmation) == [.failed, .sent])
    }
}
