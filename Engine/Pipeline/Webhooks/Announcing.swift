import UsherCore
import UsherStore
import UsherVault

/// Writes events down for the webhooks that want them, in the transaction of what happened.
struct Announcer: Sendable {
    let environment: Environment
    let vault: Vault

    /// The log of deliveries is kept for so long.
    private static let memory = Duration.days(30)

    /// - Parameters:
    ///   - subject: events about the same one go out one after the other; without blanks.
    ///   - data: asked for only where somebody wants to know.
    ///   - start: when the meeting begins that it is about; ``Instant/never`` where it is about none.
    func tell(
        _ type: EventType, about subject: String, meeting start: Instant = .never, _ tx: Tx,
        _ data: (_ showsManagePage: Bool) throws -> JSON
    ) throws {
        let listening = try tx.webhooks().filter { $0.events.contains(type.rawValue) }
        guard !listening.isEmpty else { return }
        let now = environment.now()
        for webhook in listening {
            let data = try data(webhook.showsManagePage)
            let body: JSON = ["type": .string(type.rawValue), "timestamp": .string(now.rfc3339), "data": data]
            let id = environment.id("msg_")
            // A booking bears the links that let its readers in.
            var delivery = StoredDelivery(
                id: id, webhookID: webhook.id, subject: subject, type: type.rawValue,
                sealed: try vault.seal(body.serialized, context: StoredDelivery.context(id)), dueAt: now, createdAt: now)
            // While it is turned off the log goes on, so that what was missed can be replayed.
            if webhook.state == .disabled { (delivery.state, delivery.problem) = (.failed, "the webhook was turned off") }
            try tx.add(delivery, forgetting: now - Self.memory)
            guard webhook.state == .active else { continue }
            try tx.enqueue(
                kind: WebhookStep.kind, subject: WebhookStep.subject(webhook.id, subject), due: now, service: webhook.id, start: start)
        }
    }

    /// A connection as it is now, or was before it went.
    func tell(_ type: EventType, _ connection: StoredConnection, _ tx: Tx) throws {
        try tell(type, about: "\(connection.ownerID)/\(connection.provider)", tx) { _ in
            ["owner": ["id": .string(connection.ownerID)], "connection": connection.json]
        }
    }
}

extension EngineContext {
    var announcer: Announcer { Announcer(environment: environment, vault: vault) }

    /// Writes what can change of a booking, and tells of what that means.
    func update(_ booking: Booking, _ tx: Tx) throws {
        let old = try tx.booking(booking.id)
        try tx.update(booking)
        try announce(from: old, to: booking, tx)
    }

    func announce(from old: Booking?, to new: Booking, _ tx: Tx) throws {
        for type in EventType.between(old, new) {
            try announcer.tell(type, about: new.id, meeting: new.start, tx) { try BookingView(new, self, tx).json(showsManagePage: $0) }
        }
    }
}
