import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore
import Zoom

@Suite(.timeLimit(.minutes(2)))
struct ZoomTests {
    private func request(_ call: ProviderContext, options: MeetingOptions = MeetingOptions(), title: String = "Talk") -> RoomRequest {
        let start = Instant(seconds: 1_796_119_200)
        return RoomRequest(
            key: call.environment.code(bits: 128), title: title, description: "", start: start, end: start + .minutes(45),
            timeZone: "Europe/Berlin",
            host: "ana@northwind.example", options: options)
    }

    private func rig(_ change: (inout ZoomSandbox.Account) -> Void = { _ in }) async throws -> (engine: TestEngine, call: ProviderContext) {
        var account = TestEngine.account
        change(&account)
        let engine = try await TestEngine(account: account)
        let call = Subjects.call(engine, credentials: Subjects.credentials)
        _ = try await ZoomAccountProvider.find("nothing", host: "ana@northwind.example", call)
        return (engine, call)
    }

    private func error(_ engine: TestEngine, _ call: ProviderContext, _ faults: [ZoomSandbox.Fault]) async -> ProviderError? {
        for fault in faults { engine.zoom.inject(fault) }
        do throws(ProviderError) {
            _ = try await ZoomAccountProvider.create(request(call), call)
            return nil
        } catch { return error }
    }

    @Test("the four kinds of 429 each wait as long as they should")
    func limits() async throws {
        let (engine, call) = try await rig()
        let midnight = engine.clock.now.nextDayUTC
        let perSecond = await error(engine, call, [.perSecondLimit])
        #expect(perSecond?.code == .providerRateLimited && perSecond?.retry == .backoff && perSecond?.isUnclear == false)
        let concurrent = await error(engine, call, [.tooManyConcurrent])
        #expect(concurrent?.code == .providerRateLimited && concurrent?.retry == .backoff)
        let daily = await error(engine, call, [.dailyLimit])
        #expect(daily?.code == .dailyLimit && daily?.retry == .at(midnight))
        let host = await error(engine, call, [.hostLimit])
        #expect(host?.code == .dailyLimit && host?.retry == .nextQuotaDay)
    }

    @Test("a token that was refused is renewed once, and the call repeated once")
    func renewal() async throws {
        let (engine, call) = try await rig()
        #expect(await error(engine, call, [.unauthorized]) == nil)
        #expect(engine.zoom.tokensIssued == 2)
        #expect(await error(engine, call, [.unauthorized, .unauthorized]) != nil)
    }

