import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore
import Zoom

@Suite(.timeLimit(.minutes(2)))
struct OwnerAppTests {
    /// An app of Ana's own organisation at Zoom, beside the site's.
    private static var theirs: ZoomSandbox.UserApp {
        var app = ZoomSandbox.UserApp()
        app.clientID = "their-client"
        app.clientSecret = "their-secret"
        app.secretToken = "their-token"
        app.redirectURLs = ["https://usher.example/auth/zoom/video/callback"]
        return app
    }

    private func engine(entered app: OwnerApps.App? = nil) async throws -> TestEngine {
        var account = TestEngine.account
        account.otherApps = [Self.theirs]
        let engine = try await TestEngine(account: account)
        let entered =
            app ?? OwnerApps.App(clientID: "their-client", clientSecret: Secret("their-secret"), webhookSecret: Secret("their-token"))
        _ = try await OwnerApps(engine.context).put(entered, owner: "ana", provider: "zoom")
        return engine
    }

    private func deliver(
        _ engine: TestEngine, _ event: (headers: [(name: String, value: String)], body: [UInt8])
    ) async throws -> ProviderEvents.Answer {
        let events = ProviderEvents(engine.context)
        let (path, module) = try #require(events.paths.first { $0.path.path == "/auth/zoom/deauthorize" })
        return try await events.receive(
            EventDelivery(headers: event.headers, body: event.body, now: engine.clock.now), path, module)
    }

    @Test("an owner connects through their organisation's own app, and others through the site's")
    func connects() async throws {
        let engine = try await engine()
        _ = try await engine.connect()
        _ = try await engine.connect("tom", as: "tom@northwind.example")
        let read = engine.context.store
        let clients = try await read.read { tx in
            try ["ana", "tom"].map { try tx.connection(owner: $0, provider: "zoom")?.clientID }
        }
        #expect(clients == ["their-client", "sandbox-zoom-client"])
        #expect(try await engine.booked("mine").booking.meeting.status == .ready)
        engine.clock.advance(by: .hours(2))
        #expect(try await engine.booked("mine", at: "2026-12-05T10:00:00Z").booking.meeting.status == .ready)
        #expect(engine.zoom.refreshes == 1)
    }

    @Test("the app's secret is sealed in the database, and shown by nothing")
    func sealed() async throws {
        let engine = try await engine()
        let apps = try await OwnerApps(engine.context).list(owner: "ana")
        #expect(apps.map(\.clientID) == ["their-client"])
        #expect(!"\(apps)".contains("their-secret") && !"\(apps)".contains("their-token"))
        #expect(!apps[0].json.serialized.contains("secret"))
        #expect(!apps[0].sealed.contains("their-") && apps[0].sealed.count > 40)
    }

