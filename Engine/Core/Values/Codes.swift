/// The stable codes that callers, pages and mails rely on. The one list; one exhaustive switch maps it to HTTP, and exit codes follow from there.
public enum ErrorCode: String, Sendable, CaseIterable, Codable {
    case validationFailed = "validation.failed"
    case requestMalformed = "request.malformed"
    case requestMediaType = "request.media-type"
    case requestMethod = "request.method"
    case payloadTooLarge = "payload.too-large"
    case bookingConflict = "booking.conflict"
    /// The time is no slot of the meeting type, or of nobody who hosts it.
    case bookingUnavailable = "booking.unavailable"
    /// The hold has ended, and its time is taken.
    case holdExpired = "hold.expired"
    case bookingInPast = "booking.in-past"
    case bookingCancelled = "booking.cancelled"
    case notFound = "not-found"
    case idempotencyMismatch = "idempotency.mismatch"
    case ownerInFile = "owner.in-file"
    case authMissing = "auth.missing"
    case authInvalid = "auth.invalid"
    case authForbidden = "auth.forbidden"
    /// A key of ours calls too often.
    case rateLimited = "rate-limited"
    /// This server has too much to do.
    case overloaded
    /// There is no account, or the service does not take its credentials. A person must act.
    case notConnected = "provider.not-connected"
    /// The service does not take an owner's grant any more. The owner connects again.
    case reauthorize = "provider.reauthorize"
    /// The app or the grant lacks a permission. A person must act.
    case missingScope = "provider.missing-scope"
    /// The account's plan, role or administrator does not allow it. A person must act.
    case plan = "provider.plan"
    /// The account has no such host. A person must act.
    case hostUnknown = "provider.host-unknown"
    /// The service takes no more calls for now (HTTP 429).
    case providerRateLimited = "provider.rate-limited"
    /// The service's quota of the day is used up.
    case dailyLimit = "provider.daily-limit"
    /// The service refuses what the request says; the same request again would be refused, too.
    case rejected = "provider.rejected"
    /// The service cannot be reached, is in trouble, or answers what cannot be understood.
    case unavailable = "provider.unavailable"
    /// The room does not exist any more, on the service's own word for it.
    case meetingGone = "provider.meeting-gone"
    /// The catalogue has no such provider any more.
    case providerRemoved = "provider.removed"
    case configuration
    case internalError = "internal"
}

/// What went wrong, in words for the reader, with a stable code and, for input, every finding at once.
public struct UsherError: Error, Hashable, Sendable {
    /// What is wrong with one part of the input.
    public struct Finding: Hashable, Sendable {
        /// RFC 6901: `/attendees/0/email`.
        public var pointer: String
        /// What must stand there, or what is wrong, in a sentence's second half.
        public var detail: String
        /// Takes each property as it is.
        public init(_ pointer: String, _ detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    /// The kind of trouble, for programs.
    public var code: ErrorCode
    /// What went wrong, in one or two sentences.
    public var message: String
    /// Every part of the input that is wrong; empty where input is not the matter.
    public var findings: [Finding]
    /// What programs read beside, as members of the answer; `nil` for nothing.
    package var details: JSON?

    /// Takes each property as it is.
    public init(_ code: ErrorCode, _ message: String, findings: [Finding] = []) {
        self.code = code
        self.message = message
        self.findings = findings
    }
}

/// Something that a person can see and mend: code, what happened, what to do.
public struct Problem: Hashable, Sendable, Codable {
    /// The kind of trouble, for programs.
    public var code: ErrorCode
    /// What happened.
    public var message: String
    /// What the reader can do.
    public var remedy: String

    /// Takes each property as it is.
    public init(_ code: ErrorCode, _ message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}

extension ErrorCode: JSONChoice, JSONNamed {
    /// As generated clients know it.
    package static let schemaName = "Code"
}

extension Problem: JSONObject {
    /// As generated clients know it: `Problem` is what RFC 9457 calls so.
    package static let schemaName = "Trouble"
    /// What happened, and what to do.
    package static let fields: [JSONField<Problem>] = [
        .init("code", "Stable, as in an error's code.") { $0.code }, .init("message", "What is wrong.") { $0.message },
        .init("remedy", "What to do.") { $0.remedy },
    ]
}
