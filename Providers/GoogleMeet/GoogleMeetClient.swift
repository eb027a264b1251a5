import ProviderSupport
import UsherCore

/// Google's Calendar API with the owner's tokens.
struct GoogleMeetClient: AuthorizedClient {
    static let service = "Google"
    let call: ProviderContext
    let tokens: any TokenSource

    func base(_ token: IssuedToken) -> String { "\(call.endpoints["GOOGLE_API_URL"] ?? "https://www.googleapis.com")/calendar/v3" }

    /// `/calendars/primary/events`, of which the fourth part is an event's id.
    static func pattern(_ path: String) -> String {
        let parts = path.prefix { $0 != "?" }.split(separator: "/")
        return parts.prefix(3).map { "/\($0)" }.joined() + (parts.count > 3 ? "/{id}" : "")
    }

    func error(_ answer: JSONAnswer, _ operation: String, changes: Bool) -> ProviderError? {
        GoogleMeetError(answer)?.meaning(operation, changes: changes, now: call.environment.now())
    }
}
