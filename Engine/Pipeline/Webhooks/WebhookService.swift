import Foundation
import UsherCore
import UsherStore
import UsherVault

/// Where webhooks are made, turned on again, given a new secret, and where what was sent is looked up and sent once more.
package struct WebhookService: Sendable {
    private let context: EngineContext

    /// So long the secret before the last rotation signs, too.
    package static let overlap = Duration.hours(24)
    private static let secretBytes = 32
    private static let longestURL = 2_000
    private static let most = 50

    /// Works on the database of `context`.
    package init(_ context: EngineContext) {
        self.context = context
    }

    /// A webhook with its newest secret, which is shown when it is made and when it is rotated.
    package struct Shown: Sendable {
        /// The webhook.
        package var webhook: StoredWebhook
        /// The newest secret, `whsec_…`.
        package var secret: Secret
    }

    /// - Parameters:
    ///   - events: `nil` for all.
    ///   - showsManagePage: whether its events include the attendee's manage page, which moves and cancels.
    ///   - known: what is wrong with the form already.
    /// - Throws: ``ErrorCode/validationFailed`` with every finding.
    package func create(
        url: String, events: [String]?, showsManagePage: Bool = false, known findings: [UsherError.Finding] = [],
        repeating key: IdempotencyKey? = nil
    ) async throws -> IdempotentResult<Shown> {
        var findings = findings
        if !findings.contains(where: { $0.pointer == "/url" }), let wrong = refusal(of: url) { findings.append(.init("/url", wrong)) }
        let names = EventType.allCases.map(\.rawValue)
        for (index, event) in (events ?? []).enumerated() where !names.contains(event) {
            let near = nearest(event, names).map { "did you mean '\($0)'?" } ?? "there are: \(names.joined(separator: ", "))"
            findings.append(.init("/events/\(index)", "is not an event; \(near)"))
        }
        if events?.isEmpty == true { findings.append(.init("/events", "must name an event at least; leave it out for all of them")) }
        guard findings.isEmpty else { throw UsherError(.validationFailed, "The webhook cannot be made as written.", findings: findings) }
        let wanted = names.filter { events?.contains($0) ?? true }
        return IdempotentResult(
            try await context.store.write { tx in
                let now = context.now
                return try context.idempotentSealed(key, tx, now: now, replay: { try again($0, tx) }) {
                    guard try tx.webhooks().count < Self.most else {
                        throw UsherError(.validationFailed, "There are \(Self.most) webhooks already: remove one first.")
                    }
                    let id = context.environment.id("wh_")
                    let secret = WebhookSignature.secret(context.environment.random(Self.secretBytes))
                    let webhook = StoredWebhook(
                        id: id, url: url, events: wanted,
                        sealed: try context.vault.seal(secret.reveal(), context: StoredWebhook.context(id)), createdAt: now,
                        showsManagePage: showsManagePage)
                    try tx.add(webhook)
                    try context.audit("webhook.create", id, tx)
                    return (Shown(webhook: webhook, secret: secret), StoredSecret(id: id, secret: secret.reveal()))
                }
            })
    }

    /// Every webhook, the oldest first.
    package func list() async throws -> [StoredWebhook] { try await context.store.read { try $0.webhooks() } }

    /// The webhook of that id.
    /// - Throws: ``ErrorCode/notFound``.
    package func webhook(_ id: String) async throws -> StoredWebhook {
        guard let webhook = try await context.store.read({ try $0.webhook(id) }) else { throw Self.notFound(id) }
        return webhook
    }

    /// Removes a webhook, and what waits for it.
    /// - Throws: ``ErrorCode/notFound``.
    package func remove(_ id: String) async throws {
        let isGone = try await context.store.write { tx in
            guard try tx.lockWebhook(id) != nil, try tx.removeWebhook(id) else { return false }
            try context.audit("webhook.remove", id, tx)
            return true
        }
        guard isGone else { throw Self.notFound(id) }
    }

    /// Makes a new secret; the one before signs beside it for a day.
    package func rotate(_ id: String, repeating key: IdempotencyKey? = nil) async throws -> IdempotentResult<Shown> {
        IdempotentResult(
            try await context.store.write { tx in
                let now = context.now
                return try context.idempotentSealed(key, tx, now: now, replay: { try again($0, tx) }) {
                    guard var webhook = try tx.lockWebhook(id) else { throw Self.notFound(id) }
                    let secret = WebhookSignature.secret(context.environment.random(Self.secretBytes))
                    (webhook.former, webhook.formerUntil) = (webhook.sealed, now + Self.overlap)
                    webhook.sealed = try context.vault.seal(secret.reveal(), context: StoredWebhook.context(id))
                    try tx.setSecrets(webhook)
                    try context.audit("webhook.rotate", id, tx)
                    return (Shown(webhook: webhook, secret: secret), StoredSecret(id: id, secret: secret.reveal()))
                }
            })
    }

    /// Turns a webhook on again. What was given up meanwhile can be replayed.
    package func enable(_ id: String, repeating key: IdempotencyKey? = nil) async throws -> IdempotentResult<StoredWebhook> {
        IdempotentResult(
            try await context.store.write { tx in
                try context.idempotent(key, tx, now: context.now, replay: { try Self.stored($0, tx) }) {
                    guard var webhook = try tx.lockWebhook(id) else { throw Self.notFound(id) }
                    (webhook.state, webhook.problem, webhook.failingSince) = (.active, nil, .never)
                    try tx.setState(webhook)
                    try context.audit("webhook.enable", id, tx)
                    return (webhook, id)
                }
            })
    }

    /// The newest first, and where the next page begins.
    package func deliveries(
        of id: String, before: (start: Instant, id: String)?, limit: Int
    ) async throws -> (items: [StoredDelivery], next: (start: Instant, id: String)?) {
        try await context.store.read { tx in
            guard try tx.webhook(id) != nil else { throw Self.notFound(id) }
            let found = try tx.deliveries(of: id, before: before.map { ($0.start, $0.id) } ?? (.never, ""), limit: limit + 1)
            let shown = Array(found.prefix(limit))
            return (shown, found.count > limit ? shown.last.map { ($0.createdAt, $0.id) } : nil)
        }
    }

    /// Sends an event once more, under the same `webhook-id`, so that a receiver that has it already can tell.
    package func replay(_ delivery: String, of id: String, repeating key: IdempotencyKey? = nil) async throws -> IdempotentResult<
        StoredDelivery
    > {
        let replayed = try await context.store.write { tx in
            let now = context.now
            return try context.idempotent(key, tx, now: now, replay: { try Self.delivery($0, of: id, tx) }) {
                guard let webhook = try tx.webhook(id) else { throw Self.notFound(id) }
                var again = try Self.delivery(delivery, of: id, tx)
                guard webhook.state == .active else {
                    throw UsherError(.validationFailed, "This webhook is turned off: turn it on first.")
                }
                (again.state, again.attempts, again.dueAt) = (.waiting, 0, now)
                try tx.update(again)
                try context.audit("webhook.replay", again.id, tx)
                try tx.enqueue(followUps(of: .eventWritten(webhook: id, subject: again.subject, start: .never), now: now), now: now)
                return (again, again.id)
            }
        }
        return IdempotentResult(replayed)
    }

    /// What a repeated call answers from.
    private struct StoredSecret: Codable {
        var id: String
        var secret: String
    }

    /// A repeated call is shown the secret that the first one was.
    private func again(_ left: StoredSecret, _ tx: Tx) throws -> Shown {
        Shown(webhook: try Self.stored(left.id, tx), secret: Secret(left.secret))
    }

    private static func stored(_ id: String, _ tx: Tx) throws -> StoredWebhook {
        guard let webhook = try tx.webhook(id) else { throw notFound(id) }
        return webhook
    }

    private static func delivery(_ delivery: String, of id: String, _ tx: Tx) throws -> StoredDelivery {
        guard let found = try tx.delivery(delivery), found.webhookID == id else {
            throw UsherError(.notFound, "Webhook '\(id.prefix(80))' has no delivery '\(delivery.prefix(80))'.")
        }
        return found
    }

    private static func notFound(_ id: String) -> UsherError { UsherError(.notFound, "There is no webhook '\(id.prefix(80))'.") }

    /// What is wrong with an address. Whether a name leads into the operator's own network is looked at again whenever something is sent.
    private func refusal(of text: String) -> String? {
        let isOpen = context.settings.allowsPrivateReceivers
        let forms = isOpen ? "https:// or http://" : "https://"
        guard text.utf8.count <= Self.longestURL, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), let url = URLComponents(string: text),
            url.scheme == "https" || (isOpen && url.scheme == "http"), let host = url.host, !host.isEmpty, url.user == nil,
            url.password == nil, url.fragment == nil
        else { return "must be an \(forms) address of at most \(Self.longestURL) characters, without a user name or #" }
        if !isOpen, let bytes = NetworkAddress.bytes(host.filter { $0 != "[" && $0 != "]" }), !NetworkAddress.isPublic(bytes) {
            return "is a private address; USHER_WEBHOOK_ALLOW_PRIVATE=true allows those"
        }
        return nil
    }
}

