import UsherCore

/// How a command ends, where not with success.
enum Exit: Int32, Error {
    case refused = 1
    case usage = 2
    case provider = 3
    case internalError = 4
}

extension ErrorCode {
    /// The one mapping of codes to exit codes.
    var exitCode: Int32 {
        switch self {
        case .validationFailed, .requestMalformed, .requestMediaType, .requestMethod, .payloadTooLarge, .bookingConflict, .bookingInPast,
            .bookingCancelled,
            .notFound, .idempotencyMismatch, .ownerInFile, .authMissing, .authInvalid, .authForbidden, .rateLimited, .overloaded:
            Exit.refused.rawValue
        case .configuration: Exit.usage.rawValue
        case .notConnected, .reauthorize, .missingScope, .plan, .hostUnknown, .providerRateLimited, .dailyLimit, .rejected, .unavailable,
            .meetingGone, .providerRemoved:
            Exit.provider.rawValue
        case .internalError: Exit.internalError.rawValue
        }
    }
}
