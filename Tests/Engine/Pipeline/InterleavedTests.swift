import Foundation
import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

/// What people and services do while something else is under way.
@Suite(.timeLimit(.minutes(2)))
struct InterleavedTests {
    /// A way to the sandbox on which something happens once, after an answer and before it is heard.
    private final class Meanwhile: Transport {
        private let carryOut: @Sendable (HTTPRequest) async throws(TransportError) -> HTTPResponse
        private let matches: @Sendable (HTTPRequest) -> Bool
        private let action = Mutex<(@Sendable () async throws -> Void)?>(nil)

        init(_ sandbox: SandboxTransport, _ matches: @escaping @Sendable (HTTPRequest) -> Bool) {
            carryOut = { request async throws(TransportError) in try await sandbox.send(request) }
            self.matches = matches
        }

        func arm(_ body: @escaping @Sendable () async throws -> Void) { action.withLock { $0 = body } }

        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            let answer = try await carryOut(request)
            guard matches(request),
                let body = action.withLock({ action in
                    defer { action = nil }; return action
                })
            else { return answer }
            do { try await body() } catch { throw .unclear("\(error)") }
            return answer
        }
    }

    private static func engine(_ matches: @escaping @Sendable (HTTPRequest) -> Bool) async throws -> (TestEngine, Meanwhile) {
        let made = Mutex<Meanwhile?>(nil)
        let engine = try await TestEngine(transport: { sandbox in
            let meanwhile = Meanwhile(sandbox, matches)
            made.withLock { $0 = meanwhile }
            return meanwhile
        })
        return (engine, try #require(made.withLock { $0 }))
    }

    @Test("a room that a person has tried again while its twin is looked for is tried again at once")
    func retryDuringSearch() async throws {
        let engine = try await TestEngine()
        _ = try await engine.booked("fixed", at: "2026-12-09T10:00:00Z")
        // Nobody knows what became of the first create; the look finds nothing, and the second is refused for the day.
        engine.zoom.inject(.errorBefore(status: 503))
        engine.zoom.change { $0.dailyLimit = 1 }
        let id = try await engine.service.book(TestEngine.request("fixed")).value.booking.id
        try await engine.run(for: .seconds(45))
        let waiting = try #require(try await engine.context.store.read { try $0.rooms(of: id).last })
        #expect(waiting.state == .absent && waiting.duplicateCheckAt < engine.clock.now + .minutes(2), "\(waiting)")
        engine.clock.advance(to: waiting.duplicateCheckAt)
        let works = try await engine.worker.claim(limit: 8)
        #expect(!works.isEmpty)
        engine.zoom.change { $0.dailyLimit = 100 }
        _ = try await engine.service.retry(id)
        for work in works { await engine.worker.run(work) }
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(id).booking.meeting.status == .ready)
        #expect(engine.zoom.meetings.count == 2)
    }

    @Test("a grant that is renewed while its connection is ended is ended at the service, too")
    func disconnectDuringRenewal() async throws {
        let (engine, meanwhile) = try await Self.engine { String(decoding: $0.body, as: UTF8.self).contains("grant_type=refresh_token") }
        _ = try await engine.connect()
        engine.clock.advance(by: .hours(2))
        meanwhile.arm { _ = try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom") }
        let view = try await engine.booked("mine")
        #expect(view.booking.meeting.problem?.code == .notConnected)
        try await engine.run(for: .minutes(5))
        #expect(engine.zoom.connectedUsers.isEmpty)
    }

    @Test(
        "a room that waits for an account is made once it is connected, though the database was doubted meanwhile",
        arguments: ["mine", "meet"])
    func doubtedBeforeConnection(type: String) async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked(type)
        #expect(view.booking.meeting.status == .blocked)
        try await engine.context.store.write { try $0.doubtAfterRestore() }
        _ = try await engine.connect()
        _ = try await engine.connectGoogle()
        try await engine.run(for: .minutes(10))
        let booking = try await engine.service.view(view.booking.id).booking
        #expect(booking.meeting.status == .ready, "\(booking.meeting)")
        #expect(engine.zoom.meetings.count + engine.google.live.count == 1)
    }

    @Test("what a provider of another module says of a room means nothing: nothing is changed, and nothing counts as removed")
    func otherModule() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("fixed")
        let mails = engine.mailer.taken.count
        let before = engine.context.catalog.current
        let text = TestCatalog.text.replacing(
            "campus: { module: zoom-s2s }", with: "campus: { module: jitsi, url: \"https://jitsi.northwind.example\" }")
        engine.context.catalog.put(try TestCatalog.read(text))
        try await engine.run(for: .days(1))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.room == view.booking.meeting.room)
        #expect(engine.mailer.taken.count == mails)
        _ = try await engine.service.cancel(view.booking.id)
        try await engine.run(for: .minutes(5))
        #expect(engine.zoom.meetings.count == 1)
        #expect(try await engine.context.store.read { try $0.rooms(of: view.booking.id).last?.state } == .removing)
        engine.context.catalog.put(before)
        try await engine.run(for: .days(1))
        #expect(engine.zoom.meetings.isEmpty)
    }

    @Test("what was not asked for yet is made by the module that its provider has by now, and a former link just ends")
    func laterModule() async throws {
        let engine = try await TestEngine()
        let later = try await engine.booked("later").booking.id
        let open = try await engine.booked("open", at: "2026-12-02T10:00:00Z").booking.id
        let jitsi = "{ module: jitsi, url: \"https://jitsi.northwind.example\" }"
        let text = TestCatalog.text.split(separator: "\n").map { line in
            ["room", "campus"].first { line.hasPrefix("  \($0): {") }.map { "  \($0): \(jitsi)" } ?? String(line)
        }.joined(separator: "\n")
        engine.context.catalog.put(try TestCatalog.read(text))
        _ = try await engine.service.enter(later)
        _ = try await engine.service.cancel(open)
        _ = try await engine.worker.pump()
        let meeting = try await engine.service.view(later).booking.meeting
        #expect(meeting.status == .ready && meeting.room?.joinURL.hasPrefix("https://jitsi.northwind.example") == true, "\(meeting)")
        #expect(try await engine.context.store.read { try $0.rooms(of: open).last?.state } == .removed)
        #expect(try await engine.context.health.all().isEmpty)
    }

    @Test("a room whose move was refused is where it was, and fits a booking that is moved back")
    func movedBackAfterRefusal() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("fixed")
        engine.zoom.change { $0.dailyLimit = 1 }
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-03T10:00:00Z")
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.problem?.code == .dailyLimit)
        _ = try await engine.service.reschedule(view.booking.id, to: view.booking.start.rfc3339)
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("of a room on the click that is an event by itself, no second entry stays on the calendar")
    func clickAtMeet() async throws {
        let type = "  click: { title: \"On the click\", duration: 30m, provider: meet, provision: on-join, calendar: true }\n"
        let engine = try await TestEngine(catalog: TestCatalog.text + "\n" + type)
        _ = try await engine.connectGoogle()
        let view = try await engine.booked("click")
        #expect(engine.google.live.count == 1, "the entry alone")
        _ = try await engine.service.enter(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
        #expect(engine.google.live.count == 1, "the room alone")
    }

    @Test("presses for a test meeting at the same moment make one")
    func manyPresses() async throws {
        let engine = try await TestEngine()
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await engine.service.bookTest(owner: "ana", provider: "campus").booking.id } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(ids).count == 1)
        _ = try await engine.worker.pump()
        #expect(engine.zoom.meetings.count == 1)
        // One that was taken away is another matter.
        _ = try await engine.service.cancel(ids[0])
        let next = try await engine.service.bookTest(owner: "ana", provider: "campus")
        #expect(next.booking.id != ids[0] && next.booking.status == .confirmed)
    }

    @Test("a test meeting takes itself away after an hour, with its room, and without a mail")
    func endOfTest() async throws {
        let engine = try await TestEngine()
        let id = try await engine.service.bookTest(owner: "ana", provider: "campus").booking.id
        let other = try await engine.service.book(TestEngine.request("fixed")).value.booking.id
        try await engine.run(for: .minutes(59))
        let mails = engine.mailer.taken.count
        #expect(engine.zoom.meetings.count == 2 && mails > 0)
        try await engine.run(for: .minutes(2))
        #expect(try await engine.service.view(id).booking.status == .cancelled)
        #expect(try await engine.service.view(other).booking.status == .confirmed)
        #expect(engine.zoom.meetings.count == 1)
        #expect(engine.mailer.taken.count == mails)
    }

    @Test("nobody is erased before they were told that their meeting is cancelled, nor an owner whose rooms are still to go")
    func eraseDuringCancellation() async throws {
        let engine = try await TestEngine()
        let persons = PersonService(engine.context)
        let id = try await engine.booked("fixed", owner: "tom").booking.id
        _ = try await engine.service.cancel(id)
        let early = try await persons.erase("bo@example.org", isDryRun: false)
        #expect(early.remains.contains { $0.contains(id) && $0.contains("on its way") }, "\(early.remains)")
        let text = TestCatalog.text.replacing("  tom: { name: Tom Berg, email: tom@northwind.example }\n", with: "")
        let catalog = try TestCatalog.read(text)
        try await engine.context.store.write { try engine.context.follow(catalog.owners, $0) }
        let owner = try await persons.erase("tom@northwind.example", isDryRun: false)
        #expect(owner.remains.contains { $0.contains("former owner 'tom'") && $0.contains("on its way") }, "\(owner.remains)")
        try await engine.run(for: .minutes(15))
        #expect(engine.zoom.meetings.isEmpty)
        #expect(
            engine.mailer.taken.contains {
                $0.recipient == "bo@example.org" && String(decoding: $0.bytes, as: UTF8.self).contains("CANCEL")
            })
        #expect(!engine.mailer.taken.contains { $0.recipient.contains("erased") })
        for mail in ["bo@example.org", "tom@northwind.example"] {
            let late = try await persons.erase(mail, isDryRun: false)
            #expect(!late.remains.contains { $0.contains("on its way") }, "\(late.remains)")
        }
    }

    @Test("a database that was put elsewhere is doubted as a restored one is: a room may have been made after the copy")
    func movedDatabase() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("mine")
        let store = engine.context.store
        let random = engine.context.environment.random
        try await store.settle(place: "here", now: engine.clock.now, random: random)
        #expect(try await store.read { try $0.rooms(of: view.booking.id).last?.state } == .absent)
        try await store.settle(place: "elsewhere", now: engine.clock.now, random: random)
        #expect(store.isHeld)
        #expect(try await store.read { try $0.rooms(of: view.booking.id).last?.state } == .unclear)
    }
}
