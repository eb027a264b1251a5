import HTTPTypes
import UsherCore
import UsherWeb

/// How a command ends, where not with success.
enum Exit: Int32, Error {
    case refused = 1
    case usage = 2
    case provider = 3
    case internalError = 4
}

extension ErrorCode {
    /// What the API answers with a status of its own ends a command likewise.
    var exitCode: Int32 {
        switch (self, httpStatus) {
        case (.configuration, _): Exit.usage.rawValue
        case (_, .badGateway): Exit.provider.rawValue
        case (_, .internalServerError): Exit.internalError.rawValue
        default: Exit.refused.rawValue
        }
    }
}
