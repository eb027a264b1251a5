import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(2)))
struct ExactlyOnceTests {
    /// An engine whose Zoom token is there already, so that the next fault meets the next call.
    private func warmed(listDelay: Duration = .zero) async throws -> TestEngine {
        var account = TestEngine.account
        account.listDelay = listDelay
        let engine = try await TestEngine(account: account)
        let first = try await engine.booked("fixed", owner: "tom")
        _ = try await engine.service.cancel(first.booking.id)
        _ = try await engine.worker.pump()
        #expect(engine.zoom.meetings.isEmpty)
        return engine
    }

    @Test("a create whose answer is lost is found by its key, and not repeated")
    func lostAnswer() async throws {
        let engine = try await warmed()
        engine.zoom.inject(.cutAfter)
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.status == .ready)
        #expect(engine.zoom.ledger.count { $0.event == .created } == 2)
        #expect(engine.zoom.meetings.map { String($0.id) } == [view.booking.meeting.room?.meetingID])
    }

    @Test("a meeting that is over is given no room: not when someone enters late, and not when nobody could work before")
    func overBeforeItsRoom() async throws {
        let engine = try await TestEngine()
        let later = try await engine.booked("later").booking.id
        let waiting = try await engine.service.book(TestEngine.request("fixed", at: "2026-12-02T10:00:00Z")).value.booking.id
        engine.clock.advance(by: .days(30))
        #expect(try await engine.service.enter(later).booking.meeting.status == .onJoin)
        _ = try await engine.worker.pump()
        let given = try await engine.service.view(waiting).booking.meeting
        #expect(given.status == .failed && given.problem?.code == .unavailable)
        #expect(engine.zoom.ledger.isEmpty)
    }

    @Test("an answer that comes too late is no answer: the room is found by its key")
    func late() async throws {
        let engine = try await TestEngine()
        engine.zoom.inject(.late(.zero), .late(.seconds(120)))
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.status == .ready)
        #expect(engine.zoom.ledger.count { $0.event == .created } == 1)
    }

    @Test("a room that is listed late is found as soon as it may be listed")
    func lateList() async throws {
        let engine = try await warmed(listDelay: .seconds(8))
        engine.zoom.inject(.cutAfter)
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.status == .pending)
        try await engine.run(for: .seconds(11))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
        #expect(engine.zoom.meetings.count == 1)
    }

    @Test("a create that made nothing is repeated under the same key once that is certain")
    func nothingMade() async throws {
        let engine = try await warmed()
        engine.zoom.inject(.errorBefore(status: 503))
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.status == .pending)
        try await engine.run(for: .seconds(11))
        // The clock of the process that created may be behind.
        #expect(engine.zoom.meetings.isEmpty)
        try await engine.run(for: .seconds(10))
        let rooms = try await engine.context.store.read { try $0.rooms(of: view.booking.id) }
        #expect(rooms.count == 1)
        #expect(engine.zoom.meetings.count == 1)
    }

    @Test("the twin of a repeated create that turns up minutes later is removed")
    func twin() async throws {
        let engine = try await warmed(listDelay: .seconds(40))
        engine.zoom.inject(.cutAfter)
        let view = try await engine.booked("fixed")
        try await engine.run(for: .seconds(22))
        #expect(engine.zoom.meetings.count == 2)
        try await engine.run(for: .minutes(2))
        let held = try await engine.service.view(view.booking.id).booking.meeting.room?.meetingID
        #expect(engine.zoom.meetings.map { String($0.id) } == [held])
    }

    @Test("an unclear create whose booking is cancelled is settled and removed")
    func cancelledWhileUnclear() async throws {
        let engine = try await warmed(listDelay: .seconds(5))
        engine.zoom.inject(.cutAfter)
        let view = try await engine.booked("fixed")
        _ = try await engine.service.cancel(view.booking.id)
        try await engine.run(for: .minutes(1))
        #expect(engine.zoom.meetings.isEmpty)
    }

    @Test("a fallback is not tried while the create is unclear, and a twin at the first provider is removed")
    func fallbackWaitsForClarity() async throws {
        let engine = try await warmed(listDelay: .seconds(40))
        engine.zoom.inject(.cutAfter)
        let view = try await engine.booked("safe")
        #expect(view.booking.meeting.provider == "campus")
        try await engine.run(for: .seconds(9))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.provider == "campus")
        try await engine.run(for: .minutes(15))
        #expect(engine.zoom.meetings.count == 1)
    }

    @Test("without a list scope an unclear create is parked and never repeated")
    func parkedWithoutListScope() async throws {
        let engine = try await warmed()
        engine.zoom.change { $0.scopes.remove("meeting:read:list_meetings:admin") }
        engine.zoom.inject(.cutAfter)
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.status == .blocked)
        #expect(view.booking.meeting.problem?.code == .missingScope)
        try await engine.run(for: .hours(3))
        #expect(engine.zoom.ledger.count { $0.event == .created } == 2)
        engine.zoom.change { $0.scopes.insert("meeting:read:list_meetings:admin") }
        try await engine.run(for: .hours(2))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
        #expect(engine.zoom.ledger.count { $0.event == .created } == 2)
    }

    @Test("an app that may not delete is asked at each sweep while the meeting is to come, told of once, and never after it")
    func remainsWithoutDeleteScope() async throws {
        let engine = try await warmed()
        engine.zoom.change { $0.scopes.remove("meeting:delete:meeting:admin") }
        let view = try await engine.booked("fixed")
        _ = try await engine.service.cancel(view.booking.id)
        try await engine.run(for: .days(2))
        let events = try await engine.context.store.read { try $0.timeline(of: view.booking.id).map(\.event) }
        #expect(events.count { $0 == "meeting.remains" } == 1)
        #expect(!events.contains("meeting.stray"))
        engine.zoom.change { $0.scopes.insert("meeting:delete:meeting:admin") }
        try await engine.run(for: .hours(7))
        #expect(engine.zoom.meetings.isEmpty)
    }

    @Test("rounds that go well are no failures, however many there were")
    func healthyRounds() async throws {
        let engine = try await warmed()
        _ = try await engine.booked("fixed")
        try await engine.run(for: .days(2))
        let troubled = try await engine.context.store.read { try $0.troubledKinds().map(\.kind) }
        #expect(!troubled.contains("sweep"))
    }

    @Test("what nobody can mend is not tried for ever: after the meeting the look for its twin ends")
    func looksEnd() async throws {
        let engine = try await warmed()
        engine.zoom.change { $0.scopes.remove("meeting:delete:meeting:admin") }
        let view = try await engine.booked("fixed")
        _ = try await engine.service.cancel(view.booking.id)
        try await engine.run(for: .hours(7))
        let length = view.booking.end - engine.clock.now + .hours(2)
        try await engine.run(for: length)
        let left = try await engine.context.store.read { try $0.waitingJobs(now: .never).map(\.kind) }
        #expect(!left.contains("provision"), "\(left)")
    }

    @Test("a booking that is moved away and back before its room was is ready again, whatever was under way", arguments: [false, true])
    func movedBack(isUnderWay: Bool) async throws {
        let engine = try await warmed()
        let view = try await engine.booked("fixed")
        let start = view.booking.start
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-03T10:00:00Z")
        let works = isUnderWay ? try await engine.worker.claim(limit: 8) : []
        _ = try await engine.service.reschedule(view.booking.id, to: start.rfc3339)
        for work in works { await engine.worker.run(work) }
        _ = try await engine.worker.pump()
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .ready && after.booking.start == start)
        #expect(engine.zoom.meetings.map(\.start) == [start])
        #expect(after.mails.filter { $0.revision == after.booking.revision }.allSatisfy { $0.state == .sent })
    }

    @Test("a booking that is moved back while nobody knows whether its room was moved has the room moved back")
    func movedBackUnclear() async throws {
        let engine = try await warmed()
        let view = try await engine.booked("fixed")
        let start = view.booking.start
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-03T10:00:00Z")
        engine.zoom.inject(.late(.zero), .cutAfter)
        for work in try await engine.worker.claim(limit: 8) { await engine.worker.run(work) }
        #expect(engine.zoom.meetings.map(\.start) == [Instant(rfc3339: "2026-12-03T10:00:00Z")])
        _ = try await engine.service.reschedule(view.booking.id, to: start.rfc3339)
        try await engine.run(for: .minutes(5))
        #expect(engine.zoom.meetings.map(\.start) == [start])
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("the sweeper has a stray room removed, and leaves foreign and unknown ones alone")
    func sweep() async throws {
        let engine = try await warmed()
        let view = try await engine.booked("fixed")
        let key = try await engine.context.store.read { try $0.rooms(of: view.booking.id)[0].key }
        let start = engine.clock.now + .days(3)
        let stray = engine.zoom.makeForeign(host: "ana@northwind.example", agenda: "[usher:\(key)]", start: start)
        let unknown = engine.zoom.makeForeign(host: "ana@northwind.example", agenda: "[usher:zzzz]", start: start)
        let foreign = engine.zoom.makeForeign(host: "ana@northwind.example", agenda: "Lunch", start: start)
        try await engine.run(for: .hours(7))
        let left = Set(engine.zoom.meetings.map(\.id))
        #expect(!left.contains(stray))
        #expect(left.isSuperset(of: [unknown, foreign]))
        #expect(left.count == 3)
    }

    @Test("what a transaction wrote and took back is not found by the next one")
    func takenBack() async throws {
        struct TakenBack: Error {}
        let engine = try await TestEngine()
        let id = try await engine.booked().booking.id
        let before = try await engine.context.store.read { try $0.booking(id) }
        await #expect(throws: TakenBack.self) {
            try await engine.context.store.write { tx in
                var booking = try #require(try tx.booking(id))
                booking.meeting.status = .failed
                booking.revision += 1
                try tx.update(booking)
                throw TakenBack()
            }
        }
        #expect(try await engine.context.store.read { try $0.booking(id) } == before)
    }
}
