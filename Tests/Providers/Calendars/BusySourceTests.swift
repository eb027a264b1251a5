import BusySourceConformance
import Calendars
import GoogleMeet
import MicrosoftTeams
import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import Testing
import UsherAssembly
import UsherCore
import UsherPipeline

/// The sources that Usher comes with, at the services that they are tried on. CalDAV is tried on two real servers.
enum BusySubjects {
    static let names = ["ics", "caldav radicale", "caldav xandikos", "google", "microsoft"]

    static func make(_ name: String) async throws -> BusySourceSubject? {
        switch name {
        case "ics": feed()
        case "caldav radicale": try await caldav(.radicale)
        case "caldav xandikos": try await caldav(.xandikos)
        case "google": try await google()
        case "microsoft": try await microsoft()
        default: nil
        }
    }

    private static func feed() -> BusySourceSubject {
        let events = Mutex<[SandboxEvent]>([])
        let address = "https://calendar.northwind.example/secret/ana.ics"
        let sandbox = FeedSandbox(SandboxEvent.file([], owner: BusySourceSubject.owner), at: address)
        @Sendable func change(_ body: (inout [SandboxEvent]) -> Void) {
            let text = events.withLock { events in
                body(&events)
                return SandboxEvent.file(events, owner: BusySourceSubject.owner)
            }
            sandbox.publish(text)
        }
        @Sendable func context(_ address: String) -> BusyContext {
            BusyContext(
                address: Secret(address),
                call: ProviderContext(
                    provider: "ics", settings: .object([]), credentials: [:], endpoints: [:], transport: sandbox, tokens: NoTokens(),
                    deadline: Environment.system.now() + .seconds(30), environment: .system))
        }
        return BusySourceSubject(
            source: FeedSource.self, context: { context(address) }, badContext: { context(address + "x") },
            put: { event in
                change { events in
                    events.removeAll { $0.uid == event.uid }
                    events.append(event)
                }
            }, takeOut: { uid in change { $0.removeAll { $0.uid == uid } } })
    }

    private static func caldav(_ kind: CalDAVServer.Kind) async throws -> BusySourceSubject {
        let server = try await CalDAVServer(kind)
        // Xandikos asks nobody for a password.
        let bad: (@Sendable () async throws -> BusyContext)? = kind == .radicale ? { @Sendable in server.context(password: "wrong") } : nil
        return BusySourceSubject(
            source: CalDAVSource.self, context: { server.context() }, badContext: bad, put: { try await server.put($0) },
            takeOut: { try await server.takeOut($0) })
    }

    private static func google() async throws -> BusySourceSubject {
        let engine = try await TestEngine()
        _ = try await engine.connectGoogle()
        return BusySourceSubject(
            source: GoogleBusySource.self, context: { try await context(engine, "meet") },
            badContext: { try await context(engine, "meet", isConnected: false) }, put: { engine.google.put($0) },
            takeOut: { engine.google.takeOut($0) }, notifications: { engine.google.takeNotifications() })
    }

    private static func microsoft() async throws -> BusySourceSubject {
        let engine = try await TestEngine()
        engine.microsoft.change { $0.scopes += " Calendars.ReadBasic Calendars.Read" }
        _ = try await engine.connectMicrosoft()
        return BusySourceSubject(
            source: MicrosoftBusySource.self, context: { try await context(engine, "teams") },
            badContext: { try await context(engine, "teams", isConnected: false) }, put: { engine.microsoft.put($0) },
            takeOut: { engine.microsoft.takeOut($0) }, notifications: { engine.microsoft.takeNotifications() })
    }

    private static func context(_ engine: TestEngine, _ provider: String, isConnected: Bool = true) async throws -> BusyContext {
        var call = try await ProviderResolver(engine.context).call(provider, owner: "ana", deadline: engine.clock.now + .seconds(40)).call
        if !isConnected { call.connection = nil }
        return BusyContext(call: call)
    }
}

@Suite(.timeLimit(.minutes(5)))
struct BusySourceTests {
    @Test("every source that Usher comes with is tried")
    func census() async throws {
        #expect(
            Set(BusySubjects.names.map { $0.split(separator: " ")[0] }) == Set(builtInBusySources.map { Substring($0.descriptor.kind) }))
    }

    @Test("a source keeps the contract, case by case", arguments: BusySubjects.names, BusySourceCase.all)
    func keepsContract(name: String, promise: BusySourceCase) async throws {
        try await promise.run(try #require(try await BusySubjects.make(name)))
    }

    @Test(
        "a CalDAV account is found from its host, from a principal and from a calendar's own address",
        arguments: ["", "/ana/", "/ana/work/"])
    func discovery(path: String) async throws {
        let server = try await CalDAVServer(.radicale)
        let found = try await CalDAVSource.calendars(server.context(path: path))
        #expect(found.map(\.id) == [server.url + "/ana/work/"])
    }

    @Test("credentials go to the host that was named and to its siblings, over https alone")
    func siblings() throws {
        let home = try CalendarAddress("https://caldav.icloud.example/")
        func trusts(_ text: String) throws -> Bool { home.trusts(try CalendarAddress(text)) }
        #expect(try trusts("https://caldav.icloud.example:443/x") && trusts("https://p01-caldav.icloud.example/1/calendars/"))
        #expect(try !trusts("https://evil.example/") && !trusts("https://icloud.example.evil.example/") && !trusts("https://example/"))
        #expect(throws: ProviderError.self) { try CalendarAddress("http://caldav.icloud.example/") }
        #expect(throws: ProviderError.self) { try CalendarAddress("https://ana:secret@caldav.icloud.example/") }
        #expect(home.resolving("http://caldav.icloud.example/1/") == nil)
    }
}
