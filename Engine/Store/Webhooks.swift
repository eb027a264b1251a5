import UsherCore

/// A program that is notified of events. Its secrets are sealed.
package struct StoredWebhook: Hashable, Sendable {
    /// Whether events are sent to it.
    package enum State: String, Sendable, CaseIterable {
        case active
        /// It said that it is gone, or has not taken anything for days: nothing is sent until a person turns it on again.
        case disabled
    }

    /// `wh_…`
    package var id: String
    /// Where events are sent.
    package var url: String
    /// The types that it hears of.
    package var events: [String]
    /// The newest secret, sealed.
    package var sealed: String
    /// The secret before the last rotation; empty where there is none.
    package var former: String
    /// So long ``former`` signs, too.
    package var formerUntil: Instant
    /// Whether events are sent to it.
    package var state: State
    /// Why it is disabled, or what its last answer was that was no yes.
    package var problem: String?
    /// When the first try failed since one that did not; ``Instant/never`` while all is well.
    package var failingSince: Instant
    /// When it was made.
    package var createdAt: Instant
    /// Whether its events include the attendee's manage page, which moves and cancels.
    package var showsManagePage: Bool

    /// Takes each property as it is.
    package init(
        id: String, url: String, events: [String], sealed: String, former: String = "", formerUntil: Instant = Instant(microseconds: 0),
        state: State = .active, problem: String? = nil, failingSince: Instant = .never, createdAt: Instant,
        showsManagePage: Bool = false
    ) {
        self.id = id
        self.url = url
        self.events = events
        self.sealed = sealed
        self.former = former
        self.formerUntil = formerUntil
        self.state = state
        self.problem = problem
        self.failingSince = failingSince
        self.createdAt = createdAt
        self.showsManagePage = showsManagePage
    }

    /// What its secrets are sealed for.
    package static func context(_ id: String) -> String { "webhook:" + id }
}

/// One event on its way to one webhook: the log, and the queue.
package struct StoredDelivery: Hashable, Sendable {
    /// Whether it is still to be sent, was taken, or was given up.
    package enum State: String, Sendable, CaseIterable { case waiting, sent, failed }

    /// `webhook-id`: the same at every try.
    package var id: String
    /// Whom it is sent to.
    package var webhookID: String
    /// What the event is about: those about the same thing go out one after the other.
    package var subject: String
    /// The event's type: `booking.confirmed`, …
    package var type: String
    /// What is sent, sealed.
    package var sealed: String
    /// How far it has come.
    package var state: State
    /// How often it was sent.
    package var attempts: Int64
    /// When it is sent next.
    package var dueAt: Instant
    /// When it was sent last; `nil` where it never was.
    package var triedAt: Instant?
    /// The last answer's HTTP status.
    package var answer: Int64?
    /// Why it was not taken; `nil` where it was.
    package var problem: String?
    /// When it was written.
    package var createdAt: Instant

    /// Takes each property as it is.
    package init(
        id: String, webhookID: String, subject: String, type: String, sealed: String, state: State = .waiting, attempts: Int64 = 0,
        dueAt: Instant, triedAt: Instant? = nil, answer: Int64? = nil, problem: String? = nil, createdAt: Instant
    ) {
        self.id = id
        self.webhookID = webhookID
        self.subject = subject
        self.type = type
        self.sealed = sealed
        self.state = state
        self.attempts = attempts
        self.dueAt = dueAt
        self.triedAt = triedAt
        self.answer = answer
        self.problem = problem
        self.createdAt = createdAt
    }

    /// What it is sealed for.
    package static func context(_ id: String) -> String { "delivery:" + id }
    /// An earlier Usher wrote them as plain JSON.
    package static func isSealed(_ text: String) -> Bool { !text.hasPrefix("{") }
}

/// The columns of `webhooks` that are read.
enum WebhookColumn: Int, Column {
    case id, url, events, sealed, former, formerUntil, state, problem, failingSince, createdAt, managePage

    static let table = "webhooks"
}

/// The columns of `deliveries` that are read.
enum DeliveryColumn: Int, Column {
    case id, webhookID, subject, type, body, state, attempts, dueAt, triedAt, answer, problem, createdAt

    static let table = "deliveries"
}

