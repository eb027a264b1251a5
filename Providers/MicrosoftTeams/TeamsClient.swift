import ProviderSupport
import UsherCore

/// Microsoft Graph with the owner's tokens.
struct TeamsClient: AuthorizedClient {
    static let service = "Microsoft"
    let call: ProviderContext
    let tokens: any TokenSource

    func base(_ token: IssuedToken) -> String { call.endpoints["MICROSOFT_GRAPH_URL"] ?? "https://graph.microsoft.com/v1.0" }

    /// `/me/onlineMeetings`, of which the third part is a meeting's id or `createOrGet`.
    static func pattern(_ path: String) -> String { path.split(separator: "/").prefix(2).map { "/\($0)" }.joined() }
}
