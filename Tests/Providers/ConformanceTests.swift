import GoogleMeet
import MicrosoftTeams
import ProviderConformance
import ProviderSandbox
import SelfHosted
import TestSupport
import TestValues
import Testing
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore
import Zoom

/// The modules that Usher comes with and the services that they are tried on: one entry a module.
enum Subjects {
    static func make(_ id: String) async throws -> ConformanceSubject? {
        switch id {
        case "link":
            let engine = try await TestEngine()
            let settings: JSON = [
                "url": "https://meet.northwind.example/{code}", "passcode": "generate",
                "dial-in": [["country": "DE", "number": "+49 30 901820", "pin": "{pin}"]],
            ]
            return ConformanceSubject(module: LinkProvider.self, call: { call(engine, settings: settings) })
        case "zoom-s2s":
            let engine = try await TestEngine()
            return ConformanceSubject(
                module: ZoomAccountProvider.self, host: "ana@northwind.example", unknownHost: "nobody@northwind.example",
                call: { call(engine, credentials: credentials) },
                badCall: {
                    call(engine, credentials: credentials.merging(["CLIENT_SECRET": Secret("wrong-secret-value")]) { _, new in new })
                })
        case "jitsi":
            let engine = try await TestEngine()
            let settings: JSON = ["url": "https://jitsi.northwind.example"]
            let secrets = ["APP_ID": Secret("usher"), "APP_SECRET": Secret("sandbox-jitsi-secret")]
            return ConformanceSubject(
                module: JitsiProvider.self, call: { call(engine, settings: settings, credentials: secrets) })
        case "mirotalk":
            let engine = try await TestEngine()
            let settings: JSON = ["url": "https://mirotalk.sandbox"]
            return ConformanceSubject(
                module: MiroTalkProvider.self,
                call: { call(engine, settings: settings, credentials: ["API_KEY": Secret("sandbox-mirotalk-key")]) })
        case "zoom":
            let engine = try await TestEngine()
            _ = try await engine.connect()
            let account = try await Connections(engine.context).list(owner: "ana")[0].account.id
            let call = try await ProviderResolver(engine.context).call("zoom", owner: "ana", deadline: engine.clock.now + .seconds(40)).call
            var bad = call
            bad.connection = nil
            return ConformanceSubject(
                module: ZoomProvider.self, host: account, call: { call }, badCall: { [bad] in bad })
        case "google-meet":
            let engine = try await TestEngine()
            _ = try await engine.connectGoogle()
            let account = try await Connections(engine.context).list(owner: "ana")[0].account.id
            let call = try await ProviderResolver(engine.context).call("meet", owner: "ana", deadline: engine.clock.now + .seconds(40)).call
            var bad = call
            bad.connection = nil
            return ConformanceSubject(
                module: GoogleMeetProvider.self, host: account, call: { call }, badCall: { [bad] in bad })
        case "microsoft-teams":
            let engine = try await TestEngine()
            _ = try await engine.connectMicrosoft()
            let account = try await Connections(engine.context).list(owner: "ana")[0].account.id
            let call = try await ProviderResolver(engine.context).call("teams", owner: "ana", deadline: engine.clock.now + .seconds(40))
                .call
            var bad = call
            bad.connection = nil
            return ConformanceSubject(
                module: TeamsProvider.self, host: account, call: { call }, badCall: { [bad] in bad })
        default: return nil
        }
    }

    static let credentials = [
        "ACCOUNT_ID": Secret("sandbox-account"), "CLIENT_ID": Secret("sandbox-client"), "CLIENT_SECRET": Secret("sandbox-secret"),
    ]

    static func call(_ engine: TestEngine, settings: JSON = .object([]), credentials: [String: Secret] = [:]) -> ProviderContext {
        ProviderContext(
            provider: "test", settings: settings, credentials: credentials,
            endpoints: ["ZOOM_API_URL": SandboxTransport.zoomAPIURL, "ZOOM_OAUTH_URL": SandboxTransport.zoomOAuthURL],
            transport: engine.context.transport, tokens: engine.context.tokens, deadline: engine.clock.now + .seconds(40),
            environment: engine.context.environment)
    }
}

@Suite(.timeLimit(.minutes(2)))
struct ConformanceTests {
    @Test("every module that Usher comes with is tried", arguments: builtInProviders.map { $0.descriptor.id })
    func census(id: String) async throws { #expect(try await Subjects.make(id) != nil, "no conformance subject for '\(id)'") }

    @Test(
        "a module keeps the contract, case by case", arguments: builtInProviders.map { $0.descriptor.id },
        ConformanceCase.all)
    func keepsContract(id: String, promise: ConformanceCase) async throws {
        let subject = try #require(try await Subjects.make(id))
        guard promise.applies(subject) else { return }
        try await promise.run(subject)
    }

    @Test("no promise is without a module that it concerns")
    func everyPromiseIsTried() async throws {
        for promise in ConformanceCase.all {
            var count = 0
            for module in builtInProviders {
                if let subject = try await Subjects.make(module.descriptor.id), promise.applies(subject) { count += 1 }
            }
            #expect(count > 0, "\(promise.name)")
        }
    }
}