/// Statements on webhooks and their deliveries.
enum WebhookSQL: String, SQLStatement {
    case add = """
        INSERT INTO webhooks ({webhooks})
        VALUES ({$11})
        """
    case setSecrets = "UPDATE webhooks SET sealed = $1, former = $2, former_until = $3 WHERE id = $4"
    case setState = "UPDATE webhooks SET state = $1, problem = $2, failing_since = $3 WHERE id = $4"
    case list = """
        SELECT {webhooks} FROM webhooks ORDER BY id
        """
    case one = """
        SELECT {webhooks} FROM webhooks WHERE id = $1
        """
    case locked = """
        SELECT {webhooks} FROM webhooks WHERE id = $1{lock}
        """
    case remove = "DELETE FROM webhooks WHERE id = $1"
    case removeDeliveries = "DELETE FROM deliveries WHERE webhook_id = $1"
    case addDelivery = """
        INSERT INTO deliveries (id, webhook_id, subject, seq, type, body, state, attempts, due_at, problem, created_at)
        VALUES ($1, $2, $3, (SELECT COALESCE(MAX(seq), 0) + 1 FROM deliveries WHERE webhook_id = $2 AND subject = $3), $4, $5, $6, $7, $8,
            $9, $10)
        """
    case updateDelivery = """
        UPDATE deliveries SET state = $1, attempts = $2, due_at = $3, tried_at = $4, answer = $5, problem = $6 WHERE id = $7
        """
    case nextDelivery = """
        SELECT {deliveries} FROM deliveries
        WHERE webhook_id = $1 AND subject = $2 AND state = 'waiting' ORDER BY seq LIMIT 1
        """
    case delivery = """
        SELECT {deliveries} FROM deliveries
        WHERE id = $1
        """
    case page = """
        SELECT {deliveries} FROM deliveries
        WHERE webhook_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3)) ORDER BY created_at DESC, id DESC LIMIT $4
        """
    case about = """
        SELECT {deliveries} FROM deliveries
        WHERE webhook_id = $1 AND subject = $2 ORDER BY seq
        """
    case oldest = "SELECT MIN(created_at) FROM deliveries WHERE state = 'waiting'"
    case giveUp = "UPDATE deliveries SET state = 'failed', problem = $1 WHERE webhook_id = $2 AND state = 'waiting'"
    /// Unless somebody has turned it on meanwhile.
    case giveUpAbout = """
        UPDATE deliveries SET state = 'failed', problem = $1 WHERE webhook_id = $2 AND subject = $3 AND state = 'waiting'
            AND EXISTS (SELECT 1 FROM webhooks WHERE id = $2 AND state = 'disabled')
        """
    case forget = "DELETE FROM deliveries WHERE created_at < $1 AND state <> 'waiting'"

    static let texts: [String: StatementText] = texts(WebhookColumn.self, DeliveryColumn.self)
}

extension Tx {
    /// Adds a webhook.
    package func add(_ webhook: StoredWebhook) throws {
        seen.hasWebhooks = true
        try write(
            WebhookSQL.add, .text(webhook.id), .text(webhook.url), .text(webhook.events.joined(separator: " ")), .text(webhook.sealed),
            .text(webhook.former), SQLValue(webhook.formerUntil), .text(webhook.state.rawValue), SQLValue(webhook.problem),
            SQLValue(webhook.failingSince), SQLValue(webhook.createdAt), SQLValue(webhook.showsManagePage))
    }
    /// Writes a webhook's secrets.
    package func setSecrets(_ webhook: StoredWebhook) throws {
        try write(
            WebhookSQL.setSecrets, .text(webhook.sealed), .text(webhook.former), SQLValue(webhook.formerUntil), .text(webhook.id))
    }
    /// Writes whether a webhook is on, and how it fares.
    package func setState(_ webhook: StoredWebhook) throws {
        try write(
            WebhookSQL.setState, .text(webhook.state.rawValue), SQLValue(webhook.problem), SQLValue(webhook.failingSince),
            .text(webhook.id))
    }
    /// The webhook of that id, for a change of what it is: nobody else changes it until this transaction ends.
    package func lockWebhook(_ id: String) throws -> StoredWebhook? {
        try query(WebhookSQL.locked, .text(id)).first.map(webhook(from:))
    }
    /// Every webhook, the oldest first.
    package func webhooks() throws -> [StoredWebhook] {
        if seen.hasWebhooks == false { return [] }
        return try query(WebhookSQL.list).map(webhook(from:))
    }
    /// The webhook of that id.
    package func webhook(_ id: String) throws -> StoredWebhook? { try query(WebhookSQL.one, .text(id)).first.map(webhook(from:)) }
    /// - Returns: whether there was one.
    package func removeWebhook(_ id: String) throws -> Bool {
        try write(WebhookSQL.removeDeliveries, .text(id))
        return try execute(WebhookSQL.remove, .text(id)) == 1
    }