    @Test("twenty callers at the same moment obtain one token")
    func singleFlight() async throws {
        let engine = try await TestEngine()
        let call = Subjects.call(engine, credentials: Subjects.credentials)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = try? await ZoomAccountProvider.find("x", host: "ana@northwind.example", call) } }
        }
        #expect(engine.zoom.tokensIssued == 1)
    }

    @Test("another process uses the token that is stored, and after a 401 reads it again before it asks for a new one")
    func sharedToken() async throws {
        let (engine, call) = try await rig()
        let other = try TestEngine.context(
            database: engine.context.store.database, transport: engine.context.transport, mailer: engine.mailer,
            clock: engine.clock, seed: engine.seed, catalog: engine.context.catalog.current)
        var theirs = call
        theirs.tokens = other.tokens
        _ = try await ZoomAccountProvider.find("x", host: "ana@northwind.example", theirs)
        #expect(engine.zoom.tokensIssued == 1)
        engine.zoom.inject(.unauthorized)
        _ = try await ZoomAccountProvider.find("x", host: "ana@northwind.example", theirs)
        _ = try await ZoomAccountProvider.find("x", host: "ana@northwind.example", call)
        #expect(engine.zoom.tokensIssued == 2)
    }

    @Test(
        "Zoom's refusals are told apart",
        arguments: [
            ("nobody@northwind.example", ErrorCode.hostUnknown), ("pending@northwind.example", .hostUnknown),
            ("none@northwind.example", .plan),
        ])
    func refusals(host: String, code: ErrorCode) async throws {
        let (_, call) = try await rig {
            $0.users += [.init("pending@northwind.example", status: "pending"), .init("none@northwind.example", type: 99)]
        }
        var request = request(call)
        request.host = host
        do throws(ProviderError) {
            _ = try await ZoomAccountProvider.create(request, call)
            Issue.record("it was made")
        } catch { #expect(error.code == code && !error.remedy.isEmpty) }
    }

    @Test("a missing scope is named, and renewing the token is not tried")
    func missingScope() async throws {
        let (engine, call) = try await rig { $0.scopes.remove("meeting:write:meeting:admin") }
        let refused = await error(engine, call, [])
        #expect(refused?.code == .missingScope)
        #expect(refused?.remedy.contains("meeting:write:meeting") == true)
        #expect(engine.zoom.tokensIssued == 1)
    }

    @Test("an error in XML and an error without a body are unclear after a create")
    func unreadable() async throws {
        let (engine, call) = try await rig()
        #expect(await error(engine, call, [.xml])?.isUnclear == true)
        #expect(await error(engine, call, [.errorAfter(status: 502)])?.isUnclear == true)
        #expect(await error(engine, call, [.cutBefore])?.isUnclear == false)
    }

    @Test(
        "a generated passcode meets whatever the account asks for",
        arguments: [
            [
                "length": 10, "have_letter": true, "have_number": true, "have_special_character": true,
                "have_upper_and_lower_characters": true,
            ],
            ["length": 8, "only_allow_numeric": true], ["length": 6, "have_number": true, "consecutive_characters_length": 4],
        ] as [JSON])
    func passcodes(rule: JSON) async throws {
        let (engine, call) = try await rig { $0.passcodeRule = rule }
        for _ in 0..<20 { _ = try await ZoomAccountProvider.create(request(call, options: MeetingOptions(passcode: .generate)), call) }
        #expect(engine.zoom.meetings.count == 20)
    }

    @Test("alternative hosts that Zoom cannot take are dropped and named; the meeting is made")
    func alternativeHosts() async throws {
        let (engine, call) = try await rig { $0.users.append(.init("basic@northwind.example", type: 1)) }
        let hosts = ["tom@northwind.example", "basic@northwind.example", "nobody@northwind.example"]
        let made = try await ZoomAccountProvider.create(request(call, options: MeetingOptions(alternativeHosts: hosts)), call)
        #expect(made.notes.count == 2)
        #expect(made.notes.joined().contains("basic@northwind.example") && made.notes.joined().contains("nobody@northwind.example"))
        #expect(engine.zoom.meetings.count == 1)
    }

    @Test("a time zone that Zoom does not know costs no booking: the instant stays, and the owner is told")
    func unknownZone() async throws {
        let (engine, call) = try await rig { $0.unknownZones = ["Europe/Berlin"] }
        let wanted = request(call)
        let made = try await ZoomAccountProvider.create(wanted, call)
        #expect(engine.zoom.meetings.map(\.start) == [wanted.start])
        #expect(made.notes.first?.contains("Europe/Berlin") == true)
    }

    @Test("a meeting among many pages of others is found")
    func pages() async throws {
        let (engine, call) = try await rig { $0.pageSize = 3 }
        for number in 0..<10 {
            engine.zoom.makeForeign(host: "ana@northwind.example", agenda: "\(number)", start: engine.clock.now + .days(1))
        }
        let wanted = request(call)
        let made = try await ZoomAccountProvider.create(wanted, call)
        #expect(try await ZoomAccountProvider.find(wanted.key, host: "ana@northwind.example", call).map(\.id) == [made.id])
    }

    @Test("an update that would change nothing costs no change of the day's hundred")
    func quietUpdate() async throws {
        let (engine, call) = try await rig()
        let wanted = request(call)
        let made = try await ZoomAccountProvider.create(wanted, call)
        _ = try await ZoomAccountProvider.update(made.id, to: wanted, call)
        #expect(!engine.zoom.ledger.contains { $0.event == .updated })
    }

    @Test("the host's start link is nowhere in what comes back")
    func noStartLink() async throws {
        let (_, call) = try await rig()
        #expect(!"\(try await ZoomAccountProvider.create(request(call), call))".contains("zak"))
    }

    @Test("what a type says of recordings and summaries is sent; what it does not say follows the account; Zoom mails nobody")
    func policy() async throws {
        let (engine, call) = try await rig()
        let quiet = MeetingOptions(recording: .off, summary: false)
        let made = try await ZoomAccountProvider.create(request(call, options: quiet), call)
        #expect(made.notes.isEmpty)
        let sent = try #require(engine.zoom.meetings.last).settings
        #expect(sent["auto_recording"] == "none" && sent["auto_start_meeting_summary"] == false)
        #expect(sent["auto_start_ai_companion_questions"] == false)
        #expect(sent["email_notification"] == false && sent["alternative_hosts_email_notification"] == false)
        _ = try await ZoomAccountProvider.create(request(call, options: MeetingOptions(recording: .cloud, summary: true)), call)
        let loud = try #require(engine.zoom.meetings.last).settings
        #expect(loud["auto_recording"] == "cloud" && loud["auto_start_meeting_summary"] == true)
        _ = try await ZoomAccountProvider.create(request(call), call)
        let silent = try #require(engine.zoom.meetings.last).settings
        #expect(silent["auto_recording"] == nil && silent["auto_start_meeting_summary"] == nil)
        #expect(engine.zoom.violations.isEmpty)
    }

    @Test("a setting that the account has locked is told, and the meeting is made")
    func locked() async throws {
        let (engine, call) = try await rig()
        engine.zoom.change { $0.locked = ["auto_start_meeting_summary"] }
        let made = try await ZoomAccountProvider.create(request(call, options: MeetingOptions(recording: .off, summary: false)), call)
        #expect(made.notes.count == 1 && made.notes[0].contains("auto_start_meeting_summary at true, though false was asked"))
    }

    @Test("nothing that Usher sends breaks Zoom's rules")
    func rules() async throws {
        let (engine, call) = try await rig()
        let options = MeetingOptions(
            passcode: .generate, waitingRoom: true, joinBeforeHost: false, alternativeHosts: ["tom@northwind.example"])
        let made = try await ZoomAccountProvider.create(request(call, options: options, title: String(repeating: "🎉", count: 300)), call)
        try await ZoomAccountProvider.cancel(made.id, host: "ana@northwind.example", call)
        #expect(engine.zoom.violations.isEmpty)
    }
}
