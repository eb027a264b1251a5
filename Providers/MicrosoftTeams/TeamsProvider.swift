import ProviderSupport
import UsherCore

/// `microsoft-teams`: meetings of the owner's own work account, without a calendar entry. Graph keeps one meeting for each key of
/// ours, so a create is simply asked again.
/// Source: https://learn.microsoft.com/graph/api/onlinemeeting-createorget
public enum TeamsProvider: OAuthProvider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "microsoft-teams", name: "Microsoft Teams", connection: .owner, capabilities: [.dialIn, .recording, .schedule, .host],
        creation: .repeatable, credentialPrefix: "MICROSOFT", credentials: ["CLIENT_ID", "CLIENT_SECRET"],
        optionalCredentials: ["TENANT_ID"], endpoints: ["MICROSOFT_GRAPH_URL", "MICROSOFT_LOGIN_URL"])

    private static let scope = "OnlineMeetings.ReadWrite"

    /// What an owner is asked for: to make and change online meetings.
    public static let consent = ConsentDescriptor(
        service: "microsoft", name: "Microsoft Teams", callbackPath: "/auth/microsoft/callback",
        abilities: [.init("make meetings", scopes: [scope, "https://graph.microsoft.com/\(scope)"], essential: true)],
        approval: "in the Microsoft Entra admin centre: Enterprise applications, Consent and permissions, Admin consent requests")

    // MARK: Rooms

    /// Asks `createOrGet` for the meeting of the key; asked again, it gives the same one.
    public static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, request.host).create(request)
    }

    /// Start and end go together: Graph moves neither alone.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, request.host).update(roomID, to: request)
    }

    /// Deletes the meeting. One that is gone is success.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {
        try await rooms(call, host).cancel(roomID)
    }

    /// Reads the meeting.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, host).fetch(roomID)
    }

    /// Looks whether the owner's token holds the permission.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        do throws(ProviderError) {
            let connection = try call.connected("Microsoft Teams")
            let missing = consent.missing(try await connection.access(rejected: nil).scopes)
            return Preflight(
                problems: missing.map {
                    Problem(
                        .missingScope, "The Microsoft app cannot \($0.name).",
                        remedy: "Add the permission \(scope) to the app; then connect again.")
                })
        } catch { return Preflight(problems: [error.problem]) }
    }

    private static func rooms(_ call: ProviderContext, _ host: String) throws(ProviderError) -> TeamsRooms {
        TeamsRooms(TeamsClient(call: call, tokens: try call.connected("Microsoft Teams", host: host)))
    }

    // MARK: Consent

    /// Every renewal gives a new refresh token. What counts is `error`, never the AADSTS numbers.
    /// Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
    public static func service(_ call: ProviderContext) -> OAuthService {
        let login = call.endpoints["MICROSOFT_LOGIN_URL"] ?? "https://login.microsoftonline.com"
        let tenant = call.credentials["TENANT_ID"]?.reveal() ?? "organizations"
        let base = "\(login)/\(percentEncoded(tenant))/oauth2/v2.0"
        return OAuthService(
            name: "Microsoft", authorizeURL: "\(base)/authorize", tokenURL: "\(base)/token", authentication: .form,
            scope: "openid email profile offline_access https://graph.microsoft.com/\(scope)", parameters: [("prompt", "select_account")],
            isDead: { error, _ in error == "invalid_grant" || error == "interaction_required" })
    }

    /// By object and tenant id. The token came straight from Microsoft over TLS, so its signature adds nothing.
    /// Source: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
    public static func account(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) -> ConnectedAccount {
        guard let token = grant.identity, let claims = tokenClaims(token), let id = claims["oid"]?.text ?? claims["sub"]?.text else {
            throw ProviderError(
                .unavailable, retry: .backoff, "Microsoft does not say whose account this is.", remedy: "Press Connect again.",
                operation: "id_token")
        }
        return ConnectedAccount(
            id: id, tenant: claims["tid"]?.text ?? "", email: claims["email"]?.string ?? claims["preferred_username"]?.string ?? "",
            name: claims["name"]?.string ?? "")
    }

    /// Microsoft has no endpoint at which an app ends one user's grant; the owner does that on their account's page of apps.
    public static func revoke(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) {}
}
