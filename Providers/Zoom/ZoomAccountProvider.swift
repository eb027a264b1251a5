import ProviderSupport
import UsherCore

/// `zoom-s2s`: meetings in the rooms of one Zoom account, through a Server-to-Server OAuth app. The host is the owner's user
/// in that account, found by mail address.
public enum ZoomAccountProvider: Provider {
    /// What the module is and can do.
    public static let descriptor = ProviderDescriptor(
        id: "zoom-s2s", name: "Zoom", connection: .site,
        capabilities: [
            .passcode, .dialIn, .waitingRoom, .joinBeforeHost, .alternativeHosts, .recording, .localRecording, .summary, .schedule, .host,
        ],
        creation: .lookup(settles: .seconds(10)), credentialPrefix: "ZOOM_S2S", credentials: ["ACCOUNT_ID", "CLIENT_ID", "CLIENT_SECRET"],
        endpoints: ["ZOOM_API_URL", "ZOOM_OAUTH_URL"], hostCapacity: 1, hostDailyCalls: 100)

    /// Makes a meeting of the host, whose agenda begins with the key.
    public static func create(_ request: RoomRequest, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call).create(request)
    }

    /// Looks through the host's upcoming meetings, page by page, for agendas that begin with a key.
    public static func find(_ key: String?, host: String, _ call: ProviderContext) async throws(ProviderError) -> [FoundRoom] {
        try await rooms(call).find(key, host: host)
    }

    /// Changes the meeting, and reads it back.
    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderContext
    ) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call).update(roomID, to: request)
    }

    /// Deletes the meeting without Zoom's own mail. One that is gone is success.
    public static func cancel(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) {
        try await rooms(call).cancel(roomID)
    }

    /// Reads the meeting.
    public static func fetch(_ roomID: String, host: String, _ call: ProviderContext) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call).fetch(roomID)
    }

    /// Looks at the token, its scopes, and each host's user and licence.
    public static func preflight(hosts: [String], _ call: ProviderContext) async -> Preflight {
        await ZoomPreflight(client(call)).run(hosts: hosts)
    }

    private static func client(_ call: ProviderContext) -> ZoomClient { ZoomClient(call: call, tokens: ZoomAccountTokens(call: call)) }

    private static func rooms(_ call: ProviderContext) -> ZoomRooms { ZoomRooms(client(call)) }
}
