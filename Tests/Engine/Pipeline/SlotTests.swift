import Foundation
import TestSupport
import TestValues
import Testing
import UsherAvailability
import UsherCore
import UsherPipeline
import UsherStore

/// What can be booked, by whom, and never twice. The clock stands at 2026-11-24T08:00Z, a Tuesday.
@Suite(.timeLimit(.minutes(2)))
struct SlotTests {
    static let catalog = TestCatalog.text
        .replacing(
            "owners:\n",
            with: """
                schedules:
                  clinic: { time-zone: Europe/Berlin, weekly: { mon-fri: ["09:00-12:00"] }, except: { 2026-12-24: [] } }
                  mornings: { weekly: { mon-sun: ["08:00-11:00"] } }
                owners:
                  cleo: { name: Cleo Roy, email: cleo@northwind.example, time-zone: Europe/Berlin, schedule: clinic, default-provider: room }
                  dov: { name: Dov Katz, email: dov@northwind.example, time-zone: Europe/Berlin, schedule: clinic, default-provider: room }

                """
        ).appending(
            """

              visit: { title: Visit, durations: [30m, 60m], slots: { notice: 2h, buffer: { after: 10m }, step: 30m } }
              rare: { title: Rare, duration: 30m, slots: { limits: { day: 1 } } }
              pooled: { title: Pooled, duration: 30m, hosts: { cleo: 2, dov: 1 }, slots: {} }
              either: { title: Either, duration: 30m, hosts: [cleo, dov] }
              both: { title: Both, duration: 60m, slots: { schedule: mornings } }
            """)

    private func engine() async throws -> TestEngine { try await TestEngine(catalog: Self.catalog) }

    private func unavailable(_ engine: TestEngine, _ request: BookingRequest) async throws -> UsherError? {
        let error = await #expect(throws: UsherError.self) { _ = try await engine.service.book(request) }
        #expect(error?.code == .bookingUnavailable)
        return error
    }

    private func reasons(_ error: UsherError?) -> [[String]] {
        error?.details?["hosts"]?.array?.map { $0["reasons"]?.array?.compactMap(\.string) ?? [] } ?? []
    }

