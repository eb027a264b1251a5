import UsherCore

/// Several relays: each mail goes to the one that is for its sender's domain.
package struct RelayChoice: Mailer {
    private let byDomain: [String: any Mailer]
    private let others: (any Mailer)?

    /// - Parameter relays: each with the domains that it is for; none for all that no other relay names.
    package init(_ relays: [(senders: [String], mailer: any Mailer)]) {
        byDomain = Dictionary(
            relays.flatMap { relay in relay.senders.map { ($0, relay.mailer) } }, uniquingKeysWith: { first, _ in first })
        others = relays.first { $0.senders.isEmpty }?.mailer
    }

    package func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome {
        let domain = Mailbox(name: "", address: mail.sender).domain.lowercased()
        guard let relay = byDomain[domain] ?? others else {
            // The admin mends SMTP_URL, and the mail goes out after all.
            return .later("no relay of SMTP_URL is for senders at \(domain): write one without from=, or with from=\(domain)")
        }
        return await relay.deliver(mail, within: limit)
    }
}
