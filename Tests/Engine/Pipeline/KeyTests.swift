import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(1)))
struct KeyTests {
    @Test("a key that calls too often is refused until its bucket fills again, and no other key is")
    func limited() {
        let clock = VirtualClock()
        let limiter = RateLimiter(now: { clock.now })
        for _ in 0..<Int(RateLimiter.burst) { #expect(limiter.take("a").isAllowed) }
        #expect(!limiter.take("a").isAllowed)
        #expect(limiter.take("b").left == Int(RateLimiter.burst) - 1)
        clock.advance(by: .seconds(1))
        for _ in 0..<Int(RateLimiter.perMinute / 60) { #expect(limiter.take("a").isAllowed) }
        #expect(!limiter.take("a").isAllowed)
    }

    @Test("a key holds until it runs out, remembers its last use to the minute, and is made only as asked")
    func lifetime() async throws {
        let engine = try await TestEngine()
        let keys = APIKeys(engine.context)
        let (key, stored) = try await keys.create(name: "crm", scopes: [.bookingsRead], lifetime: .days(1))
        #expect(try await keys.holder(of: key)?.id == stored.id)
        let first = engine.clock.now
        engine.clock.advance(by: .seconds(30))
        _ = try await keys.holder(of: key)
        #expect(try await keys.list().first?.usedAt == first)
        engine.clock.advance(by: .days(1))
        #expect(try await keys.holder(of: key) == nil)
        #expect(try await keys.holder(of: Secret("usher_nothing")) == nil)
        await #expect(throws: UsherError.self) { try await keys.create(name: " ", scopes: [], lifetime: .zero) }
    }
}
