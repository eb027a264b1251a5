import Synchronization
import UsherCore

/// A mail system that keeps what it took.
package final class MailRecorder: Mailer {
    private let mails = Mutex<[OutgoingMail]>([])
    private let outcome: @Sendable (OutgoingMail) -> DeliveryOutcome

    package init(outcome: @escaping @Sendable (OutgoingMail) -> DeliveryOutcome = { _ in .accepted }) { self.outcome = outcome }

    package var taken: [OutgoingMail] { mails.withLock { $0 } }

    package func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome {
        let outcome = outcome(mail)
        if outcome == .accepted { keep(mail) }
        return outcome
    }

    package func keep(_ mail: OutgoingMail) { mails.withLock { $0.append(mail) } }
}