    @Test("taking the app away ends what was connected through it, and connecting again resumes through the site's")
    func removed() async throws {
        let engine = try await engine()
        _ = try await engine.connect()
        #expect(try await OwnerApps(engine.context).remove(owner: "ana", provider: "zoom"))
        let view = try await engine.booked("mine")
        #expect(view.booking.meeting.status == .blocked)
        #expect(view.booking.meeting.problem?.code == .reauthorize)
        _ = try await engine.connect()
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(view.booking.id).booking.meeting.status == .ready)
    }

    @Test("an app's deauthorisation counts for its own connections alone")
    func deauthorized() async throws {
        let engine = try await engine()
        _ = try await engine.connect()
        _ = try await engine.connect("tom", as: "tom@northwind.example")
        engine.clock.advance(by: .minutes(1))
        // Signed with their secret, and naming the site's app.
        _ = try await deliver(
            engine, engine.zoom.deauthorization(of: "tom@northwind.example", app: Self.theirs, claiming: "sandbox-zoom-client"))
        #expect(try await Connections(engine.context).list(owner: "tom").count == 1)
        _ = try await deliver(engine, engine.zoom.deauthorization(of: "ana@northwind.example", app: Self.theirs))
        #expect(try await Connections(engine.context).list(owner: "ana").isEmpty)
        _ = try await deliver(engine, engine.zoom.deauthorization(of: "tom@northwind.example"))
        #expect(try await Connections(engine.context).list(owner: "tom").isEmpty)
    }

    @Test("an owner's app speaks for that owner alone: not with the site's client id, and not for another owner who entered the same")
    func foreignApp() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let site = OwnerApps.App(clientID: "sandbox-zoom-client", clientSecret: Secret("x"), webhookSecret: Secret("mine"))
        await #expect(throws: UsherError.self) { try await OwnerApps(engine.context).put(site, owner: "tom", provider: "zoom") }
        let other = try await self.engine()
        _ = try await other.connect()
        let copied = OwnerApps.App(clientID: "their-client", clientSecret: Secret("their-secret"), webhookSecret: Secret("toms-own"))
        _ = try await OwnerApps(other.context).put(copied, owner: "tom", provider: "zoom")
        other.clock.advance(by: .minutes(1))
        var forged = Self.theirs
        forged.secretToken = "toms-own"
        _ = try await deliver(other, other.zoom.deauthorization(of: "ana@northwind.example", app: forged))
        #expect(try await Connections(other.context).list(owner: "ana").count == 1)
    }

    @Test("an app that cannot be read keeps no other from being heard")
    func damaged() async throws {
        let engine = try await engine()
        _ = try await engine.connect("tom", as: "tom@northwind.example")
        try await engine.context.store.write { tx in
            try tx.save(
                StoredApp(ownerID: "ana", provider: "zoom", clientID: "their-client", sealed: "damaged", createdAt: engine.clock.now))
        }
        engine.clock.advance(by: .minutes(1))
        _ = try await deliver(engine, engine.zoom.deauthorization(of: "tom@northwind.example"))
        #expect(try await Connections(engine.context).list(owner: "tom").isEmpty)
    }

    @Test("an app whose secret is wrong is not taken, nor one that the service cannot be asked about")
    func testedFirst() async throws {
        let wrong = OwnerApps.App(clientID: "their-client", clientSecret: Secret("wrong"), webhookSecret: nil)
        let error = await #expect(throws: UsherError.self) { try await self.engine(entered: wrong) }
        #expect(error?.findings.map(\.pointer) == ["/clientSecret"])
        let engine = try await engine()
        engine.zoom.inject(.cutBefore)
        let right = OwnerApps.App(clientID: "their-client", clientSecret: Secret("their-secret"), webhookSecret: nil)
        let unreached = await #expect(throws: UsherError.self) {
            try await OwnerApps(engine.context).put(right, owner: "tom", provider: "zoom")
        }
        #expect(unreached?.code == .unavailable)
        #expect(try await OwnerApps(engine.context).list(owner: "tom").isEmpty)
    }

    @Test("an account that is disconnected at Zoom is told to its owner by mail and page, until they connect again")
    func lost() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        // Within the second in which the connection was made.
        _ = try await deliver(engine, engine.zoom.deauthorization(of: "ana@northwind.example", keepsData: true))
        #expect(try await Connections(engine.context).list(owner: "ana").isEmpty)
        #expect(try await OwnerService(engine.context).accounts(of: "ana").lost.map(\.email) == ["ana@northwind.example"])
        try await engine.run(for: .hours(5))
        let letters = engine.mailer.taken.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(letters.count == 1 && letters[0].contains("Subject: Zoom needs you"))
        _ = try await engine.connect()
        #expect(try await OwnerService(engine.context).accounts(of: "ana").lost.isEmpty)
    }

    @Test("an event without a signature, or too old, is refused before any owner's app is looked into")
    func unsigned() async throws {
        let engine = try await engine()
        let old = [("x-zm-request-timestamp", "1"), ("x-zm-signature", "v0=00")]
        for headers in [[], old] {
            let isPlausible = ZoomProvider.mayBeSigned(EventDelivery(headers: headers, body: [], now: engine.clock.now))
            #expect(!isPlausible)
            guard case .refused = try await deliver(engine, (headers, Array("{}".utf8))) else {
                Issue.record("taken")
                return
            }
        }
    }

    @Test("an app that cannot be right is refused whole, field by field")
    func refused() async throws {
        let findings = await #expect(throws: UsherError.self) {
            try await self.engine(entered: OwnerApps.App(clientID: "", clientSecret: Secret("a b"), webhookSecret: Secret("\n")))
        }?.findings.map(\.pointer)
        #expect(findings == ["/clientId", "/clientSecret", "/webhookSecret"])
        let engine = try await TestEngine()
        let app = OwnerApps.App(clientID: "x", clientSecret: Secret("y"), webhookSecret: nil)
        await #expect(throws: UsherError.self) { try await OwnerApps(engine.context).put(app, owner: "ana", provider: "room") }
        await #expect(throws: UsherError.self) { try await OwnerApps(engine.context).put(app, owner: "nobody", provider: "zoom") }
    }

    @Test("a test meeting is a real room at the chosen provider, with both mails to the owner, and can be taken away")
    func testMeeting() async throws {
        let engine = try await TestEngine()
        let view = try await engine.service.bookTest(owner: "ana", provider: "campus")
        _ = try await engine.worker.pump()
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .ready)
        #expect(try await engine.service.bookTest(owner: "ana", provider: "campus").booking.id == view.booking.id)
        #expect(engine.zoom.meetings.count == 1)
        #expect(engine.mailer.taken.map(\.recipient) == ["ana@northwind.example", "ana@northwind.example"])
        _ = try await engine.service.cancel(view.booking.id)
        _ = try await engine.worker.pump()
        #expect(engine.zoom.meetings.isEmpty)
    }
}
