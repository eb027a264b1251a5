import ProviderSupport
import UsherCore

/// An answer of Google that is no success. The reason decides, not the status: 403 means five different things.
/// Source: https://developers.google.com/workspace/calendar/api/guides/errors
struct GoogleMeetError {
    let status: Int
    let reason: String
    let message: String
    private let response: HTTPResponse

    /// `nil` for a success.
    init?(_ answer: JSONAnswer) {
        if (200..<300).contains(answer.status) { return nil }
        let error = answer["error"]
        status = answer.status
        response = answer.response
        reason = error?["errors"]?.array?.first?["reason"]?.string ?? ""
        message = error?["message"]?.string ?? ""
    }

    func meaning(_ operation: String, changes: Bool, now: Instant) -> ProviderError {
        func error(
            _ code: ErrorCode, _ message: String, _ remedy: String, _ retry: ProviderError.Retry = .never, unclear: Bool = false
        ) -> ProviderError {
            ProviderError(
                code, retry: retry, isUnclear: unclear, message, remedy: remedy, operation: operation,
                cause: "HTTP \(status) \(reason) \(self.message)")
        }
        let patience = ProviderError.triedAgain
        switch (status, reason) {
        case (500..., _), (300..<400, _):
            return error(.unavailable, "Google is in trouble (HTTP \(status)).", patience, .backoff, unclear: changes)
        case (_, "quotaExceeded"):
            // Against abuse: hours, not seconds.
            return error(.providerRateLimited, "Google has paused this calendar for some hours.", patience, .at(now + .hours(2)))
        case (_, "dailyLimitExceeded"): return error(.dailyLimit, "Google's limit of the day is reached.", patience, .nextQuotaDay)
        case (429, _), (_, "rateLimitExceeded"), (_, "userRateLimitExceeded"):
            let after = retryAfter(response.header("retry-after"), now: now)
            return error(.providerRateLimited, "Google takes no more calls at the moment.", patience, after.map { .at($0) } ?? .backoff)
        case (401, _): return error(.reauthorize, "Google refuses the connection.", "Connect Google again.")
        case (_, "insufficientPermissions"):
            return error(
                .missingScope, "The Google connection may not write events.", "Connect Google again, and leave the calendar's box ticked.")
        case (_, "accessNotConfigured"):
            return error(
                .plan, "The Calendar API is switched off in the Google project.", "The admin enables the Google Calendar API there.")
        case (_, "forbiddenForNonOrganizer"), (_, "forbiddenForServiceAccounts"), (403, _):
            return error(.plan, "Google does not allow this for the account. Google says: \(message)", "Ask the account's administrator.")
        case (404, ""), (410, ""):
            // A proxy's, or that of a wrong address: Google's own has a reason.
            return error(.unavailable, "Something between here and Google answered HTTP \(status).", patience, .backoff, unclear: changes)
        case (404, _), (410, _):
            return error(.meetingGone, "The event does not exist in the Google calendar any more.", "Retry the booking to make a new one.")
        case (412, _), (409, _): return error(.unavailable, "Google is at work on the same event.", patience, .backoff)
        default:
            if message.contains("conference type") {
                return error(
                    .plan, "Google Meet is not allowed in this calendar. Google says: \(message)",
                    "The account's administrator allows Meet, or the owner chooses another provider.")
            }
            return error(.rejected, "Google refuses this. Google says: \(message)", "Check the meeting type's title and length.")
        }
    }
}
