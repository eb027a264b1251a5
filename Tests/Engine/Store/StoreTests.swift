import Foundation
import Testing
import UsherCore
import UsherSQLite
import UsherStore
import UsherVault

@Suite(.timeLimit(.minutes(1)))
struct StoreTests {
    private func store() async throws -> Store {
        let store = Store(try SQLiteDatabase())
        try await store.migrate()
        return store
    }

    @Test("migrating twice changes nothing")
    func migrateTwice() async throws { try await store().migrate() }

    @Test(
        "a database of an earlier version keeps its waiting work when it is brought to the newest",
        arguments: 1..<Schema.migrations.count)
    func migrateFrom(version: Int) async throws {
        let database = try SQLiteDatabase()
        try await database.write { session in
            try session.execute("CREATE TABLE schema_versions (version BIGINT PRIMARY KEY)", [])
            for earlier in 0..<version {
                for statement in Schema.migrations[earlier] { try session.execute(statement, []) }
                try session.execute("INSERT INTO schema_versions (version) VALUES ($1)", [.int(Int64(earlier + 1))])
            }
            try session.execute(
                """
                INSERT INTO steps (kind, subject, lane, due_at, claimed_by, fence, attempt)
                VALUES ('provision', 'b', 0, 100, NULL, 3, 1), ('deliver', 'c', 1, 100, 'dead', 7, 0)
                """, [])
        }
        let store = Store(database)
        try await store.migrate()
        let (now, end) = (Instant(seconds: 100), Instant(seconds: 160))
        func claim(_ queue: Queue) async throws -> Claim {
            try #require(try await store.write { try $0.claim(queue, service: "", process: "A", now: now, until: end, limit: 5) }.first)
        }
        let room = try await claim(.rooms)
        #expect(room.id.key == "b" && room.fence == 4 && room.attempt == 1 && room.service.isEmpty)
        // One that was claimed is due again when its claim ends.
        #expect(try await store.read { try $0.hasEndedClaims(now: now) })
        try await store.write { try $0.freeEndedClaims(now: now) }
        let mail = try await claim(.mail)
        try await store.write { try $0.finish(mail) }
    }

