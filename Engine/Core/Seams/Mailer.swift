/// Hands one mail for one recipient over to the next mail system.
package protocol Mailer: Sendable {
    /// Never throws: each way it can end is an outcome that the outbox acts upon.
    /// - Parameter limit: by then it has ended, one way or the other: the claim of whoever delivers lasts no longer.
    func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome
}

/// A mail as it is handed over.
package struct OutgoingMail: Sendable {
    /// Envelope sender and recipient: plain addresses, checked by ``isMailAddress(_:)``.
    package var sender: String
    /// The envelope's recipient.
    package var recipient: String
    /// The whole message, lines ended by CRLF.
    package var bytes: [UInt8]
    /// The outbox row's id: the same for every try of this mail.
    package var id: String

    /// Takes each property as it is.
    package init(sender: String, recipient: String, bytes: [UInt8], id: String) {
        self.sender = sender
        self.recipient = recipient
        self.bytes = bytes
        self.id = id
    }
}

/// What became of a mail.
package enum DeliveryOutcome: Hashable, Sendable {
    /// The next system has taken responsibility.
    case accepted
    /// Not taken, and a later try may go through: 4xx, no connection.
    case later(String)
    /// Not taken, and never will be: 5xx.
    case refused(String)
    /// Cut after the message went out: it may have been taken, and the same mail is sent again.
    case unclear(String)

    /// Why it was not taken, in the other side's words.
    package var reason: String {
        switch self {
        case .accepted: ""
        case .later(let reason), .refused(let reason), .unclear(let reason): reason
        }
    }

    /// For counting.
    package var name: String {
        switch self {
        case .accepted: "accepted"
        case .later: "later"
        case .refused: "refused"
        case .unclear: "unclear"
        }
    }
}
