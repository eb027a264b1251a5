import ProviderSupport
import UsherCore

extension TeamsClient {
    /// Source: https://learn.microsoft.com/graph/errors and https://learn.microsoft.com/graph/throttling
    func error(_ answer: JSONAnswer, _ operation: String, changes: Bool) -> ProviderError? {
        if (200..<300).contains(answer.status) { return nil }
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
        case 404 where answer["error"]?["code"]?.string == nil:
            // A proxy's, or that of a wrong address: Graph's own has a code.
            return error(.unavailable, "Something between here and Microsoft answered HTTP 404.", patience, .backoff, unclear: changes)
        case 404: return error(.meetingGone, "The meeting does not exist at Microsoft any more.", "Retry the booking to make a new one.")
        case 409, 412: return error(.unavailable, "Microsoft is at work on the same meeting.", patience, .backoff)
        default: return error(.rejected, "Microsoft refuses this. Microsoft says: \(words)", "Check the meeting type's title and length.")
        }
    }
}
