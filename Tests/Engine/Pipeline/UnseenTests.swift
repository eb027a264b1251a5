import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherPostgreSQL
import UsherStore

/// Work where the database is a server that has lost sight of this process, or refuses what one job writes.
@Suite(.timeLimit(.minutes(3)))
struct UnseenTests {
    @Test("while others cannot see that this process lives, it claims nothing, and gives back what it has")
    func unseen() async throws {
        let database = HiddenDatabase(try await TestDatabase.make())
        let engine = try await TestEngine(database: database)
        let id = try await engine.service.book(TestEngine.request()).value.booking.id
        let works = try await engine.worker.claim(.rooms) { $0.map { ($0, 8) } }
        #expect(works.count == 1)
        database.isSeen.withLock { $0 = false }
        for work in works {
            let (next, started) = await engine.worker.perform(work)
            #expect(next == nil && started.isEmpty)
        }
        engine.clock.advance(by: .seconds(1))
        #expect(try await engine.worker.claim(.rooms) { $0.map { ($0, 8) } }.isEmpty)
        #expect(engine.zoom.meetings.isEmpty)
        database.isSeen.withLock { $0 = true }
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(id).booking.meeting.status == .ready)
        #expect(engine.zoom.meetings.count == 1)
    }

    @Test("a job whose writes a server refuses is set aside, and the others that travel with it go on")
    func refusedWrites() async throws {
        let database = try PostgreSQLDatabase(url: try await TestDatabase.migrated(), connections: 2)
        let engine = try await TestEngine(database: database)
        let damaged = try await engine.service.book(TestEngine.request("later")).value.booking.id
        let whole = try await engine.service.book(TestEngine.request("open", owner: "tom")).value.booking.id
        try await database.write { session in
            _ = try session.execute(
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.booking_id = '\(damaged)' THEN RAISE EXCEPTION 'no'; END IF;
                    RETURN NEW;
                END $$
                """, [])
            _ = try session.execute("CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()", [])
        }
        engine.clock.advance(by: .minutes(3))
        _ = try await engine.worker.pump()
        #expect(try await engine.context.store.read { try $0.mails(of: damaged) }.isEmpty)
        let view = try await engine.service.view(whole)
        #expect(view.booking.readers.map(view.confirmation) == [.sent, .sent])
    }
}

/// A database whose session by which others see this process may be gone.
private final class HiddenDatabase: Database {
    let isSeen = Mutex(true)
    private let database: any Database

    init(_ database: any Database) { self.database = database }

    var isAnnounced: Bool { isSeen.withLock { $0 } }
    func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try await database.write(body)
    }
    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try await database.read(body)
    }
    func announce(process id: String) async throws { try await database.announce(process: id) }
    func isDead(process id: String) async throws -> Bool { try await database.isDead(process: id) }
    func close() async throws { try await database.close() }
}
