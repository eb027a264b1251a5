import Synchronization
import UsherCore

/// A mail system that answers as it was told, in order, and then takes everything.
package final class Outcomes: Sendable {
    private let state: Mutex<(left: [DeliveryOutcome], mails: [OutgoingMail])>

    package init(_ outcomes: [DeliveryOutcome]) { state = Mutex((outcomes, [])) }

    /// Of the mails that were tried, in order.
    package var ids: [String] { state.withLock { $0.mails.map(\.id) } }
    package var bytes: [[UInt8]] { state.withLock { $0.mails.map(\.bytes) } }

    package func next(_ mail: OutgoingMail) -> DeliveryOutcome {
        state.withLock { state in
            state.mails.append(mail)
            return state.left.isEmpty ? .accepted : state.left.removeFirst()
        }
    }
}
