import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(2)))
struct ReminderTests {
    private static let catalog = TestCatalog.text.replacing(
        "healing: { title: \"Healing\",",
        with: "reminded: { title: \"Reminded\", duration: 30m, provider: campus, reminders: [1d, 15m] }\n  healing: { title: \"Healing\",")

    /// What Bo's mails are for, from the second on, in order: one with an invitation bears the event's title, and its calendar part tells.
    private func later(_ engine: TestEngine) -> [String] {
        engine.mailer.taken.filter { $0.recipient == "bo@example.org" }.dropFirst().map { mail in
            let text = String(decoding: mail.bytes, as: UTF8.self)
            if text.contains("\r\nSubject: Reminder: ") { return "Reminder" }
            #expect(text.contains("\r\nSubject: Reminded\r\n"))
            return text.contains("method=CANCEL") ? "Cancelled" : "Changed"
        }
    }

    @Test("each reader is reminded at each time, in the thread of the first mail, without a calendar file")
    func reminded() async throws {
        let engine = try await TestEngine(catalog: Self.catalog)
        _ = try await engine.booked("reminded")
        engine.clock.advance(to: try instant("2026-11-30T09:59:00Z"))
        _ = try await engine.worker.pump()
        #expect(later(engine).isEmpty)
        try await engine.run(for: .minutes(2))
        #expect(later(engine) == ["Reminder"])
        try await engine.run(for: .days(1))
        #expect(later(engine) == ["Reminder", "Reminder"])
        #expect(engine.mailer.taken.filter { $0.recipient == "ana@northwind.example" }.count == 3)
        let texts = engine.mailer.taken.map { String(decoding: $0.bytes, as: UTF8.self) }
        let reminders = texts.filter { $0.contains("Subject: Reminder") }
        #expect(reminders.count == 4)
        #expect(reminders.allSatisfy { !$0.contains("text/calendar") && !$0.contains("invite.ics") && $0.contains("In-Reply-To: ") })
        #expect(texts[0].contains("invite.ics"))
    }

    @Test("a reminder beside a confirmation that is late stands in its thread, whichever arrives first")
    func lateConfirmation() async throws {
        let isLate = Mutex(true)
        let engine = try await TestEngine(
            catalog: Self.catalog,
            mail: { mail in mail.recipient == "bo@example.org" && isLate.withLock { $0 } ? .later("451") : .accepted })
        _ = try await engine.booked("reminded", at: "2026-11-24T09:00:00Z")
        try await engine.run(for: .minutes(46))
        isLate.withLock { $0 = false }
        try await engine.run(for: .hours(2))
        let mails = engine.mailer.taken.filter { $0.recipient == "bo@example.org" }.map { String(decoding: $0.bytes, as: UTF8.self) }
        let threads = mails.map { mail in
            let lines = mail.split(separator: "\r\n")
            return (lines.first { $0.hasPrefix("References: ") } ?? lines.first { $0.hasPrefix("Message-ID: ") })?.split(separator: " ")
                .last
        }
        #expect(mails.count == 2)
        #expect(Set(threads).count == 1, "\(threads)")
    }

    @Test("whatever the clocks of the servers say, the first mail to a reader stays the first of its thread")
    func clocksApart() async throws {
        let engine = try await TestEngine(catalog: Self.catalog)
        let early = try TestEngine.context(
            database: engine.context.store.database, transport: engine.context.transport, mailer: engine.mailer, clock: engine.clock,
            seed: engine.seed, catalog: try TestCatalog.read(Self.catalog), skew: { .seconds(5) })
        let view = try await BookingService(early).book(TestEngine.request("reminded")).value
        _ = try await Worker(early).pump()
        for day in [2, 3] {
            engine.clock.advance(by: .seconds(1))
            _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-0\(day)T10:00:00Z")
            _ = try await engine.worker.pump()
        }
        let mails = try await engine.context.store.read { try $0.mails(of: view.booking.id) }.filter { $0.reader == .owner }
        #expect(mails.map(\.revision) == mails.map(\.revision).sorted())
        #expect(Set(mails.dropFirst().map(\.threadID)) == [mails[0].messageID])
    }

