import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

@Suite(.timeLimit(.minutes(1)))
struct LinkTests {
    private func visitor(
        _ engine: TestEngine, _ token: String, _ purpose: StoredLink.Purpose
    ) async throws -> (booking: Booking, reader: Reader)? {
        try await engine.context.store.read { try Links(engine.context).visitor(token, purpose, $0) }
    }

    private func token(_ url: String?) -> String { url?.split(separator: "/").last.map(String.init) ?? "" }

    @Test("a link leads its reader to their booking, for its purpose alone, and stays the same")
    func links() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked()
        let (join, manage) = (token(view.joinPage), token(view.managePage))
        let found = try #require(try await visitor(engine, join, .join))
        #expect(found.booking.id == view.booking.id && found.reader == .attendee(0))
        #expect(try await visitor(engine, manage, .manage)?.reader == .attendee(0))
        #expect(try await visitor(engine, join, .manage) == nil)
        #expect(try await visitor(engine, manage, .join) == nil)
        _ = try await engine.service.reschedule(view.booking.id, to: "2026-12-02T10:00:00Z")
        #expect(try await engine.service.view(view.booking.id).joinPage == view.joinPage)
    }

    @Test("no other token leads anywhere", arguments: ["", "x", "é", "ffff", "last changed", "first changed", "other booking"])
    func forged(kind: String) async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked()
        let other = try await engine.booked(at: "2026-12-03T10:00:00Z")
        let good = token(view.joinPage)
        let forged =
            switch kind {
            case "last changed": String(good.dropLast()) + (good.last == "0" ? "1" : "0")
            case "first changed": (good.first == "0" ? "1" : "0") + good.dropFirst()
            case "other booking": String(token(other.joinPage).dropLast(26)) + String(good.suffix(26))
            default: kind
            }
        #expect(try await visitor(engine, forged, .join) == nil)
    }

    @Test("links that were drawn one by one, before bookings had a secret, keep working")
    func drawnLinks() async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked()
        let (id, token) = (view.booking.id, "0123456789abcdefghij0123456789abcdef")
        let sealed = try engine.context.vault.seal(
            token, context: StoredLink.context(booking: id, reader: .attendee(0), purpose: .join))
        let manage = try engine.context.vault.seal(
            "m" + token, context: StoredLink.context(booking: id, reader: .attendee(0), purpose: .manage))
        try await engine.context.store.database.write { session in
            try session.execute("UPDATE bookings SET link_secret = ''", [])
            for (purpose, token, sealed) in [("join", token, sealed), ("manage", "m" + token, manage)] {
                try session.execute(
                    "INSERT INTO links (hash, booking_id, reader, purpose, sealed) VALUES ($1, $2, '0', $3, $4)",
                    [.text(Links.hash(token)), .text(id), .text(purpose), .text(sealed)])
            }
        }
        #expect(try await visitor(engine, token, .join)?.reader == .attendee(0))
        #expect(try await visitor(engine, token, .manage) == nil)
        #expect(try await engine.service.view(id).joinPage == "https://usher.example/join/" + token)
    }
}
