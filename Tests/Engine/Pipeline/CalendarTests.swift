import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(2)))
struct CalendarTests {
    private func events(_ engine: TestEngine, _ id: String) async throws -> [String] {
        try await engine.context.store.read { try $0.timeline(of: id) }.map(\.event).filter { $0.hasPrefix("calendar.") }
    }

    private func ownersMail(_ engine: TestEngine) -> String {
        String(decoding: engine.mailer.taken.last { $0.recipient == "ana@northwind.example" }?.bytes ?? [], as: UTF8.self)
    }

    @Test("with Google connected, a Zoom booking stands on the owner's calendar with its link, and follows it until it is cancelled")
    func follows() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        let view = try await engine.booked("diary")
        let id = try #require(engine.google.live.first)
        let link = try #require(view.booking.meeting.room?.joinURL)
        #expect(engine.google.live.count == 1)
        #expect(engine.google.field("location", of: id) == link)
        #expect(engine.google.field("description", of: id)?.contains(link) == true)
        #expect(engine.google.field("summary", of: id) == "On my calendar")
        #expect(!ownersMail(engine).contains("text/calendar") && !ownersMail(engine).contains("invite.ics"))

        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        _ = try await engine.worker.pump()
        #expect(engine.google.live == [id])
        #expect(engine.google.start(of: id) == "2026-12-02T10:00:00Z")

        _ = try await engine.service.cancel(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(engine.google.live.isEmpty)
        #expect(try await events(engine, view.booking.id) == ["calendar.added", "calendar.updated", "calendar.removed"])
        #expect(engine.google.violations.isEmpty, "\(engine.google.violations)")
    }