extension EventType: JSONChoice, JSONNamed {
    /// As generated clients know it.
    package static let schemaName = "EventType"
}

extension StoredWebhook.State: JSONChoice {}

extension StoredWebhook: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Webhook"
    /// Who is told what; never a secret.
    package static let fields: [JSONField<StoredWebhook>] = [
        .init("id", "Of the webhook, for ever.") { $0.id }, .init("url", "Where events are sent.", .uri) { $0.url },
        .init("events", "Which; empty for all.") { $0.events.compactMap(EventType.init) },
        .init("state", "Whether it is sent to.") { $0.state },
        .init("problem", "Why it is turned off, or what its last answer was that was no yes.") { $0.problem },
        .init("managePage", "Whether events bear the guests' link to move and cancel.") { $0.showsManagePage },
        .init("createdAt", "When it was made.") { $0.createdAt },
    ]
}

extension WebhookService.Shown: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "WebhookWithSecret"
    /// With the secret, for the one time that it is shown.
    package static let fields: [JSONField<WebhookService.Shown>] =
        StoredWebhook.fields.map { $0.of { $0.webhook } } + [
            .init("secret", "whsec_…: what deliveries are signed with, by Standard Webhooks.") { $0.secret.reveal() }
        ]
}

extension StoredDelivery.State: JSONChoice {}

