import Synchronization
import UsherCore

/// The server's clock as this process knows it: what the server said last, and what has passed since by a clock that nobody sets. So
/// processes agree on the time, however wrong their machines' clocks are.
final class ServerClock: Sendable {
    private let sample: Mutex<(said: Instant, at: ContinuousClock.Instant)>

    init(_ said: Instant, at: ContinuousClock.Instant) { sample = Mutex((said, at)) }

    var now: Instant { sample.withLock { $0.said + ($0.at.duration(to: .now)) } }

    /// - Parameters:
    ///   - said: between asking and hearing. Where that fits what is known, what is known stays: time does not waver with the network.
    func learn(_ said: Instant, asked: ContinuousClock.Instant, heard: ContinuousClock.Instant) {
        let doubt = asked.duration(to: heard)
        let middle = asked + doubt / 2
        sample.withLock { sample in
            let expected = sample.said + sample.at.duration(to: middle)
            let difference = said - expected
            if difference > doubt || difference < .zero - doubt { sample = (said, middle) }
        }
    }

    /// Microseconds since 1970, by the server's clock at that moment, not at the transaction's start.
    static let sql = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
}
