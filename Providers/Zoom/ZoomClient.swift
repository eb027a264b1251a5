import Foundation
import ProviderSupport
import UsherCore

/// Zoom's REST API, with the tokens of an owner or of an account.
struct ZoomClient: AuthorizedClient {
    static let service = "Zoom"
    let call: ProviderContext
    let tokens: any TokenSource

    /// `ZOOM_API_URL`, else what came with the token, else the global address.
    /// Source: https://developers.zoom.us/docs/integrations/oauth/ (`api_url`).
    func base(_ token: IssuedToken) -> String {
        if let configured = call.endpoints["ZOOM_API_URL"] { return configured.hasSuffix("/") ? String(configured.dropLast()) : configured }
        if let url = token.apiURL, Self.isZooms(url) { return url + "/v2" }
        return "https://api.zoom.us/v2"
    }

    /// Tokens go to Zoom's own hosts alone, whatever an answer says: `https://api-us.zoom.us`, `https://api.zoomgov.com`.
    static func isZooms(_ url: String) -> Bool {
        guard let parts = URLComponents(string: url), parts.scheme == "https", parts.user == nil, parts.port == nil, parts.path.isEmpty,
            parts.query == nil, parts.fragment == nil, let host = parts.host?.lowercased()
        else { return false }
        return ["zoom.us", "zoomgov.com"].contains { host == $0 || host.hasSuffix("." + $0) }
    }

    /// The path without ids, for messages: `/users/{id}/meetings`.
    static func pattern(_ path: String) -> String {
        path.prefix { $0 != "?" }.split(separator: "/").enumerated()
            .map { $0.offset == 1 ? "/{id}" : "/\($0.element)" }.joined()
    }

    func error(_ answer: JSONAnswer, _ operation: String, changes: Bool) -> ProviderError? {
        ZoomError(answer)?.meaning(operation, changes: changes, now: call.environment.now())
    }
}
