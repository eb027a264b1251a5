import Testing
import UsherCore
import UsherStore

@Suite(.timeLimit(.minutes(1)))
struct InstallationTests {
    @Test("whatever was made before a restore keeps the epoch that it was made in, however many restores follow")
    func epochs() {
        var seed: UInt8 = 0
        func random(_ count: Int) -> [UInt8] {
            seed += 1
            return Array(repeating: seed, count: count)
        }
        var installation = Installation(random: random)
        let first = installation.epoch
        installation.hold(.restored, at: Instant(seconds: 100), random: random)
        let second = installation.epoch
        installation.hold(.moved, at: Instant(seconds: 200), random: random)
        #expect(Set([first, second, installation.epoch]).count == 3)
        #expect(installation.epoch(at: Instant(seconds: 99)) == first)
        #expect(installation.epoch(at: Instant(seconds: 100)) == second)
        #expect(installation.epoch(at: Instant(seconds: 200)) == installation.epoch)
    }
}