    @Test("a time that had passed when the booking was made, or moved, is not made up for")
    func passed() async throws {
        let engine = try await TestEngine(catalog: Self.catalog)
        let view = try await engine.booked("reminded", at: "2026-11-24T09:00:00Z")
        try await engine.run(for: .minutes(30))
        #expect(later(engine).isEmpty)
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-11-24T10:00:00Z")
        try await engine.run(for: .hours(2))
        #expect(later(engine) == ["Changed", "Reminder"])
    }

    @Test("of the times that passed while nothing ran, the last one is told, and nothing after the start")
    func down() async throws {
        let engine = try await TestEngine(catalog: Self.catalog)
        _ = try await engine.booked("reminded")
        engine.clock.advance(to: try instant("2026-12-01T09:50:00Z"))
        _ = try await engine.worker.pump()
        #expect(later(engine) == ["Reminder"])
        let other = try await TestEngine(catalog: Self.catalog)
        _ = try await other.booked("reminded")
        other.clock.advance(to: try instant("2026-12-01T10:05:00Z"))
        _ = try await other.worker.pump()
        #expect(later(other).isEmpty)
    }

    @Test("a cancelled booking reminds nobody, and a new link is no reason to remind twice")
    func quiet() async throws {
        let engine = try await TestEngine(catalog: Self.catalog)
        let view = try await engine.booked("reminded")
        engine.clock.advance(to: try instant("2026-11-30T10:01:00Z"))
        _ = try await engine.worker.pump()
        engine.zoom.editAtPortal(try #require(engine.zoom.meetings.first?.id)) { $0.passcode = "another1" }
        try await ProviderEvents(engine.context).touched(try #require(engine.zoom.meetings.first.map { String($0.id) }))
        try await engine.run(for: .minutes(10))
        #expect(later(engine) == ["Reminder", "Changed"])
        _ = try await engine.service.cancel(view.booking.id)
        try await engine.run(for: .days(2))
        #expect(later(engine) == ["Reminder", "Changed", "Cancelled"])
    }

    @Test("a reminder that could not leave is told as things stand then")
    func overtaken() async throws {
        let outcomes = Outcomes([.accepted, .accepted, .later("down"), .later("down")])
        let engine = try await TestEngine(catalog: Self.catalog, mail: { outcomes.next($0) })
        let view = try await engine.booked("reminded")
        engine.clock.advance(to: try instant("2026-11-30T10:00:01Z"))
        _ = try await engine.worker.pump()
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-01T11:00:00Z")
        try await engine.run(for: .days(2))
        #expect(later(engine) == ["Changed", "Reminder", "Reminder"])
    }

    @Test("a reminder that may have arrived is not told once more when a new link comes before its answer")
    func perhapsThere() async throws {
        let outcomes = Outcomes([.accepted, .accepted, .unclear("cut"), .unclear("cut")])
        let engine = try await TestEngine(catalog: Self.catalog, mail: { outcomes.next($0) })
        _ = try await engine.booked("reminded")
        engine.clock.advance(to: try instant("2026-11-30T10:00:01Z"))
        _ = try await engine.worker.pump()
        engine.zoom.editAtPortal(try #require(engine.zoom.meetings.first?.id)) { $0.passcode = "another1" }
        try await ProviderEvents(engine.context).touched(try #require(engine.zoom.meetings.first.map { String($0.id) }))
        try await engine.run(for: .minutes(30))
        #expect(later(engine) == ["Changed"])
    }

    private func instant(_ text: String) throws -> Instant {
        guard case .instant(let instant)? = WrittenTime(text) else { throw UsherError(.internalError, "no time") }
        return instant
    }
}
