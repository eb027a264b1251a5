import ProviderSupport
import UsherCore

/// `zoom`: meetings in the owner's own Zoom account, through a user-managed OAuth app. The same client as `zoom-s2s`; every user
/// is called `me`, since a user's token may name no other.
/// Source: https://developers.zoom.us/docs/api/using-zoom-apis/
public enum ZoomProvider: OAuthProvider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "zoom", name: "Zoom", connection: .owner,
        capabilities: [
            .passcode, .dialIn, .waitingRoom, .joinBeforeHost, .alternativeHosts, .recording, .localRecording, .summary, .schedule, .host,
        ],
        creation: .lookup(settles: .seconds(10)), credentialPrefix: "ZOOM", credentials: ["CLIENT_ID", "CLIENT_SECRET"],
        // Older set-ups name a secret for states; here the vault's key signs them.
        optionalCredentials: ["STATE_SECRET"],
        endpoints: ["ZOOM_API_URL", "ZOOM_OAUTH_URL"], hostCapacity: 1, hostDailyCalls: 100)

    /// What an owner is asked for; the app's scopes are in the Marketplace.
    public static let consent = ConsentDescriptor(
        service: "zoom", name: "Zoom", callbackPath: "/auth/zoom/video/callback",
        abilities: ZoomAbility.all.filter { $0.isForOwners }.map {
            .init($0.name, scopes: $0.scopes, essential: $0.isEssential)
        }, approval: "in the Marketplace: Manage, Apps on account, or Permission requests")

    // MARK: Rooms

    /// Makes a meeting of the connected user, whose agenda begins with the key.
    public static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, request.host).create(request.hostedByMe)
    }

    /// Looks through the user's upcoming meetings, page by page, for agendas that begin with a key.
    public static func find(_ key: String?, host: String, _ call: ProviderContext) async throws(ProviderError) -> [FoundRoom] {
        try await rooms(call, host).find(key, host: "me")
    }

    /// Changes the meeting, and reads it back.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, request.host).update(roomID, to: request.hostedByMe)
    }

    /// Deletes the meeting without Zoom's own mail. One that is gone is success.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {
        try await rooms(call, host).cancel(roomID)
    }

    /// Reads the meeting.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, host).fetch(roomID)
    }

    /// Looks at the connection, its scopes and the user's licence.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        do throws(ProviderError) {
            return await ZoomPreflight(ZoomClient(call: call, tokens: try call.connected("Zoom"))).run(hosts: ["me"])
        } catch { return Preflight(problems: [error.problem]) }
    }

    private static func rooms(_ call: ProviderContext, _ host: String) throws(ProviderError) -> ZoomRooms {
        ZoomRooms(ZoomClient(call: call, tokens: try call.connected("Zoom", host: host)), seesOtherUsers: false)
    }

    // MARK: Consent

    /// No scope is sent: Zoom takes it from the app's configuration, and refuses a list in the address.
    /// Source: https://devforum.zoom.us/t/52654 ; dead grants: https://developers.zoom.us/docs/integrations/oauth-error-messages/
    public static func service(_ call: ProviderContext) -> OAuthService {
        let base = call.endpoints["ZOOM_OAUTH_URL"] ?? "https://zoom.us/oauth"
        return OAuthService(
            name: "Zoom", authorizeURL: "\(base)/authorize", tokenURL: "\(base)/token", authentication: .basic,
            isDead: { error, reason in error == "invalid_grant" || reason == "Invalid Token!" })
    }

    /// By `GET /users/me`.
    public static func account(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) -> ConnectedAccount {
        let user = try await ZoomClient(call: call, tokens: GivenToken(token: grant.access)).send("GET", "/users/me", changes: false)
        guard let id = user["id"]?.text, !id.isEmpty else {
            throw ProviderError(
                .unavailable, retry: .backoff, "Zoom does not say whose account this is.", remedy: "Press Connect again.",
                operation: "GET /users/me")
        }
        let names = [user["first_name"]?.string, user["last_name"]?.string].compactMap(\.self).filter { !$0.isEmpty }
        return ConnectedAccount(
            id: id, tenant: user["account_id"]?.text ?? "", email: user["email"]?.string ?? "",
            name: user["display_name"]?.string ?? names.joined(separator: " "))
    }

    /// Ends the grant by its access token.
    public static func revoke(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) {
        let service = service(call)
        try await service.revoke(grant.access.access, at: service.tokenURL.replacing("/token", with: "/revoke"), call)
    }
}

extension RoomRequest {
    fileprivate var hostedByMe: RoomRequest {
        var request = self
        request.host = "me"
        return request
    }
}

/// A token that has just been given, before there is a connection.
private struct GivenToken: TokenSource {
    let token: IssuedToken
    func access(rejected: IssuedToken?) async throws(ProviderError) -> IssuedToken { token }
}
