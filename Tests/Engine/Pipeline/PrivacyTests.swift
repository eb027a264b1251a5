import Foundation
import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

@Suite(.timeLimit(.minutes(2)))
struct PrivacyTests {
    private static let guest = BookingRequest.Person(name: "Bo Li", email: "Bo@example.org", timeZone: "America/New_York", language: "en")

    private func book(_ engine: TestEngine, at start: String, others: [BookingRequest.Person] = []) async throws -> String {
        let id = try await engine.service.book(
            BookingRequest(
                meetingType: "consultation", owner: "ana", start: start, attendees: [Self.guest] + others,
                details: BookingDetails(note: "Bo's knee", metadata: ["crm": "bo-42"], source: "crm"))
        ).value.booking.id
        _ = try await engine.worker.pump()
        return id
    }

    private func instant(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

    /// Every text of every row of every table.
    private func everything(_ engine: TestEngine) async throws -> String {
        try await engine.context.store.database.read { session in
            try PersonalTable.all.flatMap { table in
                try session.query("SELECT * FROM \(table.name)", []).map { row in "\(table.name): \(row.values(0..<row.count))" }
            }.joined(separator: "\n")
        }
    }

    @Test("an export has all that is stored of a person, and nothing of the others")
    func export() async throws {
        let engine = try await TestEngine()
        let id = try await book(
            engine, at: "2026-12-01T10:00:00Z", others: [.init(name: "Di Vo", email: "di@example.org", timeZone: nil, language: nil)])
        let all = try await PersonService(engine.context).export("bo@EXAMPLE.org")
        #expect(all["bookings"]?.array?.map { $0["id"]?.string } == [id])
        #expect(all["bookings"]?.array?.first?["note"] == "Bo's knee")
        #expect(all["outbox"]?.array?.isEmpty == false && all["timeline"]?.array?.isEmpty == false)
        #expect(!all.serialized.contains("di@example.org") && !all.serialized.contains("Di Vo"))
        let other = try await PersonService(engine.context).export("di@example.org")
        #expect(!other.serialized.contains("knee") && !other.serialized.lowercased().contains("bo@example.org"))
        await #expect(throws: UsherError.self) { try await PersonService(engine.context).export("nobody") }
    }

    @Test("an erasure leaves neither name, address nor words of the guest in any table, and the others as they were")
    func erase() async throws {
        let engine = try await TestEngine()
        let id = try await book(
            engine, at: "2026-12-01T10:00:00Z", others: [.init(name: "Di Vo", email: "di@example.org", timeZone: nil, language: nil)])
        let service = PersonService(engine.context)
        let early = try await service.erase("bo@example.org", isDryRun: false)
        #expect(early.remains.contains { $0.contains(id) && $0.contains("still to come") })
        #expect(try await engine.service.view(id).booking.attendees[0].name == "Bo Li")

        engine.clock.advance(to: try instant("2026-12-02T10:00:00Z"))
        let dry = try await service.erase("bo@example.org", isDryRun: true)
        #expect(!dry.isDone && dry.rows["bookings"] == 1)
        #expect(try await everything(engine).contains("Bo Li"))
        let done = try await service.erase("bo@example.org", isDryRun: false)
        #expect(done.isDone && done.rows == dry.rows)
        let left = try await everything(engine)
        for trace in ["Bo Li", "bo@example.org", "Bo@example.org", "knee", "bo-42"] { #expect(!left.contains(trace), "\(trace)") }
        #expect(left.contains("di@example.org"))
        let booking = try await engine.service.view(id).booking
        #expect(booking.attendees.count == 2 && booking.attendees[1].name == "Di Vo")
        #expect(try await service.export("bo@example.org")["bookings"]?.array?.isEmpty == true)
    }

    @Test("an owner's letter about mail that did not reach a guest goes with the guest, whether they booked or came along")
    func letters() async throws {
        let engine = try await TestEngine(
            mail: { ["bo@example.org", "di@example.org"].contains($0.recipient.lowercased()) ? .refused("550 no such user") : .accepted })
        _ = try await book(
            engine, at: "2026-12-01T10:00:00Z", others: [.init(name: "Di Vo", email: "di@example.org", timeZone: nil, language: nil)])
        try await engine.run(for: .minutes(5))
        engine.clock.advance(to: try instant("2026-12-02T10:00:00Z"))
        #expect(try await everything(engine).components(separatedBy: "undelivered ml_").count == 3)
        _ = try await PersonService(engine.context).erase("di@example.org", isDryRun: false)
        #expect(try await !everything(engine).contains("di@example.org"))
        _ = try await PersonService(engine.context).erase("bo@example.org", isDryRun: false)
        #expect(try await !everything(engine).lowercased().contains("bo@example.org"))
    }

    @Test("a booking page's form that a guest never confirmed is exported, and erased")
    func form() async throws {
        let engine = try await TestEngine()
        let service = PersonService(engine.context)
        try await engine.context.store.write {
            let now = engine.clock.now
            try $0.add(
                StoredPageForm(
                    id: "pf_1", tokenHash: "h", holdID: "hd_1", type: "open", address: "192.0.2.7",
                    mail: Vault.hash("bo@example.org".utf8), sealed: "v1.x", state: .waiting, expiresAt: now + .hours(1), createdAt: now),
                forgetting: .epoch)
        }
        #expect(try await service.export("Bo@example.org")["page_forms"]?.array?.count == 1)
        #expect(try await service.erase("bo@example.org", isDryRun: false).rows["page_forms"] == 1)
        #expect(try await !everything(engine).contains("192.0.2.7"))
    }

    @Test("whoever came along goes by retention, though whoever booked was erased before")
    func companions() async throws {
        let text = TestCatalog.text.replacing("site:", with: "site:\n  retention: { bookings: 30d }", maxReplacements: 1)
        let engine = try await TestEngine(catalog: text)
        _ = try await book(
            engine, at: "2026-12-01T10:00:00Z", others: [.init(name: "Di Vo", email: "di@example.org", timeZone: nil, language: nil)])
        engine.clock.advance(to: try instant("2026-12-02T10:00:00Z"))
        _ = try await PersonService(engine.context).erase("bo@example.org", isDryRun: false)
        #expect(try await everything(engine).contains("di@example.org"))
        let now = engine.context.now
        try await engine.context.store.write { try $0.enqueue([ScheduledJob(.prune, due: now)], now: now) }
        engine.clock.advance(to: try instant("2027-01-05T10:00:00Z"))
        _ = try await engine.worker.pump()
        #expect(try await !everything(engine).contains("di@example.org"))
    }

    @Test("where a visitor of a booking page was goes with them, whatever they pressed")
    func visitor() async throws {
        let engine = try await TestEngine(
            catalog: SlotTests.catalog + "\n  open-page: { title: Page, duration: 30m, slots: {}, page: public, confirm-by-mail: false }\n")
        let pages = PageBookings(engine.context, engine.service)
        let visitor = PageBookings.Visitor(id: "browser", address: "192.0.2.7")
        try await Actor.$current.withValue(Actor("nobody", address: "192.0.2.7")) {
            let offer = try #require(try await pages.offer("open-page", owner: "cleo"))
            _ = try await pages.hold(offer, start: "2026-12-01T08:00:00Z", duration: nil, visitor)
            let hold = try await pages.hold(offer, start: "2026-12-01T09:00:00Z", duration: nil, visitor)
            let form = PageForm(name: "Bo Li", email: "bo@example.org", timeZone: "Europe/Berlin", language: "en")
            guard case .booked = try await pages.submit(form, hold, visitor) else {
                Issue.record("not booked")
                return
            }
        }
        _ = try await engine.worker.pump()
        engine.clock.advance(to: try instant("2026-12-02T10:00:00Z"))
        let export = try await PersonService(engine.context).export("bo@example.org")
        #expect(export["audit"]?.array?.contains { $0["address"] == "192.0.2.7" } == true)
        _ = try await PersonService(engine.context).erase("bo@example.org", isDryRun: false)
        #expect(try await !everything(engine).contains("192.0.2.7"))
    }

    @Test("an export names no account of the owner's, and no other reader's links")
    func ownersAccounts() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        _ = try await engine.booked("diary")
        let export = try await PersonService(engine.context).export("bo@example.org")
        #expect(export["outbox"] != nil && export["calendar_events"] == nil && export["rooms"] == nil)
    }

    @Test("of a former owner neither a grant that was given up nor where they signed in from is left")
    func formerOwner() async throws {
        let engine = try await TestEngine()
        let owners = OwnerService(engine.context)
        _ = try await owners.put(
            Owner(id: "zoe", name: "Zoe Fall", email: "zoe@northwind.example", timeZone: "Europe/Berlin", language: "en"))
        let revocation = StoredRevocation(
            id: "rv_1", ownerID: "zoe", provider: "zoom", clientID: "c", accountID: "zoes-account", email: "zoe.fall@zoom.example",
            sealed: "v1.x", app: "", since: engine.clock.now)
        try await engine.context.store.write { tx in
            try tx.add(revocation)
            try tx.audit(
                AuditEntry(
                    id: "au_1", at: engine.clock.now, actor: Actor("owner:zoe", address: "192.0.2.9"), action: "owner.sign-in",
                    subject: "zoe",
                    outcome: "done", count: 1))
        }
        try await owners.remove("zoe")
        let service = PersonService(engine.context)
        let early = try await service.erase("zoe@northwind.example", isDryRun: false)
        #expect(early.remains.contains { $0.contains("still being ended") }, "\(early.remains)")
        try await engine.context.store.write { try $0.giveUpRevocation("rv_1") }
        _ = try await service.erase("zoe@northwind.example", isDryRun: false)
        let left = try await everything(engine)
        for trace in ["zoe.fall@zoom.example", "zoes-account", "192.0.2.9", "Zoe Fall"] { #expect(!left.contains(trace), "\(trace)") }
    }

    @Test("a former owner is erased from their bookings' terms, too; one at work is named as the reason why not")
    func eraseOwner() async throws {
        let engine = try await TestEngine()
        let owners = OwnerService(engine.context)
        _ = try await owners.put(
            Owner(id: "zoe", name: "Zoe Fall", email: "zoe@northwind.example", timeZone: "Europe/Berlin", language: "en"))
        let id = try await engine.booked("consultation", owner: "zoe", at: "2026-12-01T10:00:00Z").booking.id
        let service = PersonService(engine.context)
        #expect(try await service.erase("zoe@northwind.example", isDryRun: false).remains.contains { $0.contains("is at work") })
        engine.clock.advance(to: try instant("2026-12-02T10:00:00Z"))
        try await owners.remove("zoe")
        _ = try await service.erase("zoe@northwind.example", isDryRun: false)
        let left = try await everything(engine)
        for trace in ["Zoe Fall", "zoe@northwind.example"] { #expect(!left.contains(trace), "\(trace)") }
        #expect(try await engine.service.view(id).booking.terms.owner.name == "Former owner")
    }

    @Test("what is older than the catalogue's retention goes within a day; what is younger stays")
    func retention() async throws {
        let text = TestCatalog.text.replacing(
            "site:", with: "site:\n  retention: { bookings: 30d, audit: 1y, mail-texts: 7d }", maxReplacements: 1)
        let engine = try await TestEngine(catalog: text)
        let old = try await book(engine, at: "2026-12-01T10:00:00Z")
        let young = try await book(engine, at: "2026-12-20T10:00:00Z")
        let now = engine.context.now
        try await engine.context.store.write { try $0.enqueue([ScheduledJob(.prune, due: now)], now: now) }
        engine.clock.advance(to: try instant("2027-01-02T10:00:00Z"))
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(old).booking.attendees[0].name.isEmpty)
        #expect(try await engine.service.view(old).booking.details.note.isEmpty)
        #expect(try await engine.service.view(young).booking.attendees[0].name == "Bo Li")
        engine.clock.advance(to: try instant("2027-01-21T10:00:00Z"))
        _ = try await engine.worker.pump()
        #expect(try await !everything(engine).contains("Bo Li"))
    }

    @Test(
        "whoever takes the app out at Zoom without a word about their data has what came from there deleted",
        arguments: [nil, true] as [Bool?])
    func deauthorized(keeps: Bool?) async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let id = try await engine.booked("mine").booking.id
        let link = try #require(try await engine.service.view(id).booking.meeting.room?.joinURL)
        engine.clock.advance(to: try instant("2026-12-03T10:00:00Z"))
        let event = engine.zoom.deauthorization(of: "ana@northwind.example", keepsData: keeps)
        let events = ProviderEvents(engine.context)
        let (path, module) = try #require(events.paths.first { $0.path.path == "/auth/zoom/deauthorize" })
        _ = try await events.receive(
            EventDelivery(headers: event.headers, body: event.body, now: engine.clock.now), path, module)
        #expect(try await everything(engine).contains(link) == (keeps == true))
        #expect(try await everything(engine).contains("Zoom") == true)
    }
}
