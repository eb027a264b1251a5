import Foundation
import SelfHosted
import TestSupport
import TestValues
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(1)))
struct SelfHostedTests {
    private func call(_ engine: TestEngine, url: String, _ credentials: [String: Secret] = [:]) -> ProviderContext {
        Subjects.call(engine, settings: ["url": .string(url)], credentials: credentials)
    }

    private func request(_ key: String) -> RoomRequest {
        RoomRequest(
            key: key, title: "T", description: "", start: Instant(seconds: 1_796_000_000), end: Instant(seconds: 1_796_001_800),
            timeZone: "UTC", host: "", options: MeetingOptions())
    }

    @Test("a Jitsi token is made for one visitor, one room and a short time, and nothing of it is in the room that is stored")
    func token() async throws {
        let engine = try await TestEngine()
        let secret = Secret("sandbox-jitsi-secret")
        let call = call(engine, url: "https://jitsi.northwind.example/", ["APP_ID": Secret("usher"), "APP_SECRET": secret])
        let room = try await JitsiProvider.create(request("0123456789abcdefghijklmnop"), call).room
        #expect(room.needsEntry)
        #expect(room.joinURL == "https://jitsi.northwind.example/0123456789abcdefghijklmnop")
        let end = engine.clock.now + .hours(5)
        let url = JitsiProvider.entry(room, Visitor(name: "Bo Li", email: "bo@example.org", isHost: false, end: end), call)
        let parts = try #require(url.split(separator: "=").last).split(separator: ".").map(String.init)
        let claims = try JSON(parsing: try decoded(parts[1]))
        #expect(claims["room"] == "0123456789abcdefghijklmnop")
        #expect(claims["iss"] == "usher" && claims["sub"] == "jitsi.northwind.example" && claims["aud"] == "jitsi")
        #expect(claims["exp"] == .int((engine.clock.now + .hours(3)).seconds), "three hours at most, however far the end")
        #expect(claims["context"]?["user"]?["moderator"] == "false")
        #expect(!url.contains("sandbox-jitsi-secret"))
    }

    /// RFC 7515 §2: base64url without padding.
    private func decoded(_ text: String) throws -> Data {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return try #require(Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4)))
    }

    @Test("without a secret the Jitsi room is open, and its address is all")
    func open() async throws {
        let engine = try await TestEngine()
        let call = call(engine, url: "https://jitsi.northwind.example")
        let room = try await JitsiProvider.create(request("k"), call).room
        #expect(!room.needsEntry)
        #expect(JitsiProvider.entry(room, Visitor(name: "", email: "", isHost: true, end: engine.clock.now), call) == room.joinURL)
    }

    @Test("half of Jitsi's credentials, a wrong MiroTalk key and one that everybody knows are named")
    func preflights() async throws {
        let engine = try await TestEngine()
        let half = await JitsiProvider.preflight(hosts: [], call(engine, url: "https://j.example", ["APP_ID": Secret("x")]))
        #expect(half.problems.map(\.code) == [.notConnected])
        for key in ["wrong", "mirotalksfu_default_secret"] {
            let found = await MiroTalkProvider.preflight(hosts: [], call(engine, url: "https://mirotalk.sandbox", ["API_KEY": Secret(key)]))
            #expect(found.problems.map(\.code) == [.notConnected])
        }
        #expect(await MiroTalkProvider.preflight(hosts: [], call(engine, url: "")).problems.map(\.code) == [.rejected])
    }
}
