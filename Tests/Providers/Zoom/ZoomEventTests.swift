import ProviderSandbox
import ProviderSupport
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import Zoom

/// The first two deliveries and their signatures are from the tests of https://github.com/Jericho/ZoomNet .
@Suite(.timeLimit(.minutes(2)))
struct ZoomEventTests {
    private static let secret = Secret("4fv1RkqGQUq5sWbEz6hA5A")
    private static let validation =
        #"{"payload":{"plainToken":"xys8n8PGS7mAU0m5-YJjRA"},"event_ts":1720705455858,"event":"endpoint.url_validation"}"#
    private static let started =
        #"{"event":"meeting.started","payload":{"account_id":"VjZoEArIT5y-HlWxkV-tVA","object":{"duration":60,"start_time":"2024-07-11T14:12:55Z","timezone":"America/New_York","topic":"Test \uD83D\uDE92\uD83D\uDE92 ? - ’ - – \uD83D\uDE97 HOLA","id":"85393847045","type":2,"uuid":"jUh5o3dKQIytvcsfTtKBlg==","host_id":"8lzIwvZTSOqjndWPbPqzuA"}},"event_ts":1720707175904}"#

    private func read(_ body: String, time: Int64, signature: String, after: Duration = .seconds(1), secret: Secret = secret)
        -> EventReading
    {
        ZoomProvider.read(
            EventDelivery(
                headers: [("X-Zm-Request-Timestamp", "\(time)"), ("x-zm-signature", signature)], body: Array(body.utf8),
                now: Instant(seconds: time) + after), secret: secret)
    }

    @Test("a validation is answered with the token's own signature")
    func validates() {
        let reading = read(
            Self.validation, time: 1_720_705_455, signature: "v0=93a1a675965ceb9c5a50c5dfb31f20e50f763be37a54ef74cd2d16a1a8e5c0d6")
        #expect(
            reading
                == .challenge([
                    "plainToken": "xys8n8PGS7mAU0m5-YJjRA",
                    "encryptedToken": "2fffc6a967dde4f68024025a5bd991c5ae1e5313b4e6365be4883e3e81d479b3",
                ]))
    }

    @Test("a signature is made over the bytes as they came, escapes and UTF-8 side by side")
    func rawBytes() {
        let signature = "v0=1a14e79349318fa1bead50ebbd3c185ae078e182d3bbd30ab8010fcb7f4357c7"
        #expect(read(Self.started, time: 1_720_707_175, signature: signature) == .ignored)
        #expect(read(Self.started + " ", time: 1_720_707_175, signature: signature) == .refused)
    }

    @Test("what is forged, stale or from the future is refused")
    func refuses() {
        let good = "v0=93a1a675965ceb9c5a50c5dfb31f20e50f763be37a54ef74cd2d16a1a8e5c0d6"
        #expect(read(Self.validation, time: 1_720_705_456, signature: good) == .refused)
        #expect(read(Self.validation, time: 1_720_705_455, signature: good.uppercased()) == .refused)
        #expect(read(Self.validation, time: 1_720_705_455, signature: "") == .refused)
        #expect(read(Self.validation, time: 1_720_705_455, signature: good, secret: Secret("other")) == .refused)
        #expect(read(Self.validation, time: 1_720_705_455, signature: good, after: .minutes(91)) == .refused)
        #expect(read(Self.validation, time: 1_720_705_455, signature: good, after: .minutes(-6)) == .refused)
        #expect(
            ZoomProvider.read(EventDelivery(headers: [], body: Array(Self.validation.utf8), now: Instant(seconds: 0)), secret: Self.secret)
                == .refused)
    }

    // MARK: What follows

    private func send(
        _ body: String, to engine: TestEngine, path: String = "/auth/zoom/deauthorize", secret: String = "sandbox-zoom-deauth"
    ) async throws
        -> ProviderEvents.Answer
    {
        let events = ProviderEvents(engine.context)
        let (place, module) = try #require(events.paths.first { $0.path.path == path })
        let time = "\(engine.clock.now.seconds)"
        let signature = "v0=" + hmacSHA256Hex(Array("v0:\(time):\(body)".utf8), key: Secret(secret))
        return try await events.receive(
            EventDelivery(
                headers: [("x-zm-request-timestamp", time), ("x-zm-signature", signature)], body: Array(body.utf8), now: engine.clock.now),
            place, module)
    }

    private func deauthorization(_ engine: TestEngine, client: String = "sandbox-zoom-client", at: Instant? = nil) -> String {
        let time = (at ?? engine.clock.now).rfc3339
        return
            #"{"event":"app_deauthorized","event_ts":1749365726209,"payload":{"account_id":"a","client_id":"\#(client)","deauthorization_time":"\#(time)","signature":"x","user_data_retention":null,"user_id":"uananorthwindexample"}}"#
    }

    private func connections(_ engine: TestEngine) async throws -> Int { try await Connections(engine.context).list(owner: "ana").count }

    @Test(
        "an owner who removes the app at Zoom is disconnected; a forged word, another app's or one older than the connection changes nothing"
    )
    func deauthorizes() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        let before = engine.clock.now - .hours(1)
        engine.clock.advance(by: .minutes(1))
        guard case .refused = try await send(deauthorization(engine), to: engine, secret: "forged") else {
            Issue.record("a forged event was taken")
            return
        }
        _ = try await send(deauthorization(engine, client: "another-app"), to: engine)
        _ = try await send(deauthorization(engine, at: before), to: engine)
        #expect(try await connections(engine) == 1)
        _ = try await send(deauthorization(engine), to: engine)
        #expect(try await connections(engine) == 0)
        _ = try await send(deauthorization(engine), to: engine)
        #expect(try await connections(engine) == 0)
    }

    @Test("an account-level app tells of its meetings under the secret of its own prefix")
    func accountLevel() async throws {
        let secret = ["ZOOM_S2S_WEBHOOK_SECRET": Secret("account-level-secret")]
        let engine = try await TestEngine(variables: TestEngine.variables.merging(secret) { $1 })
        let view = try await engine.booked("healing")
        let id = engine.zoom.meetings[0].id
        engine.zoom.deleteAtPortal(id)
        _ = try await send(
            #"{"event":"meeting.deleted","event_ts":1,"payload":{"account_id":"a","object":{"id":"\#(id)","type":2}}}"#, to: engine,
            path: "/webhooks/zoom", secret: "account-level-secret")
        try await engine.run(for: .minutes(2))
        #expect(try await engine.service.view(view.booking.id).booking.meeting.room != view.booking.meeting.room)
    }

    @Test(
        "a meeting deleted at Zoom is looked at when Zoom says so, whether its id comes as a number or a string", arguments: [true, false])
    func deleted(asNumber: Bool) async throws {
        let engine = try await TestEngine()
        let view = try await engine.booked("healing")
        let id = engine.zoom.meetings[0].id
        engine.zoom.deleteAtPortal(id)
        let written = asNumber ? "\(id)" : "\"\(id)\""
        _ = try await send(
            #"{"event":"meeting.deleted","event_ts":1,"payload":{"account_id":"a","object":{"id":\#(written),"type":2}}}"#, to: engine,
            path: "/webhooks/zoom")
        try await engine.run(for: .minutes(2))
        let after = try await engine.service.view(view.booking.id)
        #expect(after.booking.meeting.status == .ready)
        #expect(after.booking.meeting.room != view.booking.meeting.room)
    }
}
