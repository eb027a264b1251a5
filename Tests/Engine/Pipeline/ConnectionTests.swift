import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

@Suite(.timeLimit(.minutes(2)))
struct ConnectionTests {
    private func health(_ engine: TestEngine) async throws -> StoredConnection.Health? {
        try await Connections(engine.context).list(owner: "ana").first?.health
    }

    private func refusal(_ outcome: Consents.Outcome) -> String {
        guard case .refused(let refusal, _, _) = outcome else { return "\(outcome)" }
        return "\(refusal)".prefix { $0 != "(" }.description
    }

    @Test("a grant that an earlier release sealed opens, names and all")
    func earlierGrant() throws {
        let vault = try Vault(keys: [Array(repeating: 7, count: 32)])
        let text =
            #"{"access":"at-1","expires":1795507200000000,"scopes":["meeting:write"],"api":null,"refresh":"rt-1"}"#
        let grant = try GrantCodec.open(try vault.seal(text, context: "ana zoom"), vault, context: "ana zoom")
        #expect(
            grant
                == Grant(
                    access: IssuedToken(
                        access: Secret("at-1"), expiresAt: Instant(seconds: 1_795_507_200), scopes: ["meeting:write"], apiURL: nil),
                    refresh: Secret("rt-1")))
    }

    @Test("an owner made anew under an id is not told of grants that could not be ended for the one before")
    func formerRevocations() async throws {
        let engine = try await TestEngine(transport: { NoRevocations(sandbox: $0) })
        let service = OwnerService(engine.context)
        let eva = Owner(id: "eva", name: "Eva Lind", email: "ana@northwind.example", timeZone: "Europe/Stockholm", language: "en")
        _ = try await service.put(eva)
        _ = try await engine.connect("eva")
        #expect(try await Connections(engine.context).disconnect(owner: "eva", provider: "zoom"))
        #expect(try await service.accounts(of: "eva").revocations.count == 1)
        try await service.remove("eva")
        _ = try await service.put(eva)
        #expect(try await service.accounts(of: "eva").revocations.isEmpty)
        try await engine.run(for: .days(2))
        #expect(try await service.accounts(of: "eva").revocations.isEmpty)
    }

    /// A service that is never there to end a grant.
    private struct NoRevocations: Transport {
        let sandbox: SandboxTransport
        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            if request.url.contains("revoke") { throw .notSent("refused") }
            return try await sandbox.send(request)
        }
    }

    // MARK: Consent

    @Test("an owner who connects gets meetings in the account that they agreed as, and no preference changes")
    func connects() async throws {
        let engine = try await TestEngine()
        guard case .connected(let connection, _) = try await engine.connect() else {
            Issue.record("not connected")
            return
        }
        #expect(connection.account.email == "ana@northwind.example")
        #expect(connection.health == .ok)
        #expect(try await OwnerService(engine.context).owner("ana").owner.defaultProvider == "campus")
        let view = try await engine.booked("mine")
        #expect(view.booking.meeting.status == .ready)
        #expect(view.booking.meeting.provider == "zoom")
        #expect(engine.zoom.meetings.map(\.host) == ["ana@northwind.example"])
        #expect(engine.zoom.violations.isEmpty, "\(engine.zoom.violations)")
    }

    @Test("without a connection a booking is blocked and says what to do; connecting resumes it")
    func resumes() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("mine")
        #expect(view.booking.meeting.status == .blocked)
        #expect(view.booking.meeting.problem?.code == .notConnected)
        #expect(try await engine.service.resolve("mine", owner: "ana").problem?.code == .notConnected)
        _ = try await engine.connect()
        _ = try await engine.worker.pump()
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .ready)
        #expect(engine.zoom.meetings.count == 1)
        #expect(try await engine.service.resolve("mine", owner: "ana").problem == nil)
    }

    @Test("a state that is forged, used, too old or another browser's changes nothing")
    func badStates() async throws {
        let engine = try await TestEngine()
        #expect(refusal(try await engine.back("x?code=a&state=b.c")) == "unknownState")
        #expect(refusal(try await engine.back("x?code=a")) == "unknownState")
        #expect(refusal(try await engine.connect(returning: "another")) == "otherBrowser")
        #expect(refusal(try await engine.connect(after: .minutes(11))) == "expired")
        #expect(try await health(engine) == nil)
        let consents = Consents(engine.context)
        let begun = try await consents.begin(owner: "ana", provider: "zoom", returnTo: "").value
        let url = try await consents.start(begun.id, browser: Secret("browser"))
        let back = engine.zoom.decide(String(url.split(separator: "?")[1]), user: "ana@northwind.example")
        _ = try await engine.back(back)
        #expect(refusal(try await engine.back(back)) == "alreadyUsed")
        let forged = back.replacing("state=", with: "state=x")
        #expect(refusal(try await engine.back(forged)) == "unknownState")
        await #expect(throws: UsherError.self) { try await consents.start(begun.id, browser: Secret("browser")) }
    }

    @Test("who declines, or whose administrator has to allow the app first, is told so")
    func declined() async throws {
        let engine = try await TestEngine()
        #expect(refusal(try await engine.connect(as: nil)) == "noCode")
        engine.zoom.change { $0.userApp.needsApproval = true }
        #expect(refusal(try await engine.connect()) == "noCode")
    }

    @Test("another account than before is asked about first, and kept only when the owner agrees")
    func otherAccount() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        guard case .asks(let id, _, let from, let to, _) = try await engine.connect(as: "tom@northwind.example") else {
            Issue.record("not asked")
            return
        }
        #expect((from, to) == ("ana@northwind.example", "tom@northwind.example"))
        #expect(try await Connections(engine.context).list(owner: "ana")[0].account.email == from)
        #expect(refusal(try await Consents(engine.context).confirm(id, browser: Secret("another"))) == "otherBrowser")
        _ = try await Consents(engine.context).confirm(id, browser: Secret("browser"))
        #expect(try await Connections(engine.context).list(owner: "ana")[0].account.email == to)
        #expect(refusal(try await Consents(engine.context).confirm(id, browser: Secret("browser"))) == "alreadyUsed")
        // The account whose place was taken is of no use any more.
        try await engine.run(for: .seconds(5))
        #expect(engine.zoom.connectedUsers == ["tom@northwind.example"])
    }

    @Test("whoever connects again and leaves a permission out keeps the connection that works")
    func reconnectLacking() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        engine.zoom.change { $0.userApp.scopes = ["user:read:user"] }
        #expect(refusal(try await engine.connect()) == "missing")
        try await engine.run(for: .minutes(5))
        #expect(engine.zoom.connectedUsers == ["ana@northwind.example"])
    }

    @Test("a consent that was begun in a session ends with it")
    func sessionEnds() async throws {
        let engine = try await TestEngine()
        let owners = OwnerService(engine.context)
        let token = try await owners.portalLink("ana").value.url.split(separator: "/").last.map(String.init) ?? ""
        let session = try #require(try await owners.signIn(token))
        let consents = Consents(engine.context)
        let begun = try await consents.begin(owner: "ana", provider: "zoom", returnTo: "", session: session).value
        #expect(try await consents.look(begun.id, session: session).owner.id == "ana")
        try await owners.signOutEverywhere("ana")
        await #expect(throws: UsherError.self) { try await consents.look(begun.id, session: session) }
        await #expect(throws: UsherError.self) { try await consents.start(begun.id, browser: Secret("browser"), session: session) }
    }

    @Test("an app without the scope to make meetings is not connected; one without others is, and says what is missing")
    func scopes() async throws {
        let engine = try await TestEngine()
        engine.zoom.change { $0.userApp.scopes = ["user:read:user"] }
        #expect(refusal(try await engine.connect()) == "missing")
        engine.zoom.change {
            $0.userApp.scopes = ["meeting:write:meeting:user", "meeting:write:meeting", "user:read:user", "meeting:read:meeting"]
        }
        _ = try await engine.connect()
        let connection = try await Connections(engine.context).list(owner: "ana")[0]
        #expect(connection.health == .missingScope)
        #expect(connection.problem?.message.contains("move meetings") == true)
        #expect(try await engine.booked("mine").booking.meeting.status == .ready)
    }

    // MARK: The grant

    @Test("ten bookings at once on an expired token renew it once")
    func oneRefresh() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        engine.clock.advance(by: .hours(2))
        for hour in 0..<10 { _ = try await engine.service.book(TestEngine.request("mine", at: "2026-12-01T\(10 + hour):00:00Z")) }
        let works = try await engine.worker.claim(limit: 16)
        await withTaskGroup(of: Void.self) { group in
            for work in works { group.addTask { await engine.worker.run(work) } }
        }
        #expect(engine.zoom.meetings.count == 10)
        #expect(engine.zoom.refreshes == 1)
        #expect(engine.zoom.staleRefreshes == 0)
    }

    @Test("two processes on one database renew an expired token once")
    func oneRefreshOfTwo() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let other = try TestEngine.context(
            database: engine.context.store.database, transport: engine.context.transport, mailer: engine.mailer, clock: engine.clock,
            seed: engine.seed, catalog: engine.context.catalog.current)
        engine.clock.advance(by: .hours(2))
        for hour in 0..<10 { _ = try await engine.service.book(TestEngine.request("mine", at: "2026-12-01T\(10 + hour):00:00Z")) }
        let (ours, theirs) = (try await engine.worker.claim(limit: 5), try await Worker(other).claim(limit: 5))
        await withTaskGroup(of: Void.self) { group in
            for work in ours { group.addTask { await engine.worker.run(work) } }
            for work in theirs { group.addTask { await Worker(other).run(work) } }
        }
        try await engine.run(for: .seconds(10))
        #expect(engine.zoom.meetings.count == 10)
        #expect(engine.zoom.refreshes == 1)
        #expect(engine.zoom.staleRefreshes == 0)
    }

    @Test("a renewal whose answer is lost is tried once more, and then the dead grant is known as such")
    func lostRefresh() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        engine.clock.advance(by: .hours(2))
        engine.zoom.inject(.cutAfter)
        let view = try await engine.booked("mine")
        #expect(view.booking.meeting.problem?.code == .reauthorize)
        #expect(try await health(engine) == .reauthorize)
        #expect(engine.zoom.staleRefreshes == 1)
        _ = try await engine.connect()
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
        #expect(try await health(engine) == .ok)
    }

    @Test("an outage of the token endpoint, or a wrong client secret, proves nothing against the grant")
    func outage() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        engine.clock.advance(by: .hours(2))
        engine.zoom.inject(.errorBefore(status: 503))
        _ = try await engine.booked("mine")
        #expect(try await health(engine) == .ok)
        try await engine.run(for: .minutes(1))
        #expect(engine.zoom.meetings.count == 1)
        engine.clock.advance(by: .hours(2))
        engine.zoom.change { $0.userApp.clientSecret = "changed" }
        let view = try await engine.booked("mine", at: "2026-12-02T10:00:00Z")
        #expect(view.booking.meeting.problem?.code == .notConnected)
        #expect(try await health(engine) == .ok)
    }

    /// A database that takes no renewed grants for a while.
    private final class FullDatabase: Database {
        let database: any Database
        let isFull = Mutex(false)
        init(_ database: any Database) { self.database = database }
        func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
            let isFull = isFull.withLock { $0 }
            return try await database.write { try body(isFull ? Session(session: $0) : $0) }
        }
        func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
            try await database.read(body)
        }
        func announce(process id: String) throws {}
        func isDead(process id: String) -> Bool { false }
        func close() async throws {}

        private struct Session: SQLSession {
            let session: any SQLSession
            var locksRows: Bool { session.locksRows }
            func query(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] { try session.query(sql, arguments) }
            func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
                if sql.contains("UPDATE connections SET sealed") { throw DatabaseError(.busy, "the disk is full") }
                return try session.execute(sql, arguments)
            }
        }
    }

    @Test("a renewed pair that could not be stored outlives another process's word that the old one is dead, and what waited goes on")
    func unsavedPair() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let database = FullDatabase(engine.context.store.database)
        let first = try TestEngine.context(
            database: database, transport: engine.context.transport, mailer: engine.mailer, clock: engine.clock, seed: engine.seed,
            catalog: engine.context.catalog.current)
        engine.clock.advance(by: .hours(2))
        database.isFull.withLock { $0 = true }
        let id = try await engine.service.book(TestEngine.request("mine")).value.booking.id
        for work in try await Worker(first).claim(limit: 1) { _ = await Worker(first).perform(work) }
        #expect(engine.zoom.refreshes == 1)
        try await engine.run(for: .minutes(2))
        #expect(try await health(engine) == .reauthorize)
        #expect(try await engine.service.view(id).booking.meeting.status == .blocked)
        database.isFull.withLock { $0 = false }
        try await Heartbeat(first).beat()
        #expect(try await health(engine) == .ok)
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(id).booking.meeting.status == .ready)
        #expect(engine.zoom.refreshes == 1)
    }

    @Test("a calendar entry that was moved while its grant was taken for dead is put right once the grant proves alive")
    func calendarOfUnsavedPair() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        let id = try await engine.booked("diary").booking.id
        let entry = try #require(engine.google.live.first)
        let database = FullDatabase(engine.context.store.database)
        let first = try TestEngine.context(
            database: database, transport: engine.context.transport, mailer: engine.mailer, clock: engine.clock, seed: engine.seed,
            catalog: engine.context.catalog.current)
        engine.clock.advance(by: .hours(2))
        _ = try await engine.service.reschedule(id, to: "2026-12-02T10:00:00Z")
        database.isFull.withLock { $0 = true }
        for work in try await Worker(first).claim(limit: 8) { _ = await Worker(first).perform(work) }
        database.isFull.withLock { $0 = false }
        try await engine.context.store.write { tx in
            let connection = try #require(try tx.connection(owner: "ana", provider: "meet"))
            let problem = Problem(.reauthorize, "Google has ended the connection.", remedy: "Connect it again.")
            _ = try tx.setHealth(.reauthorize, problem, of: connection)
        }
        try await engine.run(for: .minutes(5))
        #expect(engine.google.start(of: entry) == "2026-12-01T10:00:00Z")
        try await Heartbeat(first).beat()
        _ = try await engine.worker.pump()
        #expect(engine.google.start(of: entry) == "2026-12-02T10:00:00Z")
    }

    @Test("a grant that sleeps is renewed before it lapses")
    func keepAlive() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        try await engine.run(for: .days(31))
        #expect(engine.zoom.refreshes >= 1)
        let renewed = try await Connections(engine.context).list(owner: "ana")[0].refreshedAt
        #expect(engine.clock.now - renewed < .days(2))
    }

    @Test("a disconnect revokes at Zoom and ends here, even when Zoom is down; bookings keep their links")
    func disconnects() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let view = try await engine.booked("mine")
        engine.zoom.inject(.cutBefore)
        #expect(try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom"))
        #expect(try await Connections(engine.context).list(owner: "ana").isEmpty)
        try await engine.run(for: .minutes(5))
        #expect(engine.zoom.connectedUsers.isEmpty)
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.room == view.booking.meeting.room)
        _ = try await engine.service.cancel(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(engine.zoom.meetings.count == 1)
        let events = try await engine.context.store.read { try $0.timeline(of: view.booking.id).map(\.event) }
        #expect(events.contains("meeting.remains"))
    }

    @Test(
        "a disconnect that cannot be written down ends nothing at Zoom, so that no connection is dead without anybody's knowledge",
        .disabled(if: TestDatabase.isPostgreSQL, "its trigger is SQLite's"))
    func disconnectUnwritten() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        _ = try await engine.context.store.database.write { session in
            try session.execute("CREATE TRIGGER forbid BEFORE DELETE ON connections BEGIN SELECT RAISE(ABORT, 'broken'); END", [])
        }
        await #expect(throws: (any Error).self) { try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom") }
        #expect(try await Connections(engine.context).list(owner: "ana").count == 1)
        #expect(engine.zoom.connectedUsers == ["ana@northwind.example"])
    }

    @Test("a disconnect long after the last call revokes at Zoom all the same")
    func disconnectsLate() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        engine.clock.advance(by: .hours(5))
        #expect(try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom"))
        _ = try await engine.worker.pump()
        #expect(engine.zoom.connectedUsers.isEmpty)
        #expect(try await Connections(engine.context).list(owner: "ana").isEmpty)
    }

    @Test("another account's connection never touches the meetings that the first one made")
    func foreignAccount() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let view = try await engine.booked("mine")
        guard case .asks(let id, _, _, _, _) = try await engine.connect(as: "tom@northwind.example") else {
            Issue.record("not asked")
            return
        }
        _ = try await Consents(engine.context).confirm(id, browser: Secret("browser"))
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-03T10:00:00Z")
        try await engine.run(for: .minutes(3))
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.room == view.booking.meeting.room)
        #expect(after.booking.meeting.problem?.message.contains("another Zoom account") == true)
        #expect(engine.zoom.meetings[0].start.rfc3339 == "2026-12-01T10:00:00Z")
        let letters = engine.mailer.taken.filter { $0.recipient == "ana@northwind.example" }.map {
            String(decoding: $0.bytes, as: UTF8.self)
        }
        #expect(letters.count { $0.contains("another Zoom account") } == 1, "its owner is told, once")
    }

    @Test("a move that waits for the connection is told to the owner within a minute, and done at once when they connect again")
    func waitingMove() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let view = try await engine.booked("mine")
        try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom")
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-03T10:00:00Z")
        try await engine.run(for: .minutes(1))
        let letters = engine.mailer.taken.filter { $0.recipient == "ana@northwind.example" }.map {
            String(decoding: $0.bytes, as: UTF8.self)
        }
        #expect(letters.count { $0.contains("Subject: Zoom needs you") } == 1)
        try await engine.run(for: .minutes(90))
        _ = try await engine.connect()
        _ = try await engine.worker.pump()
        #expect(engine.zoom.meetings.map(\.start.rfc3339) == ["2026-12-03T10:00:00Z"])
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("a room that cannot be looked at because its owner disconnected is not looked at for ever, and is when they connect again")
    func looksAfterDisconnect() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let view = try await engine.booked("mine", at: "2026-12-10T10:00:00Z")
        try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom")
        try await ProviderEvents(engine.context).touched(String(engine.zoom.meetings[0].id))
        _ = try await engine.worker.pump()
        let room = try await engine.context.store.read { try $0.rooms(of: view.booking.id)[0] }
        #expect(room.checkAt >= view.booking.start - .days(1))
        engine.zoom.deleteAtPortal(engine.zoom.meetings[0].id)
        _ = try await engine.connect()
        try await engine.run(for: .minutes(2))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .failed)
    }

    @Test("a removal that waits for a person is said at once, whatever went wrong before, and does not wait for an earlier try's time")
    func remains() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let view = try await engine.booked("mine", at: "2026-12-10T10:00:00Z")
        try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom")
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-11T10:00:00Z")
        try await engine.run(for: .hours(3))
        _ = try await engine.service.cancel(view.booking.id)
        _ = try await engine.worker.pump()
        let events = try await engine.context.store.read { try $0.timeline(of: view.booking.id).map(\.event) }
        #expect(events.last { !$0.hasPrefix("mail.") } == "meeting.remains")
    }

    @Test("a provider without credentials is the admin's matter, said as such by booking and connect alike")
    func withoutCredentials() async throws {
        let engine = try await TestEngine(variables: TestEngine.variables.filter { $0.key != "ZOOM_CLIENT_SECRET" })
        let view = try await engine.booked("mine")
        #expect(view.booking.meeting.problem?.remedy.contains("ZOOM_CLIENT_SECRET") == true)
        await #expect(throws: UsherError.self) { try await Consents(engine.context).begin(owner: "ana", provider: "zoom", returnTo: "") }
    }

    @Test("who keeps the account that was connected has the other one's permission ended at Zoom")
    func keepsAccount() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        guard case .asks(let id, _, _, _, _) = try await engine.connect(as: "tom@northwind.example") else {
            Issue.record("not asked")
            return
        }
        let before = engine.zoom.connectedUsers
        #expect(try await Consents(engine.context).decline(id, browser: Secret("another browser")) == nil)
        #expect(engine.zoom.connectedUsers == before)
        #expect(try await Consents(engine.context).decline(id, browser: Secret("browser")) == "")
        try await engine.run(for: .seconds(5))
        #expect(engine.zoom.connectedUsers == ["ana@northwind.example"])
        #expect(try await engine.booked("mine").booking.meeting.status == .ready)
    }

    // MARK: Drift

    @Test("a passcode that was changed at Zoom is noticed, and everyone gets an updated mail")
    func changedAtZoom() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("fixed")
        engine.zoom.editAtPortal(engine.zoom.meetings[0].id) { $0.passcode = "998877" }
        try await ProviderEvents(engine.context).touched(String(engine.zoom.meetings[0].id))
        _ = try await engine.worker.pump()
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.room?.passcode == "998877")
        #expect(after.mails.filter { $0.kind == .update && $0.state == .sent }.count == 2)
    }

    @Test("a change that Zoom tells of while it is being asked is looked at all the same")
    func touchedInFlight() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("fixed")
        let id = engine.zoom.meetings[0].id
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T11:00:00Z")
        let works = try await engine.worker.claim(limit: 16)
        engine.zoom.editAtPortal(id) { $0.passcode = "112233" }
        try await ProviderEvents(engine.context).touched(String(id))
        engine.zoom.editAtPortal(id) { $0.passcode = "998877" }
        for work in works { await engine.worker.run(work) }
        _ = try await engine.worker.pump()
        let events = try await engine.context.store.read { try $0.timeline(of: view.booking.id).map(\.event) }
        #expect(events.contains("meeting.updated"))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.room?.passcode == "998877")
        #expect(try await engine.context.store.read { try $0.rooms(of: view.booking.id)[0].checkAt } > engine.clock.now)
    }

    @Test("a change that the service tells of during a look that fails is looked at once more, and not put off to the next rare look")
    func touchedInFailingLook() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let view = try await engine.booked("mine", at: "2026-12-10T10:00:00Z")
        let id = String(engine.zoom.meetings[0].id)
        try await ProviderEvents(engine.context).touched(id)
        let works = try await engine.worker.claim(limit: 16)
        try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom")
        engine.clock.advance(by: .seconds(1))
        try await ProviderEvents(engine.context).touched(id)
        for work in works { await engine.worker.run(work) }
        #expect(try await engine.context.store.read { try $0.rooms(of: view.booking.id)[0].failures } == 2)
    }

    @Test("a look that the site's own account is refused is taken again soon: nobody connects that anew")
    func refusedLook() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("fixed")
        engine.zoom.change { $0.clientSecret = "another" }
        engine.zoom.expireTokens(olderThan: .zero)
        engine.clock.advance(by: .hours(2))
        try await ProviderEvents(engine.context).touched(String(engine.zoom.meetings[0].id))
        _ = try await engine.worker.pump()
        let room = try await engine.context.store.read { try $0.rooms(of: view.booking.id)[0] }
        #expect(room.failures == 1 && room.checkAt < engine.clock.now + .hours(1))
    }

    @Test("a meeting that was deleted at Zoom is noticed by the rare look before the start, when Zoom has said so twice")
    func deletedAtZoom() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("healing")
        engine.zoom.deleteAtPortal(engine.zoom.meetings[0].id)
        try await engine.run(for: .days(8))
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .ready)
        #expect(after.booking.meeting.room != view.booking.meeting.room)
        #expect(engine.zoom.ledger.count { $0.event == .created } == 2)
    }

    @Test("a meeting that was moved at Zoom is moved back where the type heals, and only told of where it does not")
    func movedAtZoom() async throws {
        for (type, isMovedBack) in [("healing", true), ("fixed", false)] {
            let engine = try await TestEngine()
            let view = try await engine.booked(type)
            let elsewhere = engine.clock.now + .days(2)
            engine.zoom.editAtPortal(engine.zoom.meetings[0].id) { $0.start = elsewhere }
            try await ProviderEvents(engine.context).touched(String(engine.zoom.meetings[0].id))
            _ = try await engine.worker.pump()
            #expect(engine.zoom.meetings[0].start == (isMovedBack ? view.booking.start : elsewhere))
            #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
            let events = try await engine.context.store.read { try $0.timeline(of: view.booking.id).map(\.event) }
            #expect(events.contains("meeting.drifted"))
        }
    }
}
