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
            // A booking has the links that let its readers in.
            var delivery = StoredDelivery(
                id: id, webhookID: webhook.id, subject: subject, type: type.rawValue,
                sealed: try vault.seal(body.serialized, context: StoredDelivery.context(id)), dueAt: now, createdAt: now)
            // While it is turned off the log goes on, so that what was missed can be replayed.
            if webhook.state == .disabled { (delivery.state, delivery.problem) = (.failed, "the webhook was turned off") }
            try tx.add(delivery, forgetting: now - Self.memory)
            guard webhook.state == .active else { continue }
            try tx.enqueue(followUps(of: .eventWritten(webhook: webhook.id, subject: subject, start: start), now: now), now: now)
        }
    }

    /// A connection as it is now, or was before it went.
    func tell(_ type: EventType, _ connection: StoredConnection, _ tx: Tx) throws {
        try tell(type, about: "\(connection.ownerID)/\(connection.provider)", tx) { _ in
            ConnectionEvent(connection: connection).json
        }
    }
}

/// What is told of a connection.
struct ConnectionEvent: JSONObject {
    var connection: StoredConnection

    static let schemaName = "ConnectionEvent"
    static let fields: [JSONField<ConnectionEvent>] = [
        .group("owner", "Whose it is.", [.init("id", "Of the owner.") { $0.connection.ownerID }]),
        .init("connection", "As it is now.") { $0.connection },
    ]
}
