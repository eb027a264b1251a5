import ProviderSupport
import UsherCore

/// An answer of Zoom that is no success: HTTP status, Zoom's own code, its words.
///
/// Branching is on status and code alone, since the words are translated; only the kinds of 429 that carry no header are told
/// apart by them. Source of the codes: https://developers.zoom.us/docs/api/errors/ ; reports of single ones stand beside them.
struct ZoomError {
    let status: Int
    let code: Int64
    let message: String
    let fields: [String]
    private let response: HTTPResponse
    private let isZooms: Bool

    /// `nil` for a success. Zoom also answers failures with 200 and a `code`.
    init?(_ answer: JSONAnswer) {
        let code = answer["code"]?.int
        guard !(200..<300).contains(answer.status) || (code != nil && answer["id"] == nil) else { return nil }
        status = answer.status
        response = answer.response
        if let code {
            self.code = code
            message = answer["message"]?.string ?? ""
            fields = answer["errors"]?.array?.compactMap { $0["field"]?.string } ?? []
            isZooms = true
        } else {
            let text = String(decoding: answer.response.body.prefix(2_000), as: UTF8.self)
            self.code = Self.xml("code", text).flatMap { Int64($0) } ?? 0
            message = Self.xml("message", text) ?? ""
            fields = []
            isZooms = self.code != 0
        }
    }

    /// Zoom answers some errors in XML: `<result><code>300</code><message>…`.
    private static func xml(_ name: String, _ text: String) -> String? {
        guard let open = text.firstRange(of: "<\(name)>"), let close = text[open.upperBound...].firstRange(of: "</\(name)>") else {
            return nil
        }
        return String(text[open.upperBound..<close.lowerBound])
    }

    func meaning(_ operation: String, changes: Bool, now: Instant) -> ProviderError {
        func error(
            _ code: ErrorCode, _ message: String, _ remedy: String, _ retry: ProviderError.Retry = .never, unclear: Bool = false
        ) -> ProviderError {
            ProviderError(code, retry: retry, isUnclear: unclear, message, remedy: remedy, operation: operation, cause: cause)
        }
        let patience = ProviderError.triedAgain
        switch status {
        case 500..., 300..<400: return error(.unavailable, "Zoom is in trouble (HTTP \(status)).", patience, .backoff, unclear: changes)
        case 429: return limit(operation, now)
        default: break
        }
        if let (code, message, remedy) = refusal { return error(code, message, remedy) }
        if status == 409 { return error(.unavailable, "Zoom is at work on the same meeting.", patience, .backoff) }
        if code == 300, !fields.isEmpty {
            return error(
                .rejected, "Zoom refuses \(fields.joined(separator: ", ")). Zoom says: \(message)",
                "Check the meeting type's title and meeting options.")
        }
        guard isZooms else {
            return error(.unavailable, "Something between here and Zoom answered HTTP \(status).", patience, .backoff, unclear: changes)
        }
        return error(
            .rejected, "Zoom refuses this (code \(code)). Zoom says: \(message)", "See Zoom's words; the tracking id helps Zoom's support.")
    }

    /// What a person must mend, by Zoom's own code.
    private var refusal: (ErrorCode, message: String, remedy: String)? {
        switch (status, code) {
        case (401, _):
            (
                .reauthorize, "Zoom refuses the access token.",
                "Check in the Zoom Marketplace that the app is active and its credentials are current."
            )
        case (_, 4711), (_, 4700):
            (
                .missingScope, "The Zoom app lacks a permission: \(scopes).",
                "Add the scope \(scopes) to the app in the Zoom Marketplace; it takes effect within minutes."
            )
        case (_, 200), (_, 3161):
            (
                .plan, "The host's Zoom plan or role does not allow this. Zoom says: \(message)",
                "Give the host a licence and the right to schedule meetings."
            )
        case (_, 1001), (_, 1010), (_, 1120):
            (
                .hostUnknown, "Zoom does not know the host in this account. Zoom says: \(message)",
                "Check the owner's mail address, or write the one they have at Zoom under hosts: in meeting-types.yaml."
            )
        case (_, 2001):
            (.notConnected, "Zoom says that the account does not exist.", "Check ACCOUNT_ID, and that the account is not suspended.")
        case (_, 3001), (404, 300): (.meetingGone, "The meeting does not exist at Zoom any more.", "Retry the booking to make a new room.")
        case (400, 124):
            (
                .notConnected, "Zoom refuses this kind of app.",
                "Make a Server-to-Server OAuth app in the Zoom Marketplace, and use its credentials."
            )
        default: nil
        }
    }

    /// The four kinds of 429. Source: https://developers.zoom.us/docs/api/rate-limits/ ; the one for a single host carries neither
    /// type nor Retry-After: https://devforum.zoom.us/t/18928
    private func limit(_ operation: String, _ now: Instant) -> ProviderError {
        func error(_ code: ErrorCode, _ retry: ProviderError.Retry, _ message: String, _ remedy: String) -> ProviderError {
            ProviderError(code, retry: retry, message, remedy: remedy, operation: operation, cause: cause)
        }
        let kind = response.header("x-ratelimit-type")?.lowercased() ?? ""
        let patience = "Nothing to do: it resumes by itself."
        if kind == "qps" || message.contains("per-second") || message.contains("concurrent") {
            return error(.providerRateLimited, .backoff, "Zoom takes no more calls at the moment.", patience)
        }
        if let until = retryAfter(response.header("retry-after"), now: now) {
            let isDaily = kind.hasPrefix("daily") || until - now > .hours(1)
            return error(
                isDaily ? .dailyLimit : .providerRateLimited, .at(max(until, now + .seconds(1))),
                "Zoom takes no more calls of this account until \(until.rfc3339).", patience)
        }
        return error(
            .dailyLimit, .nextQuotaDay, "Zoom allows a host 100 meetings made or moved a day, and this host has had them.",
            "It resumes by itself at 00:00 UTC; for an earlier room, choose another provider.")
    }

    /// The scopes that Zoom names between brackets.
    private var scopes: String {
        guard let open = message.firstIndex(of: "["), let close = message.lastIndex(of: "]"), open < close else {
            return "see Zoom's words: \(message)"
        }
        return String(message[message.index(after: open)..<close])
    }

    private var cause: String {
        let tracking = response.header("x-zm-trackingid").map { ", tracking id \($0)" } ?? ""
        return "HTTP \(status), code \(code): \(message)\(fields.isEmpty ? "" : " (\(fields.joined(separator: ", ")))")\(tracking)"
    }
}
