import Logging
import Synchronization
import UsherCore
import UsherPipeline
import UsherStore

/// Wrong keys, by the network address that they come from. Who sends many is told to wait, and each is counted; right keys pass
/// whatever else comes from their address.
final class KeyGuesses: Sendable {
    /// Wrong keys at once, and wrong keys a minute, that are answered as such.
    private static let burst = 100.0
    private static let perMinute = 20.0
    private static let mostAddresses = 10_000
    /// Addresses that have a row of their own in the audit of an hour; the others share one.
    private static let mostRows = 1_000
    /// Lines in the log, and writes about one address that is not listened to, are no nearer to each other than this.
    private static let pause = Duration.seconds(10)

    private let now: @Sendable () -> Instant
    private let logger: Logger
    private let limiter: RateLimiter
    private let state = Mutex(State())

    private struct Guesser {
        /// Wrong keys that no row tells of yet.
        var untold: Int64 = 0
        var toldAt = Instant(microseconds: 0)
    }

    private struct State {
        var guessers: [String: Guesser] = [:]
        /// Since the last line in the log.
        var wrong: Int64 = 0
        var loggedAt = Instant(microseconds: 0)
        /// Who has a row in the hour's audit.
        var hour: Int64 = 0
        var rows: Set<String> = []
    }

    struct Verdict: Sendable {
        /// Whether the key is answered as a wrong one; otherwise its sender is told to wait.
        var isListenedTo: Bool
        /// How many wrong keys are to be written down now, and of whom.
        var untold: Int64
        var row: String
    }

    init(_ context: EngineContext) {
        now = context.environment.now
        logger = context.logger
        limiter = context.limits.limiter("wrong keys", burst: Self.burst, perMinute: Self.perMinute)
    }

    func wasWrong(from address: String) -> Verdict {
        let now = now()
        let isListenedTo = limiter.take(address).isAllowed
        let (verdict, line) = state.withLock { state -> (Verdict, Int64?) in
            Self.makeRoom(&state, now)
            var guesser = state.guessers[address] ?? Guesser()
            guesser.untold += 1
            var untold: Int64 = 0
            if isListenedTo || guesser.toldAt + Self.pause <= now { (untold, guesser.untold, guesser.toldAt) = (guesser.untold, 0, now) }
            state.guessers[address] = guesser
            state.wrong += 1
            let isLogged = state.loggedAt + Self.pause <= now
            let line = isLogged ? state.wrong : nil
            if isLogged { (state.wrong, state.loggedAt) = (0, now) }
            return (Verdict(isListenedTo: isListenedTo, untold: untold, row: Self.row(address, &state, now)), line)
        }
        if let line { logger.warning("wrong API keys", metadata: ["count": "\(line)", "lastFrom": "\(address)"]) }
        return verdict
    }

    private static func makeRoom(_ state: inout State, _ now: Instant) {
        guard state.guessers.count >= mostAddresses else { return }
        state.guessers = state.guessers.filter { $0.value.untold > 0 || $0.value.toldAt + pause > now }
        guard state.guessers.count >= mostAddresses else { return }
        let newest = state.guessers.sorted { $0.value.toldAt > $1.value.toldAt }.prefix(mostAddresses / 2)
        state.guessers = Dictionary(uniqueKeysWithValues: newest.map { ($0.key, $0.value) })
    }

    private static func row(_ address: String, _ state: inout State, _ now: Instant) -> String {
        let hour = now.microseconds / Duration.hours(1).microseconds
        if state.hour != hour { (state.hour, state.rows) = (hour, []) }
        if state.rows.contains(address) { return address }
        guard state.rows.count < mostRows else { return "others" }
        state.rows.insert(address)
        return address
    }
}
