import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import UsherCore
import UsherPipeline
import UsherStore

/// Health, and the API's description.
struct MetaRoutes: Sendable {
    let context: EngineContext
    /// Nobody but this machine can call, and none is meant to.
    let isLocal: Bool
    private let recent = RecentText()

    private let readiness: Readiness

    init(context: EngineContext, isLocal: Bool, readiness: Readiness) {
        self.context = context
        self.isLocal = isLocal
        self.readiness = readiness
    }

    var operations: [Operation] {
        [
            Operation(
                method: .get, path: "/health/live", id: "live", access: .open, summary: "The process answers.",
                answers: .json(.ok, Health.self)
            ) { _ in Response.json(.ok, Health(status: "live")) },
            Operation(
                method: .get, path: "/health/ready", id: "ready", access: .open,
                summary: "The database answers, too, and the server is not about to stop.",
                answers: .json(.ok, Health.self), codes: [.overloaded], run: ready),
            Operation(
                method: .get, path: "/metrics", id: "metrics", access: isLocal ? .local(.admin) : .key(.admin),
                summary: "What this process has counted and timed, for Prometheus.", answers: .other("text/plain"), run: metrics),
        ]
    }

    private func metrics(_ call: APICall) async throws -> Response {
        let text = try await recent.text(at: context.now) { try await exposition() }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private func exposition() async throws -> String {
        let now = context.now
        let (waiting, working, trouble, oldest) = try await context.store.read { tx in
            (
                try tx.waitingJobs(now: now), try tx.workingJobs(), try tx.troubles(from: now),
                (mail: try tx.oldestUnsentMail(), webhook: try tx.oldestWaitingDelivery())
            )
        }
        let failing = try await context.health.all()
        func age(_ instant: Instant?) -> Double { instant.map { Double((now - $0).microseconds) / 1_000_000 } ?? 0 }
        let gauges = [
            Meters.Gauge("usher_steps_waiting", "Steps that are due, by kind.", waiting.map { (["kind": $0.kind], Double($0.count)) }),
            Meters.Gauge(
                "usher_steps_oldest_seconds", "How long the oldest step that is due has waited, by kind.",
                waiting.map { (["kind": $0.kind], age($0.oldest)) }),
            Meters.Gauge("usher_mail_lag_seconds", "Since the oldest mail was written that has not left.", [([:], age(oldest.mail))]),
            Meters.Gauge("usher_webhook_lag_seconds", "Since the oldest event that is still to be told.", [([:], age(oldest.webhook))]),
            Meters.Gauge("usher_steps_working", "Steps that are being worked on.", working.map { (["kind": $0.kind], Double($0.count)) }),
            Meters.Gauge(
                "usher_bookings_in_trouble", "Bookings to come with a problem, by code.",
                trouble.map { (["code": $0.key], Double($0.value)) }),
            Meters.Gauge(
                "usher_provider_failing", "1 while a provider does not do what it is asked, by its last calls and the last look at it.",
                context.catalog.current.providers.map { entry in
                    (["provider": entry.name], failing.contains { $0.provider == entry.name } ? 1 : 0)
                }),
            Meters.Gauge(
                "usher_provider_daily_calls_max", "Rooms made and moved by the busiest account since 00:00 UTC, at all servers.",
                Dictionary(grouping: try await context.budgets.spent(), by: \.provider).sorted { $0.key < $1.key }
                    .map { (["provider": $0.key], Double($0.value.map(\.calls).max() ?? 0)) }),
        ]
        return context.meters.exposition(gauges)
    }

    private func ready(_ call: APICall) async throws -> Response {
        guard readiness.isReady() else { throw UsherError(.overloaded, "This server is about to stop: ask another.") }
        do {
            try await context.store.read { _ = try $0.services(.rooms) }
            return Response.json(.ok, Health(status: "ready"))
        } catch {
            context.logger.error("the database does not answer", metadata: ["error": "\(error)"])
            throw UsherError(.overloaded, "The database does not answer.")
        }
    }
}

/// A text that is made at most once a second, however many ask for it.
private final class RecentText: Sendable {
    private let made = Mutex<(at: Instant, text: Task<String, any Error>)?>(nil)
    private static let lifetime = Duration.seconds(1)

    func text(at now: Instant, _ make: @escaping @Sendable () async throws -> String) async throws -> String {
        let task = made.withLock { made in
            if let made, made.at <= now, now < made.at + Self.lifetime { return made.text }
            let task = Task { try await make() }
            made = (now, task)
            return task
        }
        return try await task.value
    }
}

/// What the health checks answer.
private struct Health: JSONObject {
    var status: String

    static let schemaName = "Health"
    static let fields: [JSONField<Health>] = [.init("status", "What the server says of itself.") { $0.status }]
}
