import ProviderSupport
import UsherCore

/// `zoom-s2s`: meetings in the rooms of one Zoom account, through a Server-to-Server OAuth app. The host is the owner's user
/// in that account, found by mail address.
public enum ZoomAccountProvider: Provider {
    public static let descriptor = ProviderDescriptor(
        id: "zoom-s2s", name: "Zoom (account-level)", connection: .site,
        capabilities: [.passcode, .dialIn, .waitingRoom, .joinBeforeHost, .alternativeHosts, .schedule, .host],
        creation: .lookup(settles: .seconds(10)), credentialPrefix: "ZOOM_S2S", credentials: ["ACCOUNT_ID", "CLIENT_ID", "CLIENT_SECRET"],
        endpoints: ["ZOOM_API_URL", "ZOOM_OAUTH_URL"])

    public static func create(_ request: RoomRequest, _ call: ProviderCall) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call).create(request)
    }

    public static func find(_ key: String?, host: String, _ call: ProviderCall) async throws(ProviderError) -> [FoundRoom] {
        try await rooms(call).find(key, host: host)
    }

    public static func update(
        _ roomID: String, to request: RoomRequest, _ call: ProviderCall
    ) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call).update(roomID, to: request)
    }

    public static func cancel(_ roomID: String, host: String, _ call: ProviderCall) async throws(ProviderError) {
        try await rooms(call).cancel(roomID)
    }

    public static func fetch(_ roomID: String, host: String, _ call: ProviderCall) async throws(ProviderError) -> ProvidedRoom {
        try await rooms(call).fetch(roomID)
    }

    public static func preflight(hosts: [String], _ call: ProviderCall) async -> Preflight {
        await ZoomPreflight(call, ZoomAccountGrant()).run(hosts: hosts)
    }

    private static func rooms(_ call: ProviderCall) -> ZoomRooms { ZoomRooms(ZoomClient(call, ZoomAccountGrant())) }
}
