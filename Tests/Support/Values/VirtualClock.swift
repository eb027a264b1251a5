import Synchronization
import UsherCore

/// A clock that a test moves by hand.
package final class VirtualClock: Sendable {
    private let value: Mutex<Instant>

    /// 2026-11-24T08:00:00Z where nothing else is asked for.
    package init(_ start: Instant = Instant(seconds: 1_795_507_200)) { value = Mutex(start) }

    package var now: Instant { value.withLock { $0 } }
    package func advance(by duration: Duration) { value.withLock { $0 = $0 + duration } }
    package func advance(to instant: Instant) { value.withLock { $0 = max($0, instant) } }
}

/// SplitMix64 (https://prng.di.unimi.it/splitmix64.c): the same seed, the same run.
package final class Seed: Sendable {
    private let state: Mutex<UInt64>

    package init(_ seed: UInt64) { state = Mutex(seed) }

    package func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    /// A number below `limit`.
    package func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    package func chance(_ percent: Int) -> Bool { below(100) < percent }
    package func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
    package func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

extension Environment {
    /// - Parameter skew: how far the process's own clock is ahead.
    package static func virtual(_ clock: VirtualClock, _ seed: Seed, skew: @escaping @Sendable () -> Duration = { .zero }) -> Environment {
        Environment(now: { clock.now + skew() }, random: { seed.bytes($0) })
    }
}