    /// Adds an event to the queue of its subject, and has those forgotten that are older than `forgetting`.
    package func add(_ delivery: StoredDelivery, forgetting: Instant) throws {
        try write(WebhookSQL.forget, SQLValue(forgetting))
        try write(
            WebhookSQL.addDelivery, .text(delivery.id), .text(delivery.webhookID), .text(delivery.subject), .text(delivery.type),
            .text(delivery.sealed), .text(delivery.state.rawValue), .int(delivery.attempts), SQLValue(delivery.dueAt),
            SQLValue(delivery.problem), SQLValue(delivery.createdAt))
    }
    /// Writes what changes of a delivery: its state and its tries.
    package func update(_ delivery: StoredDelivery) throws {
        try write(
            WebhookSQL.updateDelivery, .text(delivery.state.rawValue), .int(delivery.attempts), SQLValue(delivery.dueAt),
            delivery.triedAt.map { SQLValue($0) } ?? .null, delivery.answer.map(SQLValue.int) ?? .null, SQLValue(delivery.problem),
            .text(delivery.id))
    }
    /// The oldest that still waits.
    package func nextDelivery(of webhook: String, about subject: String) throws -> StoredDelivery? {
        try query(WebhookSQL.nextDelivery, .text(webhook), .text(subject)).first.map(delivery(from:))
    }
    /// The delivery of that id.
    package func delivery(_ id: String) throws -> StoredDelivery? { try query(WebhookSQL.delivery, .text(id)).first.map(delivery(from:)) }
    /// The newest first, those before `before`.
    package func deliveries(of webhook: String, before: (at: Instant, id: String), limit: Int) throws -> [StoredDelivery] {
        try query(WebhookSQL.page, .text(webhook), SQLValue(before.at), .text(before.id), .int(Int64(limit))).map(delivery(from:))
    }
    /// Those about one thing, in their order.
    package func deliveries(of webhook: String, about subject: String) throws -> [StoredDelivery] {
        try query(WebhookSQL.about, .text(webhook), .text(subject)).map(delivery(from:))
    }
    /// When the oldest event was written that is still to be told.
    package func oldestWaitingDelivery() throws -> Instant? {
        try query(WebhookSQL.oldest)[0].optionalInt(0).map(Instant.init(microseconds:))
    }
    /// Nothing that waits is sent any more.
    package func giveUpDeliveries(of webhook: String, _ reason: String) throws {
        try write(WebhookSQL.giveUp, .text(reason), .text(webhook))
    }
    /// What waits about one thing is not sent any more, if the webhook is turned off.
    package func giveUpDeliveries(ofDisabled webhook: String, about subject: String, _ reason: String) throws {
        try write(WebhookSQL.giveUpAbout, .text(reason), .text(webhook), .text(subject))
    }

    private func webhook(from row: SQLRow) throws -> StoredWebhook {
        let row = TableRow<WebhookColumn>(row)
        return StoredWebhook(
            id: try row.text(.id), url: try row.text(.url), events: try row.text(.events).split(separator: " ").map(String.init),
            sealed: try row.text(.sealed), former: try row.text(.former), formerUntil: try row.instant(.formerUntil),
            state: try row.known(.state),
            problem: try row.optionalText(.problem), failingSince: try row.instant(.failingSince), createdAt: try row.instant(.createdAt),
            showsManagePage: try row.bool(.managePage))
    }
    private func delivery(from row: SQLRow) throws -> StoredDelivery {
        let row = TableRow<DeliveryColumn>(row)
        return StoredDelivery(
            id: try row.text(.id), webhookID: try row.text(.webhookID), subject: try row.text(.subject), type: try row.text(.type),
            sealed: try row.text(.body),
            state: try row.known(.state), attempts: try row.int(.attempts), dueAt: try row.instant(.dueAt),
            triedAt: try row.optionalInstant(.triedAt), answer: try row.optionalInt(.answer),
            problem: try row.optionalText(.problem), createdAt: try row.instant(.createdAt))
    }
}
