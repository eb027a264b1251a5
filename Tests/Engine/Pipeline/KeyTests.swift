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
        let limiter = RateLimiter("calls", now: { clock.now })
        for _ in 0..<Int(RateLimiter.burst) { #expect(limiter.take("a").isAllowed) }
        #expect(!limiter.take("a").isAllowed)
        #expect(limiter.take("b").left == Int(RateLimiter.burst) - 1)
        clock.advance(by: .seconds(1))
        for _ in 0..<Int(RateLimiter.perMinute / 60) { #expect(limiter.take("a").isAllowed) }
        #expect(!limiter.take("a").isAllowed)
    }

    @Test("servers let through together what one would, once they have heard of each other")
    func together() async throws {
        let engine = try await TestEngine()
        func server() -> (RateLimits, RateLimiter) {
            let limits = RateLimits(store: engine.context.store, now: { engine.clock.now })
            limits.setAlone(false)
            return (limits, limits.limiter("forms", burst: 10, perMinute: 1))
        }
        let (one, two) = (server(), server())
        for _ in 0..<8 { #expect(one.1.take("a").isAllowed) }
        #expect(two.1.take("a").isAllowed)
        try await one.0.settle()
        try await two.0.settle()
        // Nine of ten are gone, and both know.
        #expect(two.1.take("a").isAllowed && !two.1.take("a").isAllowed)
        try await two.0.settle()
        #expect(one.1.take("a").isAllowed, "it has not heard of the last one")
        try await one.0.settle()
        #expect(!one.1.take("a").isAllowed && one.1.take("b").isAllowed)
        engine.clock.advance(by: .minutes(2))
        #expect(one.1.take("a").isAllowed && !one.1.take("a").isAllowed, "one was let through too many, and one came back since")
        // Alone, nothing is saved.
        let three = server()
        three.0.setAlone(true)
        for _ in 0..<10 { #expect(three.1.take("c").isAllowed) }
        try await three.0.settle()
        #expect(try await engine.context.store.read { try $0.rate("forms", "c") == nil && $0.rate("forms", "a") != nil })
        engine.clock.advance(by: .hours(1))
        try await three.0.settle()
        #expect(try await engine.context.store.read { try $0.rate("forms", "a") } == nil, "nobody's address stays")
    }

    @Test("whoever comes from ever new addresses makes no limiter grow for ever")
    func bounded() {
        let clock = VirtualClock()
        let limiter = RateLimiter("calls", now: { clock.now })
        for number in 0..<50_000 {
            clock.advance(by: .microseconds(1))
            _ = limiter.take("\(number)")
        }
        #expect(limiter.size <= 10_000)
        #expect(limiter.take("49999").left == Int(RateLimiter.burst) - 2, "the newest is known still")
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
