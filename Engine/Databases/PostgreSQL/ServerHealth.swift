import Synchronization
import UsherCore

/// Whether the server was reached of late: once it was waited for in vain, others are told at once for a moment, and do not each wait.
final class ServerHealth: Sendable {
    private let downUntil = Mutex<ContinuousClock.Instant?>(nil)
    private static let length = Duration.milliseconds(500)

    var isDown: Bool { downUntil.withLock { end in end.map { ContinuousClock.now < $0 } ?? false } }
    func isUp() { downUntil.withLock { $0 = nil } }
    func hasFailed() { downUntil.withLock { $0 = .now + Self.length } }
}
