import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherPostgreSQL
import UsherSQLite
import UsherStore

/// What a booking costs in the database. On many servers each statement is a round trip, unless it is sent with others.
@Suite(.timeLimit(.minutes(3)))
struct StatementTests {
    @Test("a booking with one room and two mails takes at most 20 statements in 4 commits")
    func statementsOfABooking() async throws {
        let counter = CountingDatabase(try SQLiteDatabase())
        let engine = try await TestEngine(database: counter)
        let service = BookingService(engine.context, starter: Starter(worker: engine.worker))
        // The first booking finds out what later ones know.
        _ = try await service.book(TestEngine.request(at: "2026-12-01T10:00:00Z"))
        counter.forget()
        let id = try await service.book(TestEngine.request(at: "2026-12-02T10:00:00Z")).value.booking.id
        let transactions = counter.transactions.filter(\.isWrite)
        let view = try await engine.service.view(id)
        #expect(view.booking.meeting.status == .ready && view.mails.count { $0.state == .sent } == 2)
        let statements = transactions.map(\.statements.count).reduce(0, +)
        let list = transactions.map { $0.statements.map { "  " + $0.prefix(110) }.joined(separator: "\n") }.joined(separator: "\n--\n")
        print("\(statements) statements in \(transactions.count) commits:\n\(list)")
        #expect(statements <= 20 && transactions.count <= 4)
    }

    @Test("a booking at a PostgreSQL takes at most 14 round trips")
    func roundTripsOfABooking() async throws {
        let database = try PostgreSQLDatabase(url: try await TestDatabase.migrated(), connections: 1)
        let engine = try await TestEngine(database: database)
        let service = BookingService(engine.context, starter: Starter(worker: engine.worker))
        for day in 1...2 { _ = try await service.book(TestEngine.request(at: "2026-12-0\(day)T10:00:00Z")) }
        let before = database.roundTrips
        let id = try await service.book(TestEngine.request(at: "2026-12-03T10:00:00Z")).value.booking.id
        let trips = database.roundTrips - before
        #expect(try await engine.service.view(id).mails.count { $0.state == .sent } == 2)
        print("\(trips) round trips")
        #expect(trips <= 14)
    }
}

/// Carries out at once what a booking starts, one piece after the other.
private struct Starter: JobStarter {
    let worker: Worker
    func hasSlot(_ queue: Queue, service: String) -> Bool { true }
    func change<Result: Sendable>(_ body: @escaping @Sendable (StepTransaction) throws -> Result) async throws -> Result {
        let (result, started) = try await worker.change(starting: 3, body)
        for work in started { await worker.run(work) }
        return result
    }
}
