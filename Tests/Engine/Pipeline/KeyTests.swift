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

    @Test("what hosts have spent of their day is counted over all servers, and anew at midnight UTC")
    func budgets() async throws {
        let engine = try await TestEngine()
        func server() -> ProviderBudgets { ProviderBudgets(store: engine.context.store, now: { engine.clock.now }) }
        let (one, two) = (server(), server())
        for _ in 0..<3 { one.spend("zoom", account: "ana@northwind.example") }
        for _ in 0..<2 { two.spend("zoom", account: "ana@northwind.example") }
        two.spend("zoom", account: "tom@northwind.example")
        two.spend("room", account: "")
        try await one.save()
        try await one.save()
        try await two.save()
        one.spend("campus", account: "ana@northwind.example")
        let spent = try await one.spent()
        #expect(spent.map(\.provider) == ["zoom", "campus", "zoom"] && spent.map(\.calls) == [5, 1, 1])
        #expect(try await two.spent().map(\.calls) == [5, 1], "it has not heard of the last one")
        engine.clock.advance(by: .days(1))
        #expect(try await one.spent().isEmpty)
        two.spend("zoom", account: "tom@northwind.example")
        try await two.save()
        #expect(try await server().spent().map(\.calls) == [1], "what was not saved before midnight is of no day any more")
        #expect(try await engine.context.store.read { try $0.providerCalls(day: engine.clock.now.seconds / 86_400 - 1) }.isEmpty)
    }

    @Test("what was counted while the database was away is not lost")
    func unsavedBudget() async throws {
        let engine = try await TestEngine()
        let budgets = ProviderBudgets(store: engine.context.store, now: { engine.clock.now })
        budgets.spend("zoom", account: "ana@northwind.example")
        try await engine.context.store.database.write { _ = try $0.execute("ALTER TABLE provider_calls RENAME TO away", []) }
        await #expect(throws: (any Error).self) { try await budgets.save() }
        try await engine.context.store.database.write { _ = try $0.execute("ALTER TABLE away RENAME TO provider_calls", []) }
        try await budgets.save()
        #expect(try await engine.context.budgets.spent().map(\.calls) == [1])
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
