import ProviderSupport
import UsherCore

/// What Zoom sends: signed with the app's secret token over the raw bytes.
/// Source: https://developers.zoom.us/docs/api/webhooks/ and, for the form of a deauthorisation, https://devforum.zoom.us/t/133778
extension ZoomProvider: EventfulProvider {
    /// Deauthorisations, and what happens to meetings.
    public static let eventPaths = [
        EventPath("/auth/zoom/deauthorize", secrets: ["DEAUTH_SECRET"]),
        EventPath("/webhooks/zoom", secrets: ["WEBHOOK_SECRET", "DEAUTH_SECRET"]),
    ]

    /// A Server-to-Server app tells of its meetings, too.
    public static let eventModules = [descriptor.id, ZoomAccountProvider.descriptor.id]

    /// Zoom repeats after 5, 20 and 60 minutes, perhaps under the first one's time.
    private static let oldest = Duration.minutes(90)
    /// Zoom's clock may be ahead of ours.
    private static let youngest = Duration.minutes(5)

    /// Whether both headers are there, and the time is one of the last 90 minutes.
    public static func mayBeSigned(_ delivery: EventDelivery) -> Bool {
        guard let seconds = delivery.header("x-zm-request-timestamp").flatMap({ Int64($0) }), abs(seconds) < 100_000_000_000,
            delivery.header("x-zm-signature")?.hasPrefix("v0=") == true
        else { return false }
        let age = delivery.now - Instant(seconds: seconds)
        return age <= oldest && age >= .zero - youngest
    }

    /// Checks the signature over the raw bytes, and reads the event.
    public static func read(_ delivery: EventDelivery, secret: Secret) -> EventReading {
        guard mayBeSigned(delivery), let time = delivery.header("x-zm-request-timestamp"), let seconds = Int64(time),
            let signature = delivery.header("x-zm-signature")
        else { return .refused }
        let expected = "v0=" + hmacSHA256Hex(Array("v0:\(time):".utf8) + delivery.body, key: secret)
        guard constantTimeEqual(Array(expected.utf8), Array(signature.utf8)) else { return .refused }
        guard let json = try? JSON(parsing: delivery.body) else { return .ignored }
        return meaning(json, secret, sent: Instant(seconds: seconds))
    }

    private static func meaning(_ json: JSON, _ secret: Secret, sent: Instant) -> EventReading {
        let payload = json["payload"] ?? .null
        switch json["event"]?.string {
        case "endpoint.url_validation":
            // What is signed here must not be of a caller's making.
            guard let plain = payload["plainToken"]?.string, plain.wholeMatch(of: /[A-Za-z0-9_=+\/-]{1,128}/) != nil else {
                return .refused
            }
            return .challenge(["plainToken": .string(plain), "encryptedToken": .string(hmacSHA256Hex(Array(plain.utf8), key: secret))])
        case "app_deauthorized":
            guard let client = payload["client_id"]?.text, let user = payload["user_id"]?.text else { return .ignored }
            var at = sent
            if let instant = payload["deauthorization_time"]?.string.flatMap(Instant.init(rfc3339:)) { at = min(at, instant) }
            // Unless it is true, what came from Zoom must be deleted within ten days.
            let keepsData = payload["user_data_retention"].map { $0 == true || $0.string == "true" } ?? false
            return .event(.deauthorized(clientID: client, accountID: user, at: at, keepsData: keepsData))
        case "meeting.updated", "meeting.deleted":
            // A number in some events, a string in others.
            guard let id = payload["object"]?["id"]?.text else { return .ignored }
            return .event(.roomTouched(id: id))
        default: return .ignored
        }
    }
}
