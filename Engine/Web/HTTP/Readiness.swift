import Synchronization
import UsherCore

/// Whether a balancer is to send callers here. A server that is about to stop says no first, and takes callers on until the balancer has
/// heard of it.
package final class Readiness: Sendable {
    private struct State {
        /// When somebody asked, the last two times.
        var asked: [ContinuousClock.Instant] = []
        var isLeaving = false
        /// Refusals since then.
        var refusals = 0
        var leaver: CheckedContinuation<Void, Never>?
    }
    private let state = Mutex(State())

    /// Who has not asked twice, the last time within this, does not ask again and again.
    private static let recent = Duration.seconds(30)
    /// Balancers take a server out after a few refusals; most after two.
    private static let refusalsHeard = 2
    private static let longest = Duration.seconds(10)
    /// For callers that were sent on their way meanwhile.
    private static let rest = Duration.milliseconds(500)

    package init() {}

    /// Whether the server takes callers for longer; each call is somebody's question.
    func isReady() -> Bool {
        let (isReady, leaver) = state.withLock { state in
            state.asked = state.asked.suffix(1) + [.now]
            guard state.isLeaving else { return (true, nil as CheckedContinuation<Void, Never>?) }
            state.refusals += 1
            guard state.refusals >= Self.refusalsHeard else { return (false, nil) }
            defer { state.leaver = nil }
            return (false, state.leaver)
        }
        leaver?.resume()
        return isReady
    }

    /// Says no from now on, and returns once the balancer has heard it; at once where none asks.
    package func leave() async {
        let isAsked = state.withLock { state in
            state.isLeaving = true
            return state.asked.count == 2 && state.asked[1].duration(to: .now) < Self.recent
        }
        guard isAsked else { return }
        let limit = Task {
            try? await Task.sleep(for: Self.longest)
            stopWaiting()
        }
        await withCheckedContinuation { leaver in
            let isHeard = state.withLock { state in
                if state.refusals < Self.refusalsHeard { state.leaver = leaver }
                return state.refusals >= Self.refusalsHeard
            }
            if isHeard { leaver.resume() }
        }
        limit.cancel()
        try? await Task.sleep(for: Self.rest)
    }

    private func stopWaiting() {
        state.withLock { state in
            defer { state.leaver = nil }
            return state.leaver
        }?.resume()
    }
}