extension StoredDelivery: JSONObject {
    /// As generated clients know it.
    package static let schemaName = "Delivery"
    /// What is sent, and what came of it.
    package static let fields: [JSONField<StoredDelivery>] = [
        .init("id", "webhook-id: the same at every try.") { $0.id }, .init("type", "Of the event.", as: EventType.self) { $0.type },
        .init("about", "A booking's id, or an owner's and a provider's.") { $0.subject },
        .init("status", "What became of it.") { $0.state },
        .init("attempts", "How often it was tried.") { $0.attempts }, .init("answer", "The last answer's HTTP status.") { $0.answer },
        .init("problem", "What the last try met; null where it went well.") { $0.problem },
        .init("createdAt", "When the event happened.") { $0.createdAt },
        .init("triedAt", "When it was tried last; null before.") { $0.triedAt },
        // Before the first try it may wait for those before it.
        .init("nextTryAt", "When it is tried again; null where it is not.") { $0.state == .waiting && $0.attempts > 0 ? $0.dueAt : nil },
    ]
}

/// What a webhook is told: a booking, or a connection.
package enum WebhookEvent: JSONNamed {
    /// As generated clients know it.
    package static let schemaName = "Event"
    /// A type, a time, and what it is about.
    package static var definition: JSON {
        [
            "type": "object", "required": ["type", "timestamp", "data"],
            "properties": [
                "type": EventType.schema.described("What happened."), "timestamp": Instant.schema.described("When."),
                "data": [
                    "oneOf": [BookingView.schema, ConnectionEvent.definition], "description": "What it is about, as the API shows it.",
                ],
            ],
            "description": "What a webhook is sent.",
        ]
    }
    /// What it may be about.
    package static var parts: [any JSONNamed.Type] { [EventType.self, BookingView.self] + ConnectionEvent.parts }
}
