import ProviderSupport
import UsherCore

/// `microsoft-teams`: meetings of the owner's own work account, without a calendar entry. Graph keeps one meeting for each key of
/// ours, so a create is simply asked again.
/// Source: https://learn.microsoft.com/graph/api/onlinemeeting-createorget
public enum TeamsProvider: ConnectableProvider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "microsoft-teams", name: "Microsoft Teams", connection: .owner, capabilities: [.dialIn, .schedule, .host],
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
        let body: JSON = [
            "externalId": .string(request.key), "startDateTime": .string(request.start.rfc3339),
            "endDateTime": .string(request.end.rfc3339), "subject": .string(request.title),
        ]
        let answer = try await client(call, request.host).send("POST", "/me/onlineMeetings/createOrGet", body: body, changes: true)
        return try room(answer)
    }

    /// Start and end go together: Graph moves neither alone.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom {
        let before = try await fetch(roomID, host: request.host, call)
        if before.start == request.start, before.end == request.end { return before }
        let change: JSON = ["startDateTime": .string(request.start.rfc3339), "endDateTime": .string(request.end.rfc3339)]
        return try room(try await client(call, request.host).send("PATCH", path(roomID), body: change, changes: true))
    }

    /// Deletes the meeting. One that is gone is success.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {
        do throws(ProviderError) { _ = try await client(call, host).send("DELETE", path(roomID), changes: true) } catch {
            if error.code != .meetingGone { throw error }
        }
    }

    /// Reads the meeting.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try room(try await client(call, host).send("GET", path(roomID), changes: false))
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

    private static func path(_ id: String) -> String { "/me/onlineMeetings/\(percentEncoded(id))" }

    /// A room belongs to the account that made it: with another one connected, it is out of reach.
    private static func client(_ call: ProviderContext, _ host: String) throws(ProviderError) -> GraphClient {
        let connection = try call.connected("Microsoft Teams")
        guard host == connection.account.id else {
            throw ProviderError(
                .notConnected, retry: .never,
                "This meeting is held by another Microsoft account than the one that is connected now, \(connection.account.email).",
                remedy: "Connect the account that made it again, or make a new booking.")
        }
        return GraphClient(call, connection)
    }

    /// Numbers are there only where the organiser has an Audio Conferencing licence.
    private static func room(_ answer: JSONAnswer) throws(ProviderError) -> ProvidedRoom {
        guard let id = answer["id"]?.string, let url = answer["joinWebUrl"]?.string else {
            throw ProviderError(
                .unavailable, retry: .backoff, isUnclear: true, "Microsoft described the meeting without its id and link.",
                remedy: "Nothing to do: it is asked again by itself.", operation: "onlineMeetings")
        }
        let access = answer["joinMeetingIdSettings"]
        let audio = answer["audioConferencing"]
        let pin = audio?["conferenceId"]?.text?.filter(\.isNumber)
        func numbers(_ one: String, _ many: String, tollFree: Bool) -> [DialIn] {
            let all = [audio?[one]?.string].compactMap(\.self) + (audio?[many]?.array ?? []).compactMap(\.string)
            var seen: Set<String> = []
            return all.filter { seen.insert($0).inserted }.compactMap { number in
                callingCountry(number).map { DialIn(country: $0, number: number, pin: pin, tollFree: tollFree) }
            }
        }
        return ProvidedRoom(
            id: id,
            room: Room(
                joinURL: url, meetingID: access?["joinMeetingId"]?.text ?? "", passcode: access?["passcode"]?.text,
                dialIn: numbers("tollNumber", "tollNumbers", tollFree: false) + numbers("tollFreeNumber", "tollFreeNumbers", tollFree: true)
            ),
            start: instant(answer["startDateTime"]), end: instant(answer["endDateTime"]))
    }

    private static func instant(_ time: JSON?) -> Instant? {
        if case .instant(let instant)? = time?.string.flatMap({ WrittenTime($0) }) { return instant }
        return nil
    }

    // MARK: Consent

    /// Every renewal gives a new refresh token. What counts is `error`, never the AADSTS numbers.
    /// Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
    private static func service(_ call: ProviderContext) -> OAuthService {
        let login = call.endpoints["MICROSOFT_LOGIN_URL"] ?? "https://login.microsoftonline.com"
        let tenant = call.credentials["TENANT_ID"]?.reveal() ?? "organizations"
        let base = "\(login)/\(percentEncoded(tenant))/oauth2/v2.0"
        return OAuthService(
            name: "Microsoft", authorizeURL: "\(base)/authorize", tokenURL: "\(base)/token", authentication: .form,
            scope: "openid email profile offline_access https://graph.microsoft.com/\(scope)", parameters: [("prompt", "select_account")],
            isDead: { error, _ in error == "invalid_grant" || error == "interaction_required" })
    }

    /// Microsoft's consent page, with a choice of accounts.
    public static func authorizationURL(_ request: ConsentRequest, _ call: ProviderContext) -> String {
        service(call).authorizationURL(request, call)
    }

    /// Turns the code into a grant with an ID token.
    public static func exchange(_ code: Secret, _ request: ConsentRequest, _ call: ProviderContext) async throws(ProviderError) -> Grant {
        try await service(call).exchange(code, request, call)
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

    /// Renews the grant; the new refresh token takes the place of the old.
    public static func refresh(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) -> Grant {
        try await service(call).refresh(grant, call)
    }

    /// Microsoft has no endpoint at which an app ends one user's grant; the owner does that on their account's page of apps.
    public static func revoke(_ grant: Grant, _ call: ProviderContext) async throws(ProviderError) {}
}
