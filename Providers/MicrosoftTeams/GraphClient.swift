import ProviderSupport
import UsherCore

/// Microsoft Graph with the owner's token, renewed once where it was refused.
struct GraphClient: Sendable {
    private let call: ProviderContext
    private let connection: any Connection

    init(_ call: ProviderContext, _ connection: any Connection) {
        self.call = call
        self.connection = connection
    }

    func send(_ method: String, _ path: String, body: JSON? = nil, changes: Bool) async throws(ProviderError) -> JSONAnswer {
        let operation = "\(method) \(path.split(separator: "/").prefix(2).joined(separator: "/"))"
        let token = try await connection.access(rejected: nil)
        var answer = try await exchange(method, path, body, token, operation, changes)
        if answer.status == 401 {
            answer = try await exchange(method, path, body, try await connection.access(rejected: token), operation, changes)
        }
        guard (200..<300).contains(answer.status) else { throw error(answer, operation, changes: changes) }
        return answer
    }

    private func exchange(
        _ method: String, _ path: String, _ body: JSON?, _ token: IssuedToken, _ operation: String, _ changes: Bool
    ) async throws(ProviderError) -> JSONAnswer {
        let base = call.endpoints["MICROSOFT_GRAPH_URL"] ?? "https://graph.microsoft.com/v1.0"
        do throws(TransportError) {
            return try await call.exchange(
                method, base + path, headers: [("Authorization", "Bearer \(token.access.reveal())")], body: body)
        } catch { throw .unreachable("Microsoft", error, operation: operation, changes: changes) }
    }

    /// Source: https://learn.microsoft.com/graph/errors and https://learn.microsoft.com/graph/throttling
    private func error(_ answer: JSONAnswer, _ operation: String, changes: Bool) -> ProviderError {
        let words = answer["error"]?["message"]?.string ?? ""
        let id = answer["error"]?["innerError"]?["request-id"]?.string ?? answer.response.header("request-id") ?? ""
        func error(
            _ code: ErrorCode, _ message: String, _ remedy: String, _ retry: ProviderError.Retry = .never, unclear: Bool = false
        ) -> ProviderError {
            ProviderError(
                code, retry: retry, isUnclear: unclear, message, remedy: remedy, operation: operation,
                cause: "HTTP \(answer.status) \(answer["error"]?["code"]?.string ?? "") \(words) request \(id)")
        }
        let patience = ProviderError.triedAgain
        let after = retryAfter(answer.response.header("retry-after"), now: call.environment.now())
        let wait = after.map { ProviderError.Retry.at($0) } ?? .backoff
        switch answer.status {
        case 500..., 300..<400:
            return error(.unavailable, "Microsoft is in trouble (HTTP \(answer.status)).", patience, wait, unclear: changes)
        case 429: return error(.providerRateLimited, "Microsoft takes no more calls at the moment.", patience, wait)
        case 401: return error(.reauthorize, "Microsoft refuses the connection.", "Connect Microsoft Teams again.")
        case 403:
            return error(
                .plan, "Microsoft does not allow meetings for this account. Microsoft says: \(words)",
                "A work or school account with Teams is needed; the tenant's administrator can allow it.")
        case 404: return error(.meetingGone, "The meeting does not exist at Microsoft any more.", "Retry the booking to make a new one.")
        case 409, 412: return error(.unavailable, "Microsoft is at work on the same meeting.", patience, .backoff)
        default: return error(.rejected, "Microsoft refuses this. Microsoft says: \(words)", "Check the meeting type's title and length.")
        }
    }
}
