import Foundation
import ProviderSupport
import UsherCore

/// What the answers of calendar services mean that are no success.
enum CalendarErrors {
    /// - Parameters:
    ///   - service: as people call it.
    ///   - operation: `GET calendar`.
    /// - Returns: `nil` for a success.
    static func meaning(_ answer: HTTPResponse, _ service: String, _ operation: String, now: Instant) -> ProviderError? {
        let cause = "HTTP \(answer.status)"
        switch answer.status {
        case 200..<300, 304: return nil
        case 401, 403:
            return ProviderError(
                .reauthorize, retry: .never, "\(service) does not let Usher read the calendar (\(cause)).",
                remedy: "Connect the calendar again: with its present address, or with a user name and a password for apps.",
                operation: operation, cause: cause)
        case 404, 410:
            return ProviderError(
                .hostUnknown, retry: .backoff, "\(service) has no calendar at this address (\(cause)).",
                remedy: "Look for its present address in the calendar's settings, and connect it again.", operation: operation,
                cause: cause)
        case 429, 503:
            let after = retryAfter(answer.header("retry-after"), now: now)
            return ProviderError(
                .providerRateLimited, retry: after.map { .at($0) } ?? .backoff, "\(service) takes no more calls at the moment.",
                remedy: ProviderError.triedAgain, operation: operation, cause: cause)
        default:
            return ProviderError(
                .unavailable, retry: .backoff, "\(service) is in trouble (\(cause)).", remedy: ProviderError.triedAgain,
                operation: operation, cause: cause)
        }
    }

    /// What came cannot be read, or not to its end.
    static func unreadable(_ service: String, _ problem: CalendarProblem, _ operation: String) -> ProviderError {
        ProviderError(
            .unavailable, retry: .backoff, "What \(service) answers cannot be read: \(problem.reason).",
            remedy: "Check the address in a browser: it must lead to a calendar, not to a page. It is tried again by itself.",
            operation: operation)
    }

    static func rejected(_ message: String, remedy: String) -> ProviderError {
        ProviderError(.rejected, retry: .never, message, remedy: remedy)
    }
}

/// An address as it may be called: `https://`, or `http://` on this machine, where tests and proxies listen.
package struct CalendarAddress {
    package let url: URL

    /// - Throws: ``ErrorCode/rejected`` for anything else. `webcal:` is `https:`.
    package init(_ text: String) throws(ProviderError) {
        var text = text.trimmingBlanks
        for scheme in ["webcal://", "webcals://"] where text.lowercased().hasPrefix(scheme) {
            text = "https://" + text.dropFirst(scheme.count)
        }
        guard let url = URL(string: text), let host = url.host(), !host.isEmpty, url.user() == nil,
            url.scheme == "https" || (url.scheme == "http" && Self.isNear(host))
        else {
            throw CalendarErrors.rejected(
                "The address of a calendar begins with https:// or webcal://, and holds no password.",
                remedy: "Copy it from the calendar's settings.")
        }
        self.url = url
    }

    private init(_ url: URL) { self.url = url }

    private static func isNear(_ host: String) -> Bool { ["127.0.0.1", "::1", "localhost"].contains(host) }

    var text: String { url.absoluteString }

    /// What a reference in an answer means: a whole address, or a part of one.
    /// - Returns: `nil` where it would be called without encryption.
    package func resolving(_ reference: String) -> CalendarAddress? {
        guard let found = URL(string: reference, relativeTo: url)?.absoluteURL, let host = found.host(),
            found.scheme == "https" || (found.scheme == "http" && Self.isNear(host) && url.scheme == "http")
        else { return nil }
        return CalendarAddress(found)
    }

    /// Whether credentials for this one may go to the other: to the same host, or to one that shares all but its first label, such as
    /// `p01-caldav.icloud.com` for `caldav.icloud.com`.
    package func trusts(_ other: CalendarAddress) -> Bool {
        guard let (mine, theirs) = url.host().flatMap({ mine in other.url.host().map { (mine.lowercased(), $0.lowercased()) } }) else {
            return false
        }
        if mine == theirs { return url.port == other.url.port || other.url.scheme == "https" }
        guard NetworkAddress.bytes(mine) == nil else { return false }
        let (own, foreign) = (mine.split(separator: ".").dropFirst(), theirs.split(separator: ".").dropFirst())
        return own.count >= 2 && own == foreign && other.url.scheme == "https"
    }
}
