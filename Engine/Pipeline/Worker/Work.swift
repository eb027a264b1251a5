import UsherCore
import UsherStore

/// A piece of work that a worker has claimed.
package struct Work: Sendable {
    var claimed: ClaimedWork
    init(_ claimed: ClaimedWork) { self.claimed = claimed }

    /// The provider that it will ask; `nil` where it asks none.
    package var provider: String? { claimed.effect.provider }
    package var queue: Queue { claimed.job.queue }
}
