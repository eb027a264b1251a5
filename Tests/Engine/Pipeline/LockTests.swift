import Foundation
import Synchronization
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherPostgreSQL
import UsherStore

/// What a transaction decides about it locks with its first read: whoever changes the same meanwhile is waited for, and what they wrote is
/// seen. READ COMMITTED alone would lose the one or the other.
@Suite(.timeLimit(.minutes(3)))
struct LockTests {
    @Test(
        "a booking that somebody changes is waited for, and read as they leave it",
        arguments: ["wholeBooking", "booking", "revision", "mailAndBooking"])
    func booking(read: String) async throws {
        let (engine, database) = try await engine()
        let view = try await engine.booked("open")
        let (id, mail) = (view.booking.id, try #require(view.mails.first).id)
        let seen = try await beside("UPDATE bookings SET revision = 77 WHERE id = '\(id)'", database) {
            try await engine.context.store.write { tx in
                switch read {
                case "wholeBooking": try tx.wholeBooking(id)?.revision
                case "booking": try tx.booking(id)?.revision
                case "revision": try tx.revision(of: id)
                default: try tx.mailAndBooking(mail)?.booking.revision
                }
            }
        }
        #expect(seen == 77)
    }

    @Test("a reschedule beside a room's outcome loses neither")
    func outcomeBesideReschedule() async throws {
        let (engine, database) = try await engine()
        let id = try await engine.booked("open").booking.id
        let outcome = "UPDATE bookings SET meeting_status = 'failed', provider = 'elsewhere' WHERE id = '\(id)'"
        _ = try await beside(outcome, database) { try await engine.service.reschedule(id, to: "2026-12-03T10:00:00Z") }
        let booking = try await engine.service.view(id).booking
        #expect(booking.start.rfc3339.hasPrefix("2026-12-03T10:00:00"))
        #expect(booking.meeting.provider == "elsewhere")
    }

    @Test("an owner whom somebody changes is waited for, and read as they leave them")
    func owner() async throws {
        let (engine, database) = try await engine()
        let name = try await beside("UPDATE owners SET name = 'Ana Gil' WHERE id = 'ana'", database) {
            try await engine.context.store.write { try $0.lockOwner("ana")?.owner.name }
        }
        #expect(name == "Ana Gil")
    }

    @Test("an owner who is being removed is signed in no more")
    func removedOwner() async throws {
        let (engine, database) = try await engine()
        let owners = OwnerService(engine.context)
        let token = String(try await owners.portalLink("ana").value.url.split(separator: "/").last ?? "")
        let session = try await beside("UPDATE owners SET active = 0 WHERE id = 'ana'", database) { try await owners.signIn(token) }
        #expect(session == nil)
    }

    @Test("an owner who is being removed begins no consent")
    func removedConsent() async throws {
        let (engine, database) = try await engine()
        await #expect(throws: UsherError.self) {
            try await self.beside("UPDATE owners SET active = 0 WHERE id = 'ana'", database) {
                try await Consents(engine.context).begin(owner: "ana", provider: "zoom", returnTo: "/").value
            }
        }
    }

    @Test(
        "a connection whose grant is being renewed is ended as the renewal leaves it",
        arguments: ["disconnect", "deauthorized", "removeOwner"])
    func endedConnection(way: String) async throws {
        let (engine, database) = try await engine()
        _ = try await engine.connect()
        let account = try #require(try await Connections(engine.context).list(owner: "ana").first)
        _ = try await beside("UPDATE connections SET generation = generation + 1, sealed = sealed WHERE owner_id = 'ana'", database) {
            let connections = Connections(engine.context)
            switch way {
            case "disconnect": #expect(try await connections.disconnect(owner: "ana", provider: "zoom"))
            case "deauthorized":
                let ended = try await connections.deauthorized(
                    clientID: account.clientID, accountID: account.account.id, before: engine.clock.now)
                #expect(ended == 1)
            default: try await engine.context.store.write { try engine.context.removeOwner("ana", $0) }
            }
        }
        #expect(try await Connections(engine.context).list(owner: "ana").isEmpty)
    }

    @Test("the calendars of an account whose connection is being ended are not brought in")
    func calendarsOfEndedConnection() async throws {
        let (engine, database) = try await engine()
        _ = try await engine.connectGoogle(scopes: ["https://www.googleapis.com/auth/calendar.readonly"])
        let works = try await engine.worker.claim(limit: 8)
        _ = try await beside("DELETE FROM connections WHERE owner_id = 'ana'", database) {
            for work in works { await engine.worker.run(work) }
        }
        #expect(try await engine.context.store.read { try $0.calendars(of: "ana") }.isEmpty)
    }

    @Test("nobody is told that a hold has ended of which a booking is being made")
    func bookedHold() async throws {
        let (engine, database) = try await engine(catalog: SlotTests.catalog)
        _ = try await WebhookService(engine.context).create(url: "https://crm.example/hook", events: ["hold.expired"])
        let hold = try await HoldService(engine.context).hold(
            HoldRequest(meetingType: "visit", owner: "cleo", start: "2026-12-01T09:00:00Z")
        ).value
        engine.clock.advance(by: .minutes(30))
        _ = try await beside("UPDATE holds SET booking_id = 'bk_other' WHERE id = '\(hold.id)'", database) {
            try await engine.worker.pump()
        }
        _ = try await engine.worker.pump()
        #expect(engine.receiver.received.isEmpty)
    }

    @Test("days off are not kept for an owner who is being removed")
    func timeOffOfRemovedOwner() async throws {
        let (engine, database) = try await engine()
        let owner = try #require(try await engine.context.store.read { try $0.owner("ana") }?.owner)
        await #expect(throws: UsherError.self) {
            try await self.beside("UPDATE owners SET active = 0 WHERE id = 'ana'", database) {
                try await TimeOffService(engine.context).add("2026-12-24", "2026-12-26", owner: owner).value
            }
        }
    }

    private func engine(catalog: String = TestCatalog.text) async throws -> (TestEngine, any Database) {
        // Among many tests at once a look at who waits may take long.
        let limits = "&options=-clock_timeout%3D100s%20-cidle_in_transaction_session_timeout%3D100s%20-cstatement_timeout%3D100s"
        let database = try PostgreSQLDatabase(url: try await TestDatabase.migrated() + limits, connections: 3)
        return (try await TestEngine(catalog: catalog, database: database), database)
    }

    /// Runs `work` while another transaction has made a change that it commits once `work` waits for it, or has ended without.
    private func beside<Result: Sendable>(
        _ change: String, _ database: any Database, _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let hasEnded = Mutex(false)
        let goOn = DispatchSemaphore(value: 0)
        let (began, tell) = AsyncStream<Void>.makeStream()
        async let other: Void = database.write { session in
            _ = try session.execute(change, [])
            tell.yield()
            goOn.wait()
        }
        for await _ in began { break }
        @Sendable func run() async throws -> Result {
            defer { hasEnded.withLock { $0 = true } }
            return try await work()
        }
        async let result = run()
        let waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        do {
            defer { goOn.signal() }
            while !hasEnded.withLock({ $0 }), try await database.read({ try $0.query(waits, []).isEmpty }) { await Task.yield() }
        }
        try await other
        return try await result
    }
}
