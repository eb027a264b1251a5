import HTTPTypes
import UsherCore

/// What a code of an error means to whoever calls the API, and what to do: what stands at the address that the error's `type` names.
struct ErrorMeaning: Sendable {
    var errorCode, errorStatus, errorMeaning: String

    static let all = ErrorCode.allCases.map { code in
        ErrorMeaning(
            errorCode: code.rawValue, errorStatus: "\(code.httpStatus.code) \(code.httpStatus.reasonPhrase)", errorMeaning: code.meaning)
    }
}

extension ErrorCode {
    /// Where the code is explained, below the server's address.
    var address: String { "/docs#\(rawValue)" }

    fileprivate var meaning: String {
        switch self {
        case .validationFailed: "Fields are missing, unknown or wrong. “errors” names each with its place; mend them and send again."
        case .requestMalformed: "The body is no JSON, or the address holds what cannot be read. Nothing was done."
        case .requestMediaType: "Send the body as “Content-Type: application/json”."
        case .requestMethod: "The address does not take this method; the Allow header says which it takes."
        case .payloadTooLarge: "The body is longer than 1 MiB."
        case .bookingConflict: "The owner has another booking then. Choose another time."
        case .bookingUnavailable: "The time is no free slot. “hosts” says why for each, “nearest” names free times near it."
        case .holdExpired: "The hold has ended, and its time was taken meanwhile. Ask for the slots again."
        case .bookingInPast: "The meeting has begun, or its time is over."
        case .bookingCancelled: "The booking is cancelled, and a cancelled one cannot be changed. Book anew."
        case .notFound: "There is no such thing, or it is not this key's to see."
        case .idempotencyMismatch: "The Idempotency-Key was used with another body. Use a key of its own for each booking."
        case .ownerInFile: "The owner stands in meeting-types.yaml: change it there."
        case .authMissing: "Send “Authorization: Bearer usher_…”."
        case .authInvalid: "No such key, or it has ended or was revoked. “usher key list” shows those that live."
        case .authForbidden: "The key lacks the scope for this. “usher key create --scope …” makes one that has it."
        case .rateLimited: "Too many calls with this key or from this network. Wait as long as Retry-After says."
        case .overloaded: "The server has too much to do. Nothing was done: call again after Retry-After, with the same Idempotency-Key."
        case .notConnected: "The provider is not connected: by the owner on their page, or by the admin with its credentials."
        case .reauthorize: "The service takes the owner's connection no more. The owner connects again; what waits goes on by itself."
        case .missingScope: "The app lacks a permission at the service. The admin adds it, and the owner connects again."
        case .plan: "The account's plan, role or administrator does not allow this."
        case .hostUnknown: "The owner's address belongs to no account at the service. The admin enters it under “hosts:”."
        case .providerRateLimited: "The service takes no more calls for now. It is tried again by itself."
        case .dailyLimit: "The service's quota of the day is used up. It is tried again after 00:00 UTC."
        case .rejected: "The service refuses what was asked, and would refuse it again. Retry after a change, or move to another provider."
        case .unavailable: "The service, or a part of this server, cannot be reached. It is tried again by itself."
        case .meetingGone: "The room was deleted at the service. A retry makes a new one."
        case .providerRemoved: "meeting-types.yaml names this provider no more, or with another module."
        case .configuration: "The server is not set up right. “usher doctor” says what is wrong."
        case .internalError: "A fault of the server's. Its log has more under the “traceId”."
        }
    }
}
