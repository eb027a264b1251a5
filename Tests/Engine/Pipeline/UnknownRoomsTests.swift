import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(2)))
struct UnknownRoomsTests {
    /// A room that carries the installation's mark under a key that no booking has, as after a commit that was lost.
    private func abandon(_ engine: TestEngine, host: String = "ana@northwind.example") async throws -> Int64 {
        let installation = try await engine.context.store.installation()
        let key = String(repeating: "q", count: 26) + installation.id + installation.epoch
        let start = try #require(Instant(rfc3339: "2026-12-03T10:00:00Z"))
        return engine.zoom.makeForeign(host: host, agenda: "[usher:\(key)]", start: start)
    }

    @Test("rooms of lost bookings are listed; a booking's, another installation's and other people's are not")
    func listed() async throws {
        let engine = try await TestEngine()
        _ = try await engine.booked("fixed")
        let lost = try await abandon(engine)
        let start = engine.clock.now + .days(3)
        engine.zoom.makeForeign(host: "ana@northwind.example", agenda: "[usher:\(String(repeating: "q", count: 42))]", start: start)
        engine.zoom.makeForeign(host: "ana@northwind.example", agenda: "Lunch", start: start)
        let rooms = try await UnknownRooms(engine.context).look().rooms
        #expect(rooms.map(\.id) == ["\(lost)"])
        #expect(rooms.map(\.place.host) == ["ana@northwind.example"])
        #expect(rooms.map(\.start) == [Instant(rfc3339: "2026-12-03T10:00:00Z")])
    }

    @Test(
        "a room that a booking comes to again is no lost one: looked for, of a booking without a job, or of a later generation",
        arguments: [("later", 1), ("fixed", 2), ("fixed", 5)] as [(String, Int64)])
    func expected(type: String, generation: Int64) async throws {
        let engine = try await TestEngine()
        let booking = try await engine.booked(type).booking
        _ = try await engine.worker.pump()
        let installation = try await engine.context.store.installation()
        let key = RoomKey.key(of: booking, generation, installation)
        engine.zoom.makeForeign(host: "ana@northwind.example", agenda: "[usher:\(key)]", start: booking.start)
        #expect(try await UnknownRooms(engine.context).look().rooms.isEmpty)
        _ = try await engine.service.cancel(booking.id)
        #expect(try await UnknownRooms(engine.context).look().rooms.map(\.key) == [key])
    }

    @Test("a lost room is removed when a person says so, and that is on record; at the second press it is gone already")
    func removed() async throws {
        let engine = try await TestEngine()
        let kept = try await engine.booked("fixed").booking.meeting.room?.meetingID
        _ = try await abandon(engine)
        let unknown = UnknownRooms(engine.context)
        let line = try #require(try await unknown.look().rooms.first)
        try await unknown.remove(line)
        #expect(engine.zoom.meetings.map { "\($0.id)" } == [kept])
        try await unknown.remove(line)
        let entries = try await engine.context.store.read { try $0.audit(before: (.never, ""), limit: 10) }
        #expect(entries.contains { $0.action == "room.remove" && $0.subject.contains(line.id) })
    }

    @Test("a room that a booking has by now is not removed")
    func takenMeanwhile() async throws {
        let engine = try await TestEngine()
        let booking = try await engine.booked("fixed").booking
        let room = try await engine.context.store.read { try $0.rooms(of: booking.id)[0] }
        let line = UnknownRooms.Line(
            place: .init(provider: room.provider, owner: nil, host: room.host), id: room.roomID, key: room.key)
        await #expect(throws: UsherError.self) { try await UnknownRooms(engine.context).remove(line) }
        #expect(engine.zoom.meetings.count == 1)
    }

    @Test("where a provider does not answer nobody says that all is well, and a removal that fails is said")
    func unreached() async throws {
        let engine = try await TestEngine()
        _ = try await engine.booked("fixed")
        _ = try await abandon(engine)
        let unknown = UnknownRooms(engine.context)
        let line = try #require(try await unknown.look().rooms.first)
        engine.zoom.inject(.errorBefore(status: 503))
        let error = await #expect(throws: UsherError.self) { try await unknown.remove(line) }
        #expect(error?.message.contains(line.id) == true)
        #expect(engine.zoom.meetings.count == 2)
        engine.zoom.change { $0.scopes = [] }
        let report = try await unknown.look()
        #expect(!report.isWhole && report.notes.contains { $0.contains("campus") }, "\(report)")
    }

    @Test("a held installation is not looked through, and removes nothing")
    func held() async throws {
        let engine = try await TestEngine()
        _ = try await abandon(engine)
        try await Release(engine.context).hold()
        let error = await #expect(throws: UsherError.self) { _ = try await UnknownRooms(engine.context).look() }
        #expect(error?.message.contains("usher release") == true)
    }
}
