import ProviderSupport
import UsherCore

/// `google-meet`: an event in the owner's own Google calendar with a Meet link. The event's id is our key, so a create that is
/// repeated meets the first one's event. Nobody is invited, because the mail comes from us.
/// Source: https://developers.google.com/workspace/calendar/api/v3/reference/events
public enum GoogleMeetProvider: OAuthProvider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "google-meet", name: "Google Meet", connection: .owner, capabilities: [.dialIn, .schedule, .host],
        creation: .lookup(settles: .zero), credentialPrefix: "GOOGLE", credentials: ["CLIENT_ID", "CLIENT_SECRET"],
        endpoints: ["GOOGLE_API_URL", "GOOGLE_AUTH_URL", "GOOGLE_TOKEN_URL"])

    /// What an owner is asked for: to write events.
    public static let consent = ConsentDescriptor(
        service: "google", name: "Google", callbackPath: "/auth/google/callback",
        abilities: [.init("make meetings", scopes: GoogleScopes.events, essential: true)],
        approval: "in the Admin console: Security, Access and data control, API controls, Manage app access")

    // MARK: Rooms

    /// Inserts an event under the key with a Meet conference, and waits until its link is there.
    public static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, request.host).create(request)
    }

    /// Reads the event whose id the key is; there is one or none.
    public static func find(_ key: String?, host: String, _ call: ProviderContext) async throws(ProviderError) -> [FoundRoom] {
        try await rooms(call, host).find(key)
    }

    /// Changes the event in place, with its conference.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, request.host).update(roomID, to: request)
    }

    /// Deletes the event. One that is gone is success.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {
        try await rooms(call, host).cancel(roomID)
    }

    /// Reads the event and its conference.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call, host).fetch(roomID)
    }

    /// Reads one event of the primary calendar with the owner's token.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        do throws(ProviderError) {
            let client = GoogleMeetClient(call: call, tokens: try call.connected("Google"))
            let answer = try await client.send("GET", "/calendars/primary/events?maxResults=1", changes: false)
            return Preflight(problems: [], providerTime: answer.response.header("date").flatMap(httpDate))
        } catch { return Preflight(problems: [error.problem]) }
    }

    private static func rooms(_ call: ProviderContext, _ host: String) throws(ProviderError) -> GoogleMeetRooms {
        GoogleMeetRooms(GoogleMeetClient(call: call, tokens: try call.connected("Google", host: host)))
    }

    // MARK: Consent

    /// `prompt=consent`, because a refresh token comes with the first consent only otherwise.
    /// Source: https://developers.google.com/identity/protocols/oauth2/web-server
    public static func service(_ call: ProviderContext) -> OAuthService {
        OAuthService(
            name: "Google", authorizeURL: call.endpoints["GOOGLE_AUTH_URL"] ?? "https://accounts.google.com/o/oauth2/v2/auth",
            tokenURL: call.endpoints["GOOGLE_TOKEN_URL"] ?? "https://oauth2.googleapis.com/token", authentication: .form,
            scope: "openid email \(GoogleScopes.events[0])", parameters: [("access_type", "offline"), ("prompt", "consent")],
            isDead: { error, _ in error == "invalid_grant" })
    }

    /// By `sub`, never by address. The token came straight from Google over TLS, so its signature adds nothing.
    /// Source: https://developers.google.com/identity/openid-connect/openid-connect
    public static func account(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) -> ConnectedAccount {
        if let token = grant.identity, let claims = tokenClaims(token), let account = account(claims) { return account }
        let base = call.endpoints["GOOGLE_API_URL"] ?? "https://www.googleapis.com"
        do throws(TransportError) {
            let answer = try await call.exchange(
                "GET", "\(base)/oauth2/v3/userinfo", headers: [("Authorization", "Bearer \(grant.access.access.reveal())")])
            if answer.status == 200, let claims = answer.json, let account = account(claims) { return account }
        } catch { throw .unreachable("Google", error, operation: "GET userinfo", changes: false) }
        throw ProviderError(
            .unavailable, retry: .backoff, "Google does not say whose account this is.", remedy: "Press Connect again.",
            operation: "GET userinfo")
    }

    private static func account(_ claims: JSON) -> ConnectedAccount? {
        guard let id = claims["sub"]?.text, !id.isEmpty else { return nil }
        return ConnectedAccount(
            id: id, tenant: claims["hd"]?.string ?? "", email: claims["email"]?.string ?? "", name: claims["name"]?.string ?? "")
    }

    /// Revoking the access token ends its refresh token, too.
    public static func revoke(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) {
        let service = service(call)
        let url = service.tokenURL.hasSuffix("/token") ? String(service.tokenURL.dropLast("token".count)) + "revoke" : service.tokenURL
        try await service.revoke(grant.refresh ?? grant.access.access, at: url, call)
    }
}

/// Scopes of which any one is enough. Source: https://developers.google.com/workspace/calendar/api/auth
enum GoogleScopes {
    static let all = "https://www.googleapis.com/auth/calendar"
    static let events = [all + ".events", all + ".events.owned", all]
    static let eventsReadOnly = all + ".events.readonly"
    static let calendarList = all + ".calendarlist.readonly"
}
