import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(2)))
struct BookingServiceTests {
    @Test("of twenty callers for one owner and time, one wins and nineteen are refused")
    func conflict() async throws {
        let engine = try await TestEngine()
        let outcomes = await withTaskGroup(of: ErrorCode?.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do {
                        _ = try await engine.service.book(TestEngine.request())
                        return nil
                    } catch { return (error as? UsherError)?.code }
                }
            }
            return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == nil } == 1)
        #expect(outcomes.count { $0 == .bookingConflict } == 19)
    }

    @Test("terms that are remembered, and that the database has lost with a failover, are written again")
    func lostTerms() async throws {
        let engine = try await TestEngine()
        _ = try await engine.service.book(TestEngine.request())
        try await engine.context.store.database.write { session in
            for table in ["rooms", "outbox", "timeline", "steps", "bookings", "terms"] { try session.execute("DELETE FROM \(table)", []) }
        }
        #expect(try await engine.service.book(TestEngine.request()).value.booking.status == .confirmed)
    }

    @Test("two bookings may overlap only where both types say so")
    func overlap() async throws {
        let engine = try await TestEngine()
        _ = try await engine.service.book(TestEngine.request("open"))
        _ = try await engine.service.book(TestEngine.request("open"))
        let error = await #expect(throws: UsherError.self) { try await engine.service.book(TestEngine.request("fixed")) }
        #expect(error?.code == .bookingConflict)
    }

    @Test("a booking that may stand beside others still stands beside none that may not, until that one is cancelled")
    func overlapOfExclusive() async throws {
        let engine = try await TestEngine()
        let fixed = try await engine.service.book(TestEngine.request("fixed")).value.booking.id
        let error = await #expect(throws: UsherError.self) { try await engine.service.book(TestEngine.request("open")) }
        #expect(error?.code == .bookingConflict)
        _ = try await engine.service.cancel(fixed)
        _ = try await engine.service.book(TestEngine.request("open"))
    }

    @Test("a booking may begin when another ends")
    func backToBack() async throws {
        let engine = try await TestEngine()
        _ = try await engine.service.book(TestEngine.request("fixed", at: "2026-12-01T10:00:00Z"))
        _ = try await engine.service.book(TestEngine.request("fixed", at: "2026-12-01T10:30:00Z"))
    }

    @Test("the same idempotency key answers with the same booking, and another body is refused")
    func idempotency() async throws {
        let engine = try await TestEngine()
        let key = IdempotencyKey(scope: "s", key: "k", fingerprint: "f")
        let first = try await engine.service.book(TestEngine.request(), repeating: key)
        let second = try await engine.service.book(TestEngine.request(), repeating: key)
        #expect(second.isReplay)
        #expect(first.value.booking.id == second.value.booking.id)
        let other = IdempotencyKey(scope: "s", key: "k", fingerprint: "g")
        let error = await #expect(throws: UsherError.self) { try await engine.service.book(TestEngine.request(), repeating: other) }
        #expect(error?.code == .idempotencyMismatch)
    }

    @Test("everything that is wrong with a request is found at once")
    func findings() async throws {
        let engine = try await TestEngine()
        var request = TestEngine.request("consultaton", owner: "nobody", at: "tomorrow")
        request.attendees = [.init(name: "A\nB", email: "not an address", timeZone: "Mars/Base", language: "xx")]
        request.details.metadata = ["k": String(repeating: "v", count: 501)]
        let error = await #expect(throws: UsherError.self) { try await engine.service.book(request) }
        #expect(error?.code == .validationFailed)
        #expect(
            Set(error?.findings.map(\.pointer) ?? []) == [
                "/meetingType", "/owner", "/start", "/attendees/0/email", "/attendees/0/name", "/attendees/0/timeZone",
                "/attendees/0/language",
                "/metadata/k",
            ])
        #expect(error?.findings.first?.detail.contains("did you mean 'consultation'") == true)
    }

    @Test("a wall time that a change of the clocks skips is refused, one that it repeats needs a word")
    func clocks() async throws {
        let engine = try await TestEngine()
        var request = TestEngine.request(at: "2027-03-28T02:30")
        request.timeZone = "Europe/Berlin"
        #expect(await findings(engine, request).contains { $0.contains("skip") })
        request.start = "2027-10-31T02:30"
        #expect(await findings(engine, request).contains { $0.contains("2027-10-31T00:30:00Z") && $0.contains("2027-10-31T01:30:00Z") })
        request.disambiguation = .later
        #expect(try await engine.service.book(request).value.booking.start.rfc3339 == "2027-10-31T01:30:00Z")
    }

    private func findings(_ engine: TestEngine, _ request: BookingRequest) async -> [String] {
        do {
            _ = try await engine.service.book(request)
            return []
        } catch { return (error as? UsherError)?.findings.map(\.detail) ?? [] }
    }

    @Test("a start has no seconds, which no mail would show")
    func wholeMinutes() async throws {
        let engine = try await TestEngine()
        #expect(await findings(engine, TestEngine.request(at: "2026-12-01T10:00:30Z")) == ["must be a whole minute"])
        let booked = try await engine.booked()
        await #expect(throws: UsherError.self) { try await engine.service.reschedule(booked.booking.id, to: "2026-12-01T10:00:15Z") }
    }

    @Test("who had heard nothing of a booking when it was cancelled is owed no mail, and none is said to be waiting")
    func cancelledUntold() async throws {
        let engine = try await TestEngine(mail: { $0.recipient == "bo@example.org" ? .later("451 try again") : .accepted })
        let id = try await engine.booked().booking.id
        #expect(try await engine.service.view(id).confirmation(of: .attendee(0)) == .queued)
        _ = try await engine.service.cancel(id)
        try await engine.run(for: .hours(1))
        let view = try await engine.service.view(id)
        #expect(view.confirmation(of: .attendee(0)) == nil)
        #expect(try await engine.context.store.read { try $0.timeline(of: id) }.contains { $0.event == "mail.dropped" })
        #expect(view.json["confirmations"]?.array?.map { $0["to"] } == ["ana@northwind.example"])
    }

    @Test("whoever asks where a meeting would be held hears of the type's fallbacks, and of what keeps them from it")
    func explainedFallback() async throws {
        let engine = try await TestEngine()
        let trace = try await engine.service.resolve("safe", owner: "ana").trace
        #expect(trace.map(\.rule) == [.request, .meetingType, .fallback])
        #expect(trace.last?.provider == "room" && trace.last?.outcome == .skipped)
    }

    @Test("a start that is no time is found beside a zone that is none")
    func startBesideZone() async throws {
        let engine = try await TestEngine()
        var request = TestEngine.request(at: "soon")
        request.timeZone = "Mars/Base"
        let error = await #expect(throws: UsherError.self) { try await engine.service.book(request) }
        #expect(error?.findings.map(\.pointer) == ["/timeZone", "/start"])
    }

    @Test("where a type writes choices, a request may name those alone")
    func choices() async throws {
        let engine = try await TestEngine(
            catalog: TestCatalog.text.replacing("durations: [30m, 45m] }", with: "durations: [30m, 45m], choices: [room, zoom] }"))
        #expect(try await engine.service.book(TestEngine.request(provider: "room")).value.booking.meeting.provider == "room")
        let error = await #expect(throws: UsherError.self) {
            try await engine.service.book(TestEngine.request(at: "2026-12-02T10:00:00Z", provider: "campus"))
        }
        #expect(error?.findings.first?.detail == "must be one of: room, zoom")
    }

    @Test("a wall time needs a zone, a far future and control characters are refused")
    func limits() async throws {
        let engine = try await TestEngine()
        #expect(await findings(engine, TestEngine.request(at: "2027-03-01T10:00")).contains { $0.contains("no offset") })
        #expect(await findings(engine, TestEngine.request(at: "9999-12-31T23:59:00Z")).contains { $0.contains("five years") })
        var request = TestEngine.request()
        request.details.note = "a\u{0}b"
        #expect(await findings(engine, request).contains { $0.contains("control characters") })
    }

    @Test("a time in the past is refused")
    func past() async throws {
        let engine = try await TestEngine()
        let error = await #expect(throws: UsherError.self) { try await engine.service.book(TestEngine.request(at: "2026-01-01T10:00:00Z")) }
        #expect(error?.code == .bookingInPast)
    }

    @Test("the same attendee twice is one")
    func twice() async throws {
        let engine = try await TestEngine()
        var request = TestEngine.request()
        request.attendees.append(.init(name: "Bo again", email: "BO@example.org"))
        #expect(try await engine.service.book(request).value.booking.attendees.count == 1)
    }

    @Test("a dry run changes nothing")
    func dryRun() async throws {
        let engine = try await TestEngine()
        _ = try await engine.service.dryRun(TestEngine.request())
        #expect(try await engine.service.page(.init(), after: nil, limit: 10).views.isEmpty)
        #expect(try await engine.worker.nextDue() == nil)
    }

    @Test("an owner taken out of the file takes no bookings, and keeps those that are")
    func inactive() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked(owner: "tom")
        try await engine.context.store.write { try engine.context.follow([], $0) }
        let error = await #expect(throws: UsherError.self) { try await engine.service.book(TestEngine.request(owner: "tom")) }
        #expect(error?.findings.first?.detail == "this owner is not active any more")
        #expect(try await engine.service.view(view.booking.id).booking.status == .confirmed)
    }

    @Test("an owner's own choice of provider outlives a reload of the file")
    func chosenDefault() async throws {
        let engine = try await TestEngine()
        let owners = engine.context.catalog.current.owners
        try await engine.context.store.write { tx in
            try tx.setDefaultProvider("room", owner: "ana")
            try engine.context.follow(owners, tx)
        }
        #expect(try await engine.booked().booking.meeting.provider == "room")
    }

    @Test("an owner who chose to have no default is shown and booked alike: the site's counts, whatever the file says")
    func noDefault() async throws {
        let engine = try await TestEngine()
        try await engine.context.store.write { try $0.setDefaultProvider(nil, owner: "ana") }
        #expect(try await engine.service.resolve("consultation", owner: "ana", requested: nil).provider == "room")
        #expect(try await engine.service.dryRun(TestEngine.request()).resolution.provider == "room")
        #expect(try await engine.booked().booking.meeting.provider == "room")
    }

    @Test(
        "what is wrong in the list of attendees is found at its own place, and once",
        arguments: [
            (#"[3, {"email": "bo@example.org"}, {"email": "bad"}]"#, ["/attendees/0", "/attendees/2/email"]),
            ("[3]", ["/attendees/0"]),
            (#"[{"email": "bo@example.org"}, 3, null, {}]"#, ["/attendees/1", "/attendees/2", "/attendees/3/email"]),
        ])
    func attendeesInPlace(list: String, pointers: [String]) async throws {
        let engine = try await TestEngine()
        let body = #"{"meetingType": "open", "owner": "ana", "start": "2027-03-01T10:00:00Z", "attendees": \#(list)}"#
        let (request, findings) = BookingRequest.read(try JSON(parsing: Array(body.utf8)))
        let error = await #expect(throws: UsherError.self) { _ = try await engine.service.book(request, known: findings) }
        #expect(error?.findings.map(\.pointer).sorted() == pointers)
    }
}
