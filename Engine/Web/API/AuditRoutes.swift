import Hummingbird
import UsherCore
import UsherPipeline
import UsherStore

/// `/v1/audit`
struct AuditRoutes: Sendable {
    let context: EngineContext

    var operations: [Operation] {
        [
            Operation(
                method: .get, path: "/v1/audit", id: "listAudit", access: .key(.admin),
                summary: "Who did what to which subject, from where, and how it ended; the newest first.", query: [.limit, .cursor],
                answers: .page(AuditEntry.self), run: list)
        ]
    }

    private func list(_ call: APICall) async throws -> Response {
        var query = call.query
        let (limit, before) = (query.limit(), query.cursor())
        try query.check()
        let found = try await context.store.read { tx in
            try tx.audit(before: before.map { ($0.start, $0.id) } ?? (.never, ""), limit: limit + 1)
        }
        let shown = found.prefix(limit)
        return Response.page(shown.map(\.json), next: found.count > limit ? shown.last.map { ($0.at, $0.id) } : nil)
    }
}
