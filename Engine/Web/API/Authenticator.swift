import Hummingbird
import UsherCore

/// Lets calls in that bear a valid key.
struct Authenticator: Sendable {
    private let adminKey: Secret?

    init(_ adminKey: Secret?) { self.adminKey = adminKey }

    /// - Returns: an id of the key, under which idempotency keys are kept.
    func check(_ request: Request) throws(UsherError) -> String {
        guard let header = request.headers[.authorization] else {
            throw UsherError(.authMissing, "Send your API key: Authorization: Bearer usher_…")
        }
        guard header.lowercased().hasPrefix("bearer "), let adminKey, Secret(String(header.dropFirst(7))) == adminKey else {
            throw UsherError(.authInvalid, "This API key is not valid.")
        }
        return "admin"
    }
}
