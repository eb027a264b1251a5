import Logging
import UsherCore
import UsherStore
import UsherVault

/// Sends the events about one thing to one webhook, one after the other.
///
/// Source of the schedule and of what each answer means:
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
struct DeliverWebhook {
    /// A receiver has so long to answer.
    private static let patience = Duration.seconds(20)
    /// Troubles that began when an event was first told are its own.
    private static let firstHour = Duration.hours(1)
    /// No `Retry-After` is heeded beyond this.
    private static let longestWait = Duration.days(1)

    private let context: EngineContext
    init(_ context: EngineContext) { self.context = context }

    func prepare(_ id: String, _ subject: String, _ claim: Claim, _ step: StepTransaction) throws -> Effect? {
        guard let webhook = try step.tx.webhook(id) else { return try step.finish(claim) }
        guard webhook.state == .active else {
            // Whoever wrote it down saw the webhook as it was before.
            try step.tx.giveUpDeliveries(ofDisabled: id, about: subject, "the webhook was turned off")
            guard try step.tx.nextDelivery(of: id, about: subject) != nil else { return try step.finish(claim) }
            // Turned on again in this moment.
            try step.tx.release(claim, due: step.now, attempt: 0)
            return nil
        }
        guard let delivery = try step.tx.nextDelivery(of: webhook.id, about: subject) else { return try step.finish(claim) }
        guard delivery.dueAt <= step.now else {
            try step.tx.release(claim, due: delivery.dueAt, attempt: 0)
            return nil
        }
        let secrets = try webhook.secrets(context.vault, now: step.now)
        let text =
            StoredDelivery.isSealed(delivery.sealed)
            ? try context.vault.open(delivery.sealed, context: StoredDelivery.context(delivery.id)) : delivery.sealed
        let body = Array(text.utf8)
        let deadline = step.now + Self.patience
        let trace = try step.tx.trace(ofBooking: delivery.subject)
        return Effect(provider: webhook.id, about: ["about": "\(delivery.subject)"], trace: trace) { [context] in
            let now = context.now
            let result: Result<HTTPResponse, TransportError>
            do throws(TransportError) {
                result = .success(
                    try await context.receivers.send(
                        HTTPRequest(
                            "POST", webhook.url,
                            headers: try Self.headers(delivery, body, secrets, now) + context.environment.traceHeaders, body: body,
                            deadline: deadline)))
            } catch { result = .failure(error) }
            context.meters.count(.webhooks, ["outcome": Self.outcome(result)])
            return { step in try record(result, of: delivery, claim, step) }
        }
    }

    private static func outcome(_ result: Result<HTTPResponse, TransportError>) -> String {
        switch result {
        case .success(let response): problem(response) == nil ? "taken" : "refused"
        case .failure(.notSent): "unreached"
        case .failure(.unclear): "unclear"
        }
    }

    private static func headers(
        _ delivery: StoredDelivery, _ body: [UInt8], _ secrets: [Secret], _ now: Instant
    ) throws(TransportError) -> [(name: String, value: String)] {
        let signature: String
        do { signature = try WebhookSignature.header(id: delivery.id, seconds: now.seconds, body: body, secrets: secrets) } catch {
            throw .notSent(error.message)
        }
        return [
            ("Content-Type", "application/json"), ("User-Agent", "Usher"), ("webhook-id", delivery.id),
            ("webhook-timestamp", "\(now.seconds)"), ("webhook-signature", signature),
        ]
    }

    private func record(
        _ result: Result<HTTPResponse, TransportError>, of sent: StoredDelivery, _ claim: Claim, _ step: StepTransaction
    ) throws -> StepResult {
        guard var delivery = try step.tx.delivery(sent.id), delivery.state == .waiting, let known = try step.tx.webhook(sent.webhookID)
        else { return .lookAgain }
        delivery.attempts += 1
        delivery.triedAt = step.now
        var answer = HTTPResponse(status: 0)
        switch result {
        case .success(let response):
            answer = response
            delivery.answer = Int64(response.status)
            delivery.problem = Self.problem(response)
        case .failure(let error):
            delivery.answer = nil
            delivery.problem = "not reached: \(error.reason)"
        }
        if delivery.problem == nil {
            delivery.state = .sent
            if known.failingSince != .never || known.problem != nil, var webhook = try step.tx.lockWebhook(known.id) {
                (webhook.failingSince, webhook.problem) = (.never, nil)
                try step.tx.setState(webhook)
            }
            try step.tx.update(delivery)
            return .lookAgain
        }
        guard var webhook = try step.tx.lockWebhook(known.id) else { return .lookAgain }
        webhook.problem = delivery.problem
        webhook.failingSince = min(webhook.failingSince, step.now)
        let next = nextTry(delivery, answer, step.now)
        if let next { delivery.dueAt = next } else { delivery.state = .failed }
        try step.tx.update(delivery)
        log(delivery, webhook)
        if answer.status == 410 { try disable(&webhook, "it answered 410: gone", step) }
        // All the tries of an event are days, and nothing was taken in between.
        if delivery.state == .failed, webhook.state == .active, webhook.failingSince < delivery.createdAt + Self.firstHour {
            try disable(&webhook, "it has taken nothing for days", step)
        }
        try step.tx.setState(webhook)
        return .lookAgain
    }

    /// `nil` for yes.
    private static func problem(_ response: HTTPResponse) -> String? {
        switch response.status {
        case 200..<300: nil
        case 300..<400: "answered \(response.status): redirects are not followed, give the final address"
        default: "answered \(response.status)"
        }
    }

    private func nextTry(_ delivery: StoredDelivery, _ answer: HTTPResponse, _ now: Instant) -> Instant? {
        let tries = Int(delivery.attempts)
        guard tries <= RetryPolicy.webhookSchedule.count else { return nil }
        let plain = RetryPolicy.webhookSchedule[tries - 1]
        // Spread over a tenth, so that what failed together does not come back together.
        let spread = Duration.microseconds(plain.microseconds / 10 * Int64(context.environment.random(1)[0]) / 256)
        let asked = retryAfter(answer.header("retry-after"), now: now) ?? now
        return max(now + plain + spread, min(asked, now + Self.longestWait))
    }

    private func disable(_ webhook: inout StoredWebhook, _ reason: String, _ step: StepTransaction) throws {
        webhook.state = .disabled
        webhook.problem = reason
        try step.tx.giveUpDeliveries(of: webhook.id, "the webhook was turned off: \(reason)")
        context.logger.error("a webhook is turned off", metadata: ["webhook": "\(webhook.id)", "reason": "\(reason)"])
    }

    private func log(_ delivery: StoredDelivery, _ webhook: StoredWebhook) {
        context.logger.warning(
            delivery.state == .failed ? "an event was given up" : "an event was not taken",
            metadata: [
                "webhook": "\(webhook.id)", "delivery": "\(delivery.id)", "about": "\(delivery.subject)",
                "outcome": "\(delivery.problem ?? "")",
            ])
    }
}