    @Test("without a calendar it is skipped with a line on the timeline, no problem is shown, and the owner's mail brings the file")
    func skipped() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("diary")
        #expect(view.booking.meeting.status == .ready && view.booking.meeting.problem == nil)
        #expect(try await events(engine, view.booking.id) == ["calendar.skipped"])
        #expect(ownersMail(engine).contains("invite.ics"))
    }

    @Test("nobody waits for a calendar that is down, and an answer that was lost makes no second event")
    func unclear() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        engine.google.inject(.cutAfter)
        let view = try await engine.booked("diary")
        #expect(view.booking.meeting.status == .ready)
        #expect(view.mails.allSatisfy { $0.state == .sent })
        try await engine.run(for: .minutes(5))
        #expect(engine.google.live.count == 1)
        #expect(engine.google.created == 1)
        #expect(try await events(engine, view.booking.id) == ["calendar.failed", "calendar.added"])
    }

    @Test("an event that its owner has taken out of the calendar is left alone")
    func takenOut() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        let view = try await engine.booked("diary")
        engine.google.deleteByHand(try #require(engine.google.live.first))
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        try await engine.run(for: .hours(3))
        #expect(engine.google.live.isEmpty)
        #expect(engine.google.created == 1)
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("a cancellation takes the event out though nobody could be told of the booking")
    func untold() async throws {
        let engine = try await TestEngine(mail: { _ in .later("down") })
        _ = try await engine.connectGoogle()
        let view = try await engine.booked("diary")
        #expect(engine.google.live.count == 1)
        _ = try await engine.service.cancel(view.booking.id)
        try await engine.run(for: .minutes(2))
        #expect(engine.google.live.isEmpty)
    }

    @Test("a cancellation takes out an event that was given up without knowing whether it is there")
    func givenUp() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        _ = try await engine.worker.pump()
        engine.google.inject(.cutAfter, .refused(status: 400, reason: "invalid"))
        let view = try await engine.booked("diary")
        try await engine.run(for: .minutes(5))
        #expect(try await events(engine, view.booking.id) == ["calendar.failed", "calendar.given-up"])
        #expect(engine.google.live.count == 1)
        _ = try await engine.service.cancel(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(engine.google.live.isEmpty)
    }

    @Test("an event of which nobody knows whether it was moved follows its booking back")
    func movedBackUnclear() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        let view = try await engine.booked("diary")
        let (id, start) = (try #require(engine.google.live.first), try #require(engine.google.live.first.flatMap(engine.google.start)))
        engine.google.inject(.none, .cutAfter)
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        for _ in 0..<20 where try await events(engine, view.booking.id) == ["calendar.added"] {
            for work in try await engine.worker.claim(limit: 1) { await engine.worker.run(work) }
        }
        #expect(engine.google.start(of: id) == "2026-12-02T10:00:00Z")
        #expect(try await events(engine, view.booking.id) == ["calendar.added", "calendar.failed"])
        _ = try await engine.service.reschedule(view.booking.id, to: view.booking.start.rfc3339)
        try await engine.run(for: .minutes(5))
        #expect(engine.google.live == [id] && engine.google.start(of: id) == start)
    }

    @Test("a move takes up an event that a long outage kept from being changed")
    func movedAfterOutage() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        let start = engine.clock.now + .minutes(30)
        let view = try await engine.booked("diary", at: start.rfc3339)
        let id = try #require(engine.google.live.first)
        for _ in 0..<40 { engine.google.inject(.errorAfter(status: 503)) }
        _ = try await engine.service.reschedule(view.booking.id, to: (start + .minutes(5)).rfc3339)
        try await engine.run(for: (start + .minutes(34)) - engine.clock.now)
        #expect(try await events(engine, view.booking.id).last == "calendar.given-up")
        engine.google.clearFaults()
        try await engine.context.store.write { tx in
            var booking = try #require(try tx.booking(view.booking.id))
            (booking.start, booking.end) = (engine.clock.now + .hours(2), engine.clock.now + .hours(3))
            try tx.update(booking)
            try tx.enqueue([ScheduledJob(.syncCalendar(booking: booking.id), due: engine.clock.now)])
        }
        _ = try await engine.worker.pump()
        #expect(try await events(engine, view.booking.id).last == "calendar.updated")
        #expect(engine.google.live == [id])
    }

    @Test("an event that is not needed any more and cannot be removed is left alone, and asked for no more")
    func unneeded() async throws {
        let engine = try await TestEngine(
            catalog: TestCatalog.text.replacing(
                "meet: { title: \"At Google Meet\", duration: 30m,",
                with: "meet: { title: \"At Google Meet\", duration: 30m, calendar: true,"))
        let id = try await engine.booked("meet").booking.id
        _ = try await engine.connectGoogle()
        let account = try await Connections(engine.context).list(owner: "ana")[0].account.id
        try await engine.run(for: .minutes(2))
        // It was put on the calendar before its room, which is an event itself, was there.
        try await engine.context.store.write { tx in
            try tx.save(
                CalendarRecord(bookingID: id, provider: "meet", accountID: account, eventID: "event", state: .made, digest: ""))
            try tx.enqueue([ScheduledJob(.syncCalendar(booking: id), due: engine.clock.now)])
        }
        engine.google.inject(.refused(status: 400, reason: "invalid"), .refused(status: 400, reason: "invalid"))
        _ = try await engine.worker.pump()
        #expect(try await events(engine, id).filter { $0 == "calendar.remains" }.count == 1)
        #expect(try await engine.context.store.read { try $0.calendarRecord(of: id)?.state } == .over)
    }

    @Test("a calendar that refused for a moment is asked again soon after")
    func refusedForAMoment() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        engine.google.inject(.unauthorized, .unauthorized)
        let view = try await engine.booked("diary")
        #expect(engine.google.live.isEmpty)
        try await engine.run(for: .minutes(5))
        #expect(try await events(engine, view.booking.id) == ["calendar.failed", "calendar.added"])
    }

    @Test("an account without a calendar that is connected says nothing new of calendars")
    func otherAccount() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("diary")
        _ = try await engine.connect()
        _ = try await engine.worker.pump()
        #expect(try await events(engine, view.booking.id) == ["calendar.skipped"])
    }

    @Test("a calendar that is connected again catches up with what was moved meanwhile")
    func reconnected() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        let view = try await engine.booked("diary")
        let id = try #require(engine.google.live.first)
        try await Connections(engine.context).disconnect(owner: "ana", provider: "meet")
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        _ = try await engine.worker.pump()
        #expect(engine.google.start(of: id) == "2026-12-01T10:00:00Z")
        _ = try await engine.connectGoogle()
        _ = try await engine.worker.pump()
        #expect(engine.google.start(of: id) == "2026-12-02T10:00:00Z")
    }

    @Test("a meeting that is held at Google Meet is an event already, and gets no second one")
    func meetIsOne() async throws {
        let engine = try await TestEngine(
            catalog: TestCatalog.text.replacing(
                "meet: { title: \"At Google Meet\", duration: 30m,",
                with: "meet: { title: \"At Google Meet\", duration: 30m, calendar: true,"))
        _ = try await engine.connectGoogle()
        _ = try await engine.booked("meet")
        #expect(engine.google.live.count == 1)
        #expect(!ownersMail(engine).contains("invite.ics"))
    }
}
