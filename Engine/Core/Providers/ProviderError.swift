/// Why a provider did not do what it was asked.
public struct ProviderError: Error, Hashable, Sendable {
    /// The remedy of what passes without anybody's doing.
    public static let triedAgain = "Nothing to do: it is tried again by itself."

    /// When the same question may be asked again.
    public enum Retry: Hashable, Sendable {
        /// Only a person can help.
        case never
        /// Not before this instant.
        case at(Instant)
        /// Soon, and then ever more rarely.
        case backoff
        /// When the provider's daily quota begins anew, at 00:00 UTC.
        case nextQuotaDay
    }

    /// The kind of trouble.
    public var code: ErrorCode
    /// When the same question may be asked again.
    public var retry: Retry
    /// The provider may have done it all the same.
    public var isUnclear: Bool
    /// What happened, for the owner.
    public var message: String
    /// What the owner or the admin can do.
    public var remedy: String
    /// Which call: `POST /users/{id}/meetings`.
    public var operation: String
    /// The provider's own words and its id of the request, for the timeline and the log.
    public var cause: String

    /// Takes each property as it is.
    public init(
        _ code: ErrorCode, retry: Retry, isUnclear: Bool = false, _ message: String, remedy: String, operation: String = "",
        cause: String = ""
    ) {
        self.code = code
        self.retry = retry
        self.isUnclear = isUnclear
        self.message = message
        self.remedy = remedy
        self.operation = operation
        self.cause = cause
    }

    /// The same for readers: without the provider's own words.
    public var problem: Problem { Problem(code, message, remedy: remedy) }
}

extension ErrorCode {
    /// Nothing changes until a person acts: here, at the service, or in the catalogue.
    public var needsPerson: Bool { isBlocking || self == .providerRemoved }

    /// A person must act, and then the work resumes by itself.
    public var isBlocking: Bool {
        switch self {
        case .notConnected, .reauthorize, .missingScope, .plan, .hostUnknown: true
        default: false
        }
    }
}