    @Test("a claim that has run out can be taken by another, and its old holder can write no more")
    func fencing() async throws {
        let store = try await store()
        let (now, later) = (Instant(seconds: 100), Instant(seconds: 200))
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now)]) }
        let first = try #require(
            try await store.write { try $0.claim(.rooms, service: "", process: "A", now: now, until: later, limit: 5) }.first)
        #expect(try await store.write { try $0.claim(.rooms, service: "", process: "B", now: now, until: later, limit: 5) }.isEmpty)
        try await store.write { try $0.freeEndedClaims(now: now) }
        #expect(try await store.write { try $0.claim(.rooms, service: "", process: "B", now: now, until: later, limit: 5) }.isEmpty)
        try await store.write { try $0.freeEndedClaims(now: later) }
        let second = try #require(
            try await store.write { try $0.claim(.rooms, service: "", process: "B", now: later, until: Instant(seconds: 300), limit: 5) }
                .first)
        await #expect(throws: ClaimLost.self) { try await store.write { _ = try $0.renew(first, until: later) } }
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.finish(first) } }
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.release(first, due: now, attempt: 0) } }
        let renewed = try await store.write { try $0.renew(second, until: Instant(seconds: 400)) }
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.finish(second) } }
        try await store.write { try $0.finish(renewed) }
    }

    @Test("a claim that has run out matches nothing, even where its process has done the step and claims it anew")
    func remade() async throws {
        let store = try await store()
        func claim(at now: Int64) async throws -> Claim {
            try await store.write { tx in
                try tx.freeEndedClaims(now: Instant(seconds: now))
                try tx.enqueue([ScheduledJob(.provision(booking: "b"), due: Instant(seconds: now))])
                return try #require(
                    try tx.claim(.rooms, service: "", process: "A", now: Instant(seconds: now), until: Instant(seconds: now + 60), limit: 5)
                        .first)
            }
        }
        let old = try await claim(at: 100)
        let second = try await claim(at: 160)
        try await store.write { try $0.finish(second) }
        let third = try await claim(at: 170)
        #expect(third.fence == old.fence)
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.finish(old) } }
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.release(old, due: .never, attempt: 0) } }
        try await store.write { try $0.finish(third) }
    }

    @Test("a claim that was given back or ended can be given back or ended no second time, even where its step is there anew")
    func givenBack() async throws {
        let store = try await store()
        let now = Instant(seconds: 100)
        func claim(_ process: String) async throws -> Claim {
            try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now)]) }
            return try #require(
                try await store.write { try $0.claim(.rooms, service: "", process: process, now: now, until: now + .seconds(60), limit: 5) }
                    .first)
        }
        let first = try await claim("A")
        try await store.write { try $0.release(first, due: now, attempt: 0) }
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.release(first, due: .never, attempt: 0) } }
        let second = try await claim("A")
        try await store.write { try $0.finish(second) }
        let third = try await claim("B")
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.finish(second) } }
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.finish(first) } }
        try await store.write { try $0.finish(third) }
    }

    @Test("a claim that was freed because its process counts as dead can write no more, even before anybody else has it")
    func freed() async throws {
        let store = try await store()
        let now = Instant(seconds: 100)
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now)]) }
        let claim = try #require(
            try await store.write { try $0.claim(.rooms, service: "", process: "A", now: now, until: Instant(seconds: 200), limit: 5) }
                .first)
        #expect(try await store.write { try $0.freeClaims(of: "A", now: now) } == 1)
        await #expect(throws: ClaimLost.self) { try await store.write { try $0.finish(claim) } }
        #expect(try await store.read { try $0.nextDue(.rooms) } == now)
    }

    @Test("work is claimed by service, the nearest meeting first, however long the others have waited")
    func nearestFirst() async throws {
        let store = try await store()
        let now = Instant(seconds: 100)
        try await store.write { tx in
            try tx.enqueue([ScheduledJob(.provision(booking: "month"), due: now, service: "campus", start: now + .days(30))])
            try tx.enqueue([ScheduledJob(.provision(booking: "soon"), due: now + .seconds(2), service: "campus", start: now + .minutes(5))])
            try tx.enqueue([ScheduledJob(.provision(booking: "meet"), due: now + .seconds(1), service: "meet", start: now + .hours(1))])
            try tx.enqueue([ScheduledJob(.syncCalendar(booking: "none"), due: now + .seconds(2))])
        }
        let later = now + .seconds(10)
        func claimed(_ service: String) async throws -> [String] {
            try await store.write { tx in
                try tx.claim(.rooms, service: service, process: "A", now: later, until: later + .seconds(60), limit: 1).map(\.id.key)
            }
        }
        let services = try await store.read { try $0.services(.rooms) }
        #expect(services.map(\.service) == ["", "campus", "meet"])
        #expect(services.map { $0.due - now } == [.seconds(2), .zero, .seconds(1)])
        #expect(try await claimed("campus") == ["soon"])
        #expect(try await claimed("campus") == ["month"])
        #expect(try await claimed("meet") == ["meet"])
        #expect(try await claimed("") == ["none"])
    }

    @Test("what is asked for while a step is claimed is done when the claim ends, however it ends")
    func askedMeanwhile() async throws {
        let store = try await store()
        let now = Instant(seconds: 100)
        func claim() async throws -> Claim {
            try await store.write { tx in
                try tx.enqueue([ScheduledJob(.provision(booking: "b"), due: now)])
                return try #require(
                    try tx.claim(.rooms, service: "", process: "A", now: now, until: now + .seconds(60), limit: 5).first)
            }
        }
        let failing = try await claim()
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now + .seconds(1))]) }
        try await store.write { try $0.release(failing, due: now + .hours(12), attempt: 1) }
        #expect(try await store.read { try $0.nextDue(.rooms) } == now + .seconds(1))
        let done = try await claim()
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now + .seconds(2))]) }
        try await store.write { try $0.finish(done) }
        #expect(try await store.read { try $0.nextDue(.rooms) } == now + .seconds(2))
        let looking = try await claim()
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now)]) }
        try await store.write { tx in try tx.finish(try tx.renew(looking, until: now + .seconds(90))) }
        #expect(try await store.read { try $0.nextDue(.rooms) } == now, "whether the look before has seen it, nobody knows")
    }

    @Test("what became due before the floor is left to a look at everything")
    func floor() async throws {
        let store = try await store()
        let now = Instant(seconds: 1_000)
        try await store.write { tx in
            try tx.enqueue([ScheduledJob(.provision(booking: "early"), due: now - .seconds(60), service: "campus")])
            try tx.enqueue([ScheduledJob(.provision(booking: "late"), due: now, service: "meet")])
        }
        let floor = now - .seconds(5)
        #expect(try await store.read { try $0.services(.rooms, from: floor).map(\.service) } == ["meet"])
        #expect(try await store.read { try $0.services(.rooms).map(\.service) } == ["campus", "meet"])
        let claimed = try await store.write { tx in
            try tx.claim(.rooms, service: "campus", process: "A", now: now, until: now + .minutes(1), limit: 5, from: floor)
        }
        #expect(claimed.isEmpty)
    }

    @Test("what a transaction enqueues or releases for earlier is due now, so that a look may begin there")
    func dueNow() async throws {
        let store = try await store()
        let (now, later) = (Instant(seconds: 1_000), Instant(seconds: 1_040))
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now - .days(1))], now: now) }
        #expect(try await store.read { try $0.services(.rooms)[0].due } == now)
        let claim = try #require(
            try await store.write { try $0.claim(.rooms, service: "", process: "A", now: now, until: now + .minutes(1), limit: 5) }.first)
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now)], now: now) }
        try await store.write { tx in
            var tx = tx
            tx.now = later
            try tx.release(claim, due: later + .hours(1), attempt: 0)
        }
        #expect(try await store.read { try $0.services(.rooms)[0].due } == later)
    }

    @Test("a enqueue while a step is claimed does not have it claimed twice")
    func pokeClaimed() async throws {
        let store = try await store()
        let now = Instant(seconds: 100)
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now)]) }
        _ = try await store.write { try $0.claim(.rooms, service: "", process: "A", now: now, until: Instant(seconds: 200), limit: 5) }
        try await store.write { try $0.enqueue([ScheduledJob(.provision(booking: "b"), due: now)]) }
        #expect(
            try await store.write { try $0.claim(.rooms, service: "", process: "B", now: now, until: Instant(seconds: 200), limit: 5) }
                .isEmpty)
    }

    @Test("transactions that share a commit fail and succeed each for itself")
    func groupCommit() async throws {
        let store = try await store()
        struct Refused: Error {}
        let kept = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<60 {
                group.addTask {
                    do {
                        try await store.write { tx in
                            try tx.addProcess(
                                StoredProcess(
                                    id: "p\(number)", startedAt: Instant(seconds: 0), heartbeat: Instant(seconds: 0), serves: true))
                            if number % 3 == 0 { throw Refused() }
                        }
                        return true
                    } catch { return false }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(kept == 40)
        #expect(try await store.read { try $0.processes() }.count == 40)
    }

    @Test("one process at a time may obtain a token, and a stale one cannot store its own")
    func tokenLease() async throws {
        let store = try await store()
        let now = Instant(seconds: 100)
        #expect(try await store.write { try $0.leaseToken("t", process: "A", now: now, until: Instant(seconds: 130)) })
        #expect(try await store.write { try $0.leaseToken("t", process: "B", now: now, until: Instant(seconds: 130)) } == false)
        #expect(try await store.write { try $0.leaseToken("t", process: "B", now: Instant(seconds: 131), until: Instant(seconds: 160)) })
        #expect(try await store.write { try $0.storeToken("t", sealed: "b", expiresAt: now, generation: 0) })
        #expect(try await store.write { try $0.storeToken("t", sealed: "a", expiresAt: now, generation: 0) } == false)
    }

    @Test("a sealed value opens only where it was sealed for, and under its own key")
    func vault() throws {
        let vault = try Vault(keys: [Array(repeating: 1, count: 32)])
        let sealed = try vault.seal("secret", context: "a")
        #expect(try vault.open(sealed, context: "a") == "secret")
        #expect(!sealed.contains("secret"))
        #expect(throws: UsherError.self) { try vault.open(sealed, context: "b") }
        #expect(throws: UsherError.self) { try Vault(keys: [Array(repeating: 2, count: 32)]).open(sealed, context: "a") }
        let rotated = try Vault(keys: [Array(repeating: 2, count: 32), Array(repeating: 1, count: 32)])
        #expect(try rotated.open(sealed, context: "a") == "secret")
    }

    @Test("a key file that others can read is refused")
    func keyFile() throws {
        let path = FileManager.default.temporaryDirectory.path + "/usher-key-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let made = try VaultKeys.file(at: path) { Array(repeating: 9, count: $0) }
        #expect(try VaultKeys.file(at: path) { _ in [] } == made)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: UsherError.self) { try VaultKeys.file(at: path) { _ in [] } }
    }

    @Test("a newer schema is worked with where it has only added to this one, and refused where it has not")
    func newerSchema() async throws {
        for (earliest, isRefused) in [(Schema.migrations.count, false), (Schema.migrations.count + 1, true)] {
            let store = try await store()
            let newer = Schema.migrations.count + 3
            try await store.database.write { session in
                _ = try session.execute(
                    "INSERT INTO schema_versions (version, earliest_reader) VALUES ($1, $2)", [.int(Int64(newer)), .int(Int64(earliest))])
            }
            do {
                try await store.migrate()
                #expect(!isRefused)
            } catch let error as UsherError { #expect(isRefused && error.message.contains("\(newer)")) }
        }
    }
}
