import Logging
import Synchronization
import UsherCore
import UsherStore

/// Wrong keys, by the network address that they come from. Who sends many is not listened to for a while; keys that were good lately
/// pass all the same, because others may share the address. It belongs to one process.
final class KeyGuesses: Sendable {
    /// Wrong keys at once, and wrong keys a minute.
    private static let burst = 100.0
    private static let perMinute = 20.0
    private static let mostAddresses = 10_000
    private static let mostKeys = 10_000
    /// Lines in the log are no nearer to each other than this.
    private static let logged = Duration.seconds(10)

    private let now: @Sendable () -> Instant
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var left: [String: (tries: Double, at: Instant)] = [:]
        var goodKeys: Set<String> = []
        /// Since the last line in the log.
        var wrong: Int64 = 0
        var loggedAt = Instant(microseconds: 0)
        /// Wrong keys of each address that no row tells of yet.
        var untold: [String: Int64] = [:]
    }

    init(now: @escaping @Sendable () -> Instant, logger: Logger) {
        self.now = now
        self.logger = logger
    }

    /// Whether a key is looked up at all.
    func mayTry(_ key: String, from address: String) -> Bool {
        let now = now()
        let isLet = state.withLock { state in state.goodKeys.contains(key) || Self.tries(of: address, &state, now) >= 1 }
        if !isLet { count(address, takesTry: false) }
        return isLet
    }

    func wasRight(_ key: String) {
        state.withLock { state in
            if state.goodKeys.count >= Self.mostKeys { state.goodKeys.removeAll() }
            state.goodKeys.insert(key)
        }
    }

    /// - Returns: how many wrong keys of this address have not been written down yet, this one among them.
    func wasWrong(_ key: String, from address: String) -> Int64 {
        state.withLock { _ = $0.goodKeys.remove(key) }
        count(address, takesTry: true)
        return state.withLock { $0.untold.removeValue(forKey: address) ?? 0 }
    }

    private func count(_ address: String, takesTry: Bool) {
        let now = now()
        let line = state.withLock { state -> Int64? in
            if takesTry {
                if state.left.count >= Self.mostAddresses { state.left = state.left.filter { $0.value.tries < Self.burst } }
                if state.left.count >= Self.mostAddresses { state.left.removeAll() }
                state.left[address] = (Self.tries(of: address, &state, now) - 1, now)
            }
            if state.untold.count >= Self.mostAddresses { state.untold.removeAll() }
            state.untold[address, default: 0] += 1
            state.wrong += 1
            guard state.loggedAt + Self.logged <= now else { return nil }
            defer { (state.wrong, state.loggedAt) = (0, now) }
            return state.wrong
        }
        if let line { logger.warning("wrong API keys", metadata: ["count": "\(line)", "lastFrom": "\(address)"]) }
    }

    private static func tries(of address: String, _ state: inout State, _ now: Instant) -> Double {
        guard let (tries, at) = state.left[address] else { return burst }
        return min(burst, tries + Double((now - at).microseconds) * perMinute / 60_000_000)
    }
}

extension Tx {
    /// Counts wrong keys of an address in one row for each hour.
    func auditWrongKeys(_ count: Int64, action: String, from address: String, at now: Instant) throws {
        let hour = now.microseconds / Duration.hours(1).microseconds
        try audit(
            AuditEntry(
                id: "au_\(hour)_\(action)_\(address)", at: now, actor: Actor("nobody", address: address), action: action, subject: "",
                outcome: ErrorCode.authInvalid.rawValue, count: count))
    }
}
