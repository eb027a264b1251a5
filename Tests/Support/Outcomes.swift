import Synchronization
import UsherCore

/// A mail system that answers as it was told, in order, and then takes everything.
package final class Outcomes: Sendable {
    private let state: Mutex<(left: [DeliveryOutcome], ids: [String])>

    package init(_ outcomes: [DeliveryOutcome]) { state = Mutex((outcomes, [])) }

    /// Of the mails that were tried, in order.
    package var ids: [String] { state.withLock { $0.ids } }

    package func next(_ mail: OutgoingMail) -> DeliveryOutcome {
        state.withLock { state in
            state.ids.append(mail.id)
            return state.left.isEmpty ? .accepted : state.left.removeFirst()
        }
    }
}