    private func at(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

    @Test("only what is a slot can be booked, and the refusal says why and what is near")
    func onlySlots() async throws {
        let engine = try await engine()
        #expect(
            try await engine.service.book(TestEngine.request("visit", owner: "cleo", at: "2026-12-01T08:30:00Z")).value.booking.start
                == at("2026-12-01T08:30:00Z"))
        let between = try await unavailable(engine, TestEngine.request("visit", owner: "cleo", at: "2026-12-01T09:10:00Z"))
        #expect(reasons(between) == [["not-on-grid"]])
        let nearest = between?.details?["nearest"]?.array?.compactMap(\.string) ?? []
        // 08:30 to 09:00 is taken, and ten minutes after it.
        #expect(nearest.contains("2026-12-01T09:30:00Z") && !nearest.contains("2026-12-01T09:00:00Z") && nearest.count == 5)
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("visit", owner: "cleo", at: "2026-12-01T09:00:00Z"))) == [
                ["busy-booking"]
            ])
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("visit", owner: "cleo", at: "2026-12-24T09:00:00Z"))) == [
                ["outside-hours"]
            ])
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("visit", owner: "cleo", at: "2026-11-24T09:00:00Z"))) == [["notice"]])
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("visit", owner: "ana", at: "2026-12-01T09:30:00Z"))) == [
                ["no-schedule"]
            ])
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("visit", owner: "cleo", at: "2027-12-01T09:00:00Z"))).first?.contains(
                "horizon") == true)
    }

    @Test("what is listed is what can be booked: the first and the last slot of two weeks, and every one between is free by the same word")
    func listed() async throws {
        let engine = try await engine()
        let slots = SlotService(engine.context)
        let question = SlotService.Question(meetingType: "visit", owner: "cleo")
        let found = try await slots.slots(question, from: at("2026-12-01T00:00:00Z"), to: at("2026-12-15T00:00:00Z"), timeZone: nil).slots
        #expect(found.count == 10 * 6)
        for slot in found {
            #expect(try await slots.explain(question, start: slot.start).allSatisfy { $0.reasons.isEmpty })
        }
        for slot in [found[0], found[59]] {
            _ = try await engine.service.book(TestEngine.request("visit", owner: "cleo", at: slot.start.rfc3339))
        }
        let after = try await slots.slots(question, from: at("2026-12-01T00:00:00Z"), to: at("2026-12-15T00:00:00Z"), timeZone: nil).slots
        // Each takes a neighbour with it, for the free time after a meeting.
        #expect(after.count == 60 - 4)
    }

    @Test("hours of a type and of a host meet, each window with its own grid")
    func schedulesMeet() async throws {
        let engine = try await engine()
        let found = try await SlotService(engine.context).slots(
            .init(meetingType: "both", owner: "cleo"), from: at("2026-12-01T00:00:00Z"), to: at("2026-12-02T00:00:00Z"),
            timeZone: TimeZone(iana: "Europe/Berlin")
        ).slots
        #expect(found.map { $0.start.rfc3339(in: $0.timeZone) } == ["2026-12-01T09:00:00+01:00", "2026-12-01T10:00:00+01:00"])
    }

    @Test("limits count bookings and holds by the host's day, and let the booking that is moved go")
    func limits() async throws {
        let engine = try await engine()
        let id = try await engine.service.book(TestEngine.request("rare", owner: "cleo", at: "2026-12-01T09:00:00Z")).value.booking.id
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("rare", owner: "cleo", at: "2026-12-01T10:00:00Z"))) == [["limit"]])
        #expect(try await engine.service.reschedule(id, to: "2026-12-01T10:00:00Z").value.booking.start == at("2026-12-01T10:00:00Z"))
        _ = try await HoldService(engine.context).hold(HoldRequest(meetingType: "rare", owner: "cleo", start: "2026-12-02T09:00:00Z"))
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("rare", owner: "cleo", at: "2026-12-02T10:00:00Z"))) == [["limit"]])
    }

    @Test("a caller may pass over hours, notice and limits, and never over a booking or a hold")
    func anyTime() async throws {
        let engine = try await engine()
        func request(_ start: String) -> BookingRequest {
            var request = TestEngine.request("rare", owner: "cleo", at: start)
            request.anyTime = true
            return request
        }
        for start in ["2026-11-29T03:07:00Z", "2026-11-29T05:00:00Z"] { _ = try await engine.service.book(request(start)) }
        #expect(reasons(try await unavailable(engine, request("2026-11-29T03:20:00Z"))) == [["busy-booking"]])
        _ = try await HoldService(engine.context).hold(HoldRequest(meetingType: "rare", owner: "cleo", start: "2026-12-02T09:00:00Z"))
        #expect(reasons(try await unavailable(engine, request("2026-12-02T09:10:00Z"))) == [["busy-hold"]])
        let moved = try await engine.service.book(request("2026-11-29T10:00:00Z")).value.booking.id
        let error = await #expect(throws: UsherError.self) { try await engine.service.reschedule(moved, to: "2026-11-29T11:07:00Z") }
        #expect(error?.code == .bookingUnavailable)
        #expect(
            try await engine.service.reschedule(moved, to: "2026-11-29T11:07:00Z", anyTime: true).value.booking.start
                == at("2026-11-29T11:07:00Z"))
    }

    @Test("moving asks the same question, without the booking itself")
    func moving() async throws {
        let engine = try await engine()
        let id = try await engine.service.book(TestEngine.request("visit", owner: "cleo", at: "2026-12-01T09:00:00Z")).value.booking.id
        #expect(try await engine.service.reschedule(id, to: "2026-12-01T09:30:00Z").value.booking.start == at("2026-12-01T09:30:00Z"))
        let error = await #expect(throws: UsherError.self) { try await engine.service.reschedule(id, to: "2026-12-01T15:00:00Z") }
        #expect(reasons(error) == [["outside-hours"]])
    }

    @Test("an account holds as many meetings as it can, whoever of its owners has them, and no more is a slot")
    func capacity() async throws {
        let text = Self.catalog
            .replacing("{ name: Cleo Roy,", with: "{ name: Cleo Roy, hosts: { campus: ana@northwind.example },")
            .replacing("{ name: Dov Katz,", with: "{ name: Dov Katz, hosts: { campus: ana@northwind.example },")
            .appending("\n  zoomed: { title: Zoomed, duration: 30m, provider: campus, overlap: allow, hosts: [cleo, dov], slots: {} }\n")
        for (catalog, most) in [
            (text, 1), (text.replacing("campus: { module: zoom-s2s }", with: "campus: { module: zoom-s2s, capacity: 2 }"), 2),
        ] {
            let engine = try await TestEngine(catalog: catalog)
            func book(_ owner: String) async throws {
                _ = try await engine.service.book(TestEngine.request("zoomed", owner: owner, at: "2026-12-01T09:00:00Z"))
            }
            for number in 0..<most { try await book(number == 0 ? "cleo" : "dov") }
            let error = await #expect(throws: UsherError.self) { try await book("dov") }
            #expect(reasons(error) == [["capacity"]])
            let slots = try await SlotService(engine.context).slots(
                .init(meetingType: "zoomed"), from: at("2026-12-01T08:30:00Z"), to: at("2026-12-01T10:00:00Z"), timeZone: nil
            ).slots
            #expect(slots.map { $0.start.rfc3339.dropFirst(11).prefix(5) } == ["08:30", "09:30"])
        }
    }

    // MARK: Holds

    @Test("a hold keeps its time from everybody else, and its booking succeeds whatever the catalogue says by then")
    func holds() async throws {
        let engine = try await engine()
        let hold = try await HoldService(engine.context).hold(
            HoldRequest(meetingType: "visit", owner: "cleo", start: "2026-12-01T09:00:00Z")
        ).value
        #expect(hold.expiresAt == engine.clock.now + .minutes(10))
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("visit", owner: "cleo", at: "2026-12-01T09:00:00Z"))) == [
                ["busy-hold"]
            ])
        // A type without slots is refused as well.
        let plain = await #expect(throws: UsherError.self) {
            _ = try await engine.service.book(TestEngine.request("either", owner: "cleo", at: "2026-12-01T09:15:00Z"))
        }
        #expect(plain?.code == .bookingConflict)
        // The hours of that day are gone meanwhile.
        engine.context.catalog.put(try TestCatalog.read(Self.catalog.replacing("2026-12-24: []", with: "2026-12-01: []")), digest: "")
        engine.clock.advance(by: .minutes(9))
        var request = TestEngine.request("", owner: "", at: "")
        request.hold = hold.id
        let booking = try await engine.service.book(request).value.booking
        #expect(booking.start == hold.start && booking.terms.owner.id == "cleo" && booking.terms.type.id == "visit")
        #expect(try await engine.context.store.read { try $0.hold(hold.id) }?.bookingID == booking.id)
        let again = await #expect(throws: UsherError.self) { _ = try await engine.service.book(request) }
        #expect(again?.code == .holdExpired && again?.message.contains(booking.id) == true)
    }

    @Test("a hold keeps its meeting type as it was: gone, of other durations or overlaps")
    func heldType() async throws {
        for change in [
            { (text: String) in text.replacing("visit: { title: Visit, durations: [30m, 60m]", with: "visit: { title: Visit, duration: 15m")
            },
            { text in text.split(separator: "\n").filter { !$0.contains("visit: { title") }.joined(separator: "\n") },
        ] {
            let engine = try await engine()
            let hold = try await HoldService(engine.context).hold(
                HoldRequest(meetingType: "visit", owner: "cleo", start: "2026-12-01T09:00:00Z", duration: "60m")
            ).value
            engine.context.catalog.put(try TestCatalog.read(change(Self.catalog)), digest: "")
            var request = TestEngine.request("", owner: "", at: "")
            request.hold = hold.id
            #expect(try await engine.service.book(request).value.booking.duration == .minutes(60))
        }
    }

    @Test("a hold ends when its meeting would begin")
    func startsSoon() async throws {
        let engine = try await engine()
        engine.clock.advance(to: try at("2026-12-01T08:55:00Z"))
        let hold = try await HoldService(engine.context).hold(
            HoldRequest(meetingType: "rare", owner: "cleo", start: "2026-12-01T09:00:00Z")
        ).value
        #expect(hold.expiresAt == hold.start)
    }

    @Test("whoever does not host a meeting type with hosts is refused, and a schedule that is gone closes")
    func others() async throws {
        let engine = try await engine()
        let error = await #expect(throws: UsherError.self) {
            _ = try await engine.service.book(TestEngine.request("pooled", owner: "ana", at: "2026-12-01T09:00:00Z"))
        }
        #expect(error?.findings.first?.pointer == "/owner")
        try await engine.context.store.write { tx in
            try tx.put(
                Owner(id: "eve", name: "Eve", email: "eve@northwind.example", timeZone: "Europe/Berlin", language: "en", schedule: "gone"))
        }
        #expect(
            reasons(try await unavailable(engine, TestEngine.request("both", owner: "eve", at: "2026-12-01T08:00:00Z"))) == [
                ["no-schedule"]
            ])
    }

    @Test("what is near is looked for without the booking that is moved, and up to the horizon")
    func near() async throws {
        let engine = try await engine()
        let id = try await engine.service.book(TestEngine.request("rare", owner: "cleo", at: "2026-12-01T09:00:00Z")).value.booking.id
        let error = await #expect(throws: UsherError.self) { try await engine.service.reschedule(id, to: "2026-12-01T15:00:00Z") }
        #expect(error?.details?["nearest"]?.array?.contains("2026-12-01T10:30:00Z") == true)
        let far = try await unavailable(engine, TestEngine.request("rare", owner: "cleo", at: "2027-03-01T09:00:00Z"))
        #expect(far?.details?["nearest"]?.array?.isEmpty == false)
    }

    @Test("a dry run with a hold changes nothing")
    func dryRun() async throws {
        let engine = try await engine()
        let hold = try await HoldService(engine.context).hold(HoldRequest(meetingType: "pooled", start: "2026-12-01T09:00:00Z")).value
        var request = TestEngine.request("", owner: "", at: "")
        request.hold = hold.id
        #expect(try await engine.service.dryRun(request).booking.ownerBecause == .pool)
        let booking = try await engine.service.book(request).value.booking
        #expect(try await engine.service.timeline(booking.id).contains { $0.event == "booking.assigned" })
    }

    @Test("a hold ends by itself: then its time is free, and its booking succeeds only while that is so")
    func heldTooLong() async throws {
        let engine = try await engine()
        let service = HoldService(engine.context)
        let hold = try await service.hold(HoldRequest(meetingType: "visit", owner: "cleo", start: "2026-12-01T09:00:00Z")).value
        let other = try await service.hold(HoldRequest(meetingType: "visit", owner: "dov", start: "2026-12-01T09:00:00Z")).value
        engine.clock.advance(by: .minutes(10))
        var late = TestEngine.request("", owner: "", at: "")
        late.hold = other.id
        #expect(try await engine.service.book(late).value.booking.terms.owner.id == "dov", "nobody else has taken it")
        _ = try await engine.service.book(TestEngine.request("visit", owner: "cleo", at: "2026-12-01T09:00:00Z"))
        late.hold = hold.id
        let error = await #expect(throws: UsherError.self) { _ = try await engine.service.book(late) }
        #expect(error?.code == .holdExpired)
        // A day later it is forgotten.
        _ = try await engine.worker.pump()
        engine.clock.advance(by: .days(2))
        _ = try await engine.worker.pump()
        #expect(try await engine.context.store.read { try $0.hold(hold.id) } == nil)
    }

    @Test("a booking that says otherwise than its hold is refused, and the hold stays")
    func differs() async throws {
        let engine = try await engine()
        let hold = try await HoldService(engine.context).hold(
            HoldRequest(meetingType: "visit", owner: "cleo", start: "2026-12-01T09:00:00Z", duration: "60m")
        ).value
        for (request, pointer) in [
            (TestEngine.request("rare", owner: "cleo", at: "2026-12-01T09:00:00Z"), "/meetingType"),
            (TestEngine.request("visit", owner: "dov", at: "2026-12-01T09:00:00Z"), "/owner"),
            (TestEngine.request("visit", owner: "cleo", at: "2026-12-01T09:30:00Z"), "/start"),
        ] {
            var request = request
            request.hold = hold.id
            let error = await #expect(throws: UsherError.self) { _ = try await engine.service.book(request) }
            #expect(error?.code == .validationFailed && error?.findings.first?.pointer == pointer)
        }
        #expect(try await engine.context.store.read { try $0.hold(hold.id) } != nil)
    }

    @Test("a hold that lives is booked, though a server whose clock is behind takes an earlier one for living, too")
    func clockBehind() async throws {
        let engine = try await engine()
        let service = HoldService(engine.context)
        let first = try await service.hold(HoldRequest(meetingType: "visit", owner: "cleo", start: "2026-12-01T09:00:00Z")).value
        engine.clock.advance(to: first.expiresAt)
        let second = try await service.hold(HoldRequest(meetingType: "visit", owner: "cleo", start: "2026-12-01T09:00:00Z")).value
        let behind = try TestEngine.context(
            database: engine.context.store.database, transport: engine.context.transport, mailer: engine.mailer, clock: engine.clock,
            seed: engine.seed, catalog: engine.context.catalog.current, skew: { .seconds(-10) })
        #expect(behind.now < first.expiresAt)
        var request = TestEngine.request("visit", owner: "cleo", at: "2026-12-01T09:00:00Z")
        request.hold = second.id
        #expect(try await BookingService(behind).book(request).value.booking.start == second.start)
    }

    @Test("days off close an owner's days in their own zone, and are free again when they are taken back")
    func timeOff() async throws {
        let engine = try await engine()
        let cleo = try await OwnerService(engine.context).owner("cleo").owner
        let service = TimeOffService(engine.context)
        func starts(_ day: String) async throws -> Int {
            let from = try at("\(day)T00:00:00Z")
            return try await SlotService(engine.context).slots(
                .init(meetingType: "visit", owner: "cleo"), from: from, to: from + .days(1), timeZone: nil
            ).slots.count
        }
        let off = try await service.add("2026-12-02", "2026-12-03", owner: cleo).value
        #expect(try await [starts("2026-12-01"), starts("2026-12-02"), starts("2026-12-03"), starts("2026-12-04")] == [6, 0, 0, 6])
        let refused = try await unavailable(engine, TestEngine.request("visit", owner: "cleo", at: "2026-12-02T09:00:00Z"))
        #expect(reasons(refused) == [["outside-hours"]])
        for (from, to) in [("2026-12-03", "2026-12-02"), ("soon", ""), ("2026-11-01", "2026-11-02"), ("2026-12-01", "2030-01-01")] {
            await #expect(throws: UsherError.self, "\(from)") { try await service.add(from, to, owner: cleo) }
        }
        await #expect(throws: UsherError.self) { try await service.remove(off.id, owner: "dov") }
        try await service.remove(off.id, owner: "cleo")
        #expect(try await starts("2026-12-02") == 6)
    }

    @Test("what closes a schedule closes its starts without moving the grid; an exception is open in spite of it")
    func closedBy() async throws {
        let text = Self.catalog.replacing(
            "except: { 2026-12-24: [] } }", with: "except: { 2026-12-03: [\"09:00-10:00\"] }, closed-by: holidays.ics }")
        let closed = try [("2026-12-02T08:10:00Z", "2026-12-02T08:20:00Z"), ("2026-12-03T00:00:00Z", "2026-12-04T00:00:00Z")].map {
            Interval(try at($0.0), try at($0.1))
        }
        let engine = try await TestEngine(catalog: text, closures: Closures { _, _, _, _ in closed })
        engine.context.closures.put(["holidays.ics": []])
        func starts(_ day: String) async throws -> [String] {
            let from = try at("\(day)T00:00:00Z")
            return try await SlotService(engine.context).slots(
                .init(meetingType: "visit", owner: "cleo"), from: from, to: from + .days(1), timeZone: nil
            ).slots.map { String($0.start.rfc3339.dropFirst(11).prefix(5)) }
        }
        #expect(try await starts("2026-12-02") == ["08:30", "09:00", "09:30", "10:00", "10:30"])
        #expect(try await starts("2026-12-03") == ["08:00", "08:30"])
        engine.context.closures.put([:])
        #expect(try await starts("2026-12-02") == [], "a file that cannot be read closes everything")
    }

    @Test("webhooks are told when a hold ends without a booking, once")
    func told() async throws {
        let engine = try await engine()
        _ = try await WebhookService(engine.context).create(url: "https://crm.example/hook", events: ["hold.expired"])
        let service = HoldService(engine.context)
        let hold = try await service.hold(HoldRequest(meetingType: "visit", owner: "cleo", start: "2026-12-01T09:00:00Z")).value
        let released = try await service.hold(HoldRequest(meetingType: "visit", owner: "dov", start: "2026-12-01T09:00:00Z")).value
        try await service.release(released.id)
        await #expect(throws: UsherError.self) { try await service.release(released.id) }
        for _ in 0..<3 {
            engine.clock.advance(by: .minutes(10))
            _ = try await engine.worker.pump()
        }
        let told = engine.receiver.received.compactMap { try? JSON(parsing: $0.body) }
        #expect(told.map { $0["type"]?.string } == ["hold.expired"] && told.first?["data"]?["id"]?.string == hold.id)
    }

    @Test("a form that is sent again after its time was kept for is not said to be mailed")
    func formAfterItsTime() async throws {
        let engine = try await TestEngine(
            catalog: Self.catalog + "\n  shown: { title: Page, duration: 30m, slots: {}, page: public }\n")
        let pages = PageBookings(engine.context, engine.service)
        let visitor = PageBookings.Visitor(id: "browser", address: "192.0.2.7")
        let offer = try #require(try await pages.offer("shown", owner: "cleo"))
        let hold = try await pages.hold(offer, start: "2026-12-01T09:00:00Z", duration: nil, visitor)
        let form = PageForm(name: "Bo Li", email: "bo@example.org", timeZone: "Europe/Berlin", language: "en")
        guard case .mailed = try await pages.submit(form, hold, visitor) else {
            Issue.record("not mailed")
            return
        }
        engine.clock.advance(by: .minutes(45))
        let error = await #expect(throws: UsherError.self) { _ = try await pages.submit(form, hold, visitor) }
        #expect(error?.code == .holdExpired)
    }

    @Test("a caller holds at most twenty times at once")
    func many() async throws {
        let engine = try await engine()
        let service = HoldService(engine.context)
        let slots = try await SlotService(engine.context).slots(
            .init(meetingType: "pooled"), from: at("2026-12-01T00:00:00Z"), to: at("2026-12-08T00:00:00Z"), timeZone: nil
        ).slots
        for slot in slots.prefix(20) { _ = try await service.hold(HoldRequest(meetingType: "pooled", start: slot.start.rfc3339)) }
        let error = await #expect(throws: UsherError.self) {
            _ = try await service.hold(HoldRequest(meetingType: "pooled", start: slots[20].start.rfc3339))
        }
        #expect(error?.code == .rateLimited)
    }

    // MARK: Pools

    @Test("a pool takes turns by weight, says so, and its slots say how many are free")
    func pool() async throws {
        let engine = try await engine()
        var turns: [String] = []
        for day in 1...3 {
            for time in ["09:00", "09:30"] {
                var request = TestEngine.request("pooled", at: "2026-12-0\(day)T\(time):00Z")
                request.owner = ""
                let booking = try await engine.service.book(request).value.booking
                #expect(booking.ownerBecause == .pool)
                turns.append(booking.terms.owner.id)
                engine.clock.advance(by: .seconds(1))
            }
        }
        #expect(turns == ["cleo", "dov", "cleo", "cleo", "dov", "cleo"])
        let slots = try await SlotService(engine.context).slots(
            .init(meetingType: "pooled"), from: at("2026-12-01T00:00:00Z"), to: at("2026-12-02T00:00:00Z"), timeZone: nil
        ).slots
        #expect(slots.map(\.free) == [2, 2, 1, 1, 2, 2])
        let named = try await engine.service.book(TestEngine.request("pooled", owner: "dov", at: "2026-12-04T09:00:00Z")).value.booking
        #expect(named.ownerBecause == .requested)
        let timeline = try await engine.service.timeline(try await engine.service.page(.init(), after: nil, limit: 1).views[0].booking.id)
        #expect(timeline.contains { $0.event == "booking.assigned" && $0.detail.contains("cleo has 0 in 30 days at weight 2") })
    }

    /// Books with whoever's turn it is.
    private func hostOf(_ type: String, at start: String, _ engine: TestEngine) async throws -> String {
        try await engine.service.book(TestEngine.request(type, owner: "", at: start)).value.booking.terms.owner.id
    }

    @Test("who is not free is passed over, and when nobody is, each host's reason is told")
    func poolIsFull() async throws {
        let engine = try await engine()
        func book() async throws -> String { try await hostOf("pooled", at: "2026-12-01T09:00:00Z", engine) }
        #expect(try await [book(), book()] == ["cleo", "dov"])
        let error = await #expect(throws: UsherError.self) { _ = try await book() }
        #expect(error?.code == .bookingUnavailable && reasons(error) == [["busy-booking"], ["busy-booking"]])
        #expect(error?.details?["nearest"]?.array?.isEmpty == false)
    }

    @Test("hosts without slots take turns among those who have no overlap")
    func poolWithoutSlots() async throws {
        let engine = try await engine()
        func book() async throws -> String { try await hostOf("either", at: "2026-12-05T22:07:00Z", engine) }
        #expect(try await [book(), book()] == ["cleo", "dov"])
        let error = await #expect(throws: UsherError.self) { _ = try await book() }
        #expect(error?.code == .bookingConflict)
    }

    @Test("of fifty who want the last slot, by bookings and by holds, one gets it, and the others are told what is near")
    func fifty() async throws {
        let engine = try await engine()
        let start = "2026-12-01T09:00:00Z"
        let outcomes = await withTaskGroup(of: UsherError?.self) { group in
            for number in 0..<50 {
                group.addTask {
                    do {
                        if number.isMultiple(of: 2) {
                            _ = try await engine.service.book(TestEngine.request("visit", owner: "cleo", at: start))
                        } else {
                            _ = try await HoldService(engine.context).hold(HoldRequest(meetingType: "visit", owner: "cleo", start: start))
                        }
                        return nil
                    } catch { return error as? UsherError ?? UsherError(.internalError, "\(error)") }
                }
            }
            return await group.reduce(into: [UsherError?]()) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == nil } == 1)
        #expect(
            outcomes.compactMap(\.self).allSatisfy { $0.code == .bookingUnavailable && $0.details?["nearest"]?.array?.isEmpty == false })
    }
}
