import Foundation
import Logging
import ProviderSandbox
import Synchronization
import TestSupport
import UsherCore
import UsherMail
import UsherPipeline
import UsherSQLite
import UsherStore

/// A whole run of the engine under a virtual clock: two processes on one database, each with a clock of its own, sandboxed Zoom, Google
/// and Microsoft, a mail system, people who book, move, cancel, retry and take rooms away at the provider, and faults at every line that
/// leaves the process. Everything follows from the seed.
final class Simulation: Sendable {
    let number: UInt64
    private let clock = VirtualClock()
    private let dice: Dice
    private let zoom: ZoomSandbox
    private let google: GoogleSandbox
    private let microsoft: MicrosoftSandbox
    private let mail = MailRecorder()
    private let receiver = TestReceiver()
    private let database: SQLiteDatabase
    private let catalog: Catalog
    private let hasDailyLimit: Bool
    private let state: Mutex<State>

    private struct State {
        var processes: [(process: SimulatedProcess, context: EngineContext)] = []
        var bookings: [String] = []
        var foreign: [Int64] = []
        var isPaused = false
        var crashes = 0
        /// Whose rooms somebody has taken away at the provider.
        var drifted: Set<String> = []
        var webhook = ""
        /// Events that somebody had sent once more.
        var replayed: Set<String> = []
        /// By idempotency key: a repeated call sends the same request.
        var pending: [String: BookingRequest] = [:]
    }

    init(seed number: UInt64) throws {
        self.number = number
        let dice = Dice(Seed(number))
        self.dice = dice
        var account = TestEngine.account
        account.listDelay = .seconds(dice.seed.pick([0, 3, 8, 9]))
        account.pageSize = dice.seed.chance(50) ? 2 : 300
        hasDailyLimit = dice.seed.chance(30)
        if hasDailyLimit { account.dailyLimit = 2 }
        zoom = ZoomSandbox(account, now: { [clock] in clock.now }) { _, _ in
            guard dice.throwDice({ $0.transport }) else { return nil }
            return dice.seed.pick([
                .unauthorized, .perSecondLimit, .tooManyConcurrent, .errorBefore(status: 503), .errorAfter(status: 500), .cutAfter,
                .cutBefore, .xml, .late(.seconds(20)), .late(.seconds(70)),
            ])
        }
        google = GoogleSandbox(now: { [clock] in clock.now })
        google.change { $0.redirectURLs = ["https://usher.example/auth/google/callback"] }
        microsoft = MicrosoftSandbox(now: { [clock] in clock.now })
        microsoft.change { $0.redirectURLs = ["https://usher.example/auth/microsoft/callback"] }
        database = try SQLiteDatabase()
        catalog = try TestEngine.catalog(
            TestEngine.catalogText.replacing(
                "title: \"At Zoom\", duration: 30m,", with: "title: \"At Zoom\", duration: 30m, reminders: [1h, 10m],"))
        state = Mutex(State())
    }

    /// Runs the troubled time, then the healing, and checks what is left.
    func run() async throws -> Outcome {
        let store = Store(database)
        try await store.migrate()
        try await store.write { [catalog] in try $0.adopt(catalog.owners) }
        plantForeign()
        let listener = try TestEngine.context(
            database: database, transport: receiver, mailer: mail, clock: clock, seed: dice.seed, catalog: catalog)
        let webhook = try await WebhookDesk(listener).create(url: "https://crm.example/hook", events: nil).value.webhook.id
        state.withLock { $0.webhook = webhook }
        try await connect()
        dice.begin()
        while state.withLock({ $0.processes.count }) < 2 { await replaceDead() }
        for _ in 0..<(15 + dice.seed.below(35)) { await act() }
        dice.heal()
        await quiesce()
        let bookings = state.withLock { $0.bookings }
        let violations = try await Invariants(
            zoom: zoom, google: google, microsoft: microsoft, mail: mail, store: store, clock: clock,
            foreign: state.withLock { $0.foreign },
            drifted: state.withLock { $0.drifted }
        )
        .violations(bookings: bookings)
        let told = try await Told(store: store, received: receiver.received, webhook: webhook, replayed: state.withLock { $0.replayed })
            .violations(bookings: bookings)
        let events = try await store.read { tx in
            try bookings.flatMap { try tx.timeline(of: $0).map { $0.detail.hasPrefix("reminder") ? "\($0.event).reminder" : $0.event } }
        }
        return Outcome(violations: violations + told, events: events + Array(repeating: "crash", count: state.withLock { $0.crashes }))
    }

    struct Outcome: Sendable {
        /// What is wrong, empty when nothing is.
        var violations: [String]
        /// What happened on the timelines, to show that the run was troubled enough.
        var events: [String]
    }

    // MARK: The troubled time

    private func act() async {
        await replaceDead()
        switch dice.seed.below(12) {
        case 0, 1: await person { try await self.book($0) }
        case 2: await person { try await self.move($0) }
        case 3: await person { try await self.cancel($0) }
        case 10: await person { try await self.retry($0) }
        case 11: await person { try await self.interfere($0) }
        case 4: clock.advance(by: .seconds(dice.seed.pick([1, 5, 11, 30, 70, 130, 600])))
        default: await work()
        }
    }

    /// One process does what is due; then time goes on a little, or to what is due next.
    private func work() async {
        let (process, context) = dice.seed.pick(state.withLock { $0.processes })
        let next = try? await Worker(context).pump(limit: 1 + dice.seed.below(4))
        if process.isDead { return }
        if let next, dice.seed.chance(60), next < clock.now + .hours(1) { clock.advance(to: next) }
    }

    /// A process sleeps in the middle of its work, for longer than its claim lasts, and another one goes on.
    private func pause(_ sleeper: SimulatedProcess) async {
        guard
            state.withLock({ state in
                defer { state.isPaused = true }
                return !state.isPaused
            })
        else { return }
        clock.advance(by: .seconds(dice.seed.pick([5, 45, 100])))
        for (_, other) in state.withLock({ $0.processes.filter { $0.process !== sleeper && !$0.process.isDead } }) {
            _ = try? await Membership(other).takeOver()
            _ = try? await Worker(other).pump(limit: 2)
        }
        state.withLock { $0.isPaused = false }
    }

    private func replaceDead() async {
        state.withLock { state in
            state.crashes += state.processes.count { $0.process.isDead }
            state.processes.removeAll { $0.process.isDead }
        }
        while state.withLock({ $0.processes.count }) < 2 {
            let process = SimulatedProcess()
            // No clock is right to the second, and some are set while they run.
            let skews: [Duration] = [.zero, .zero, .seconds(2), .seconds(-2), .seconds(5), .seconds(-5)]
            let (early, late) = (dice.seed.pick(skews), dice.seed.pick(skews))
            let turn = clock.now + .minutes(Int64(dice.seed.below(300)))
            let pause: @Sendable () async -> Void = { [weak self] in await self?.pause(process) }
            guard
                let context = try? TestEngine.context(
                    database: FaultyDatabase(database: database, process: process, dice: dice),
                    transport: FaultyTransport(
                        sandbox: SandboxTransport(zoom: zoom, google: google, microsoft: microsoft) { [clock] in clock.advance(by: $0) },
                        process: process, dice: dice,
                        clock: clock, pause: pause),
                    mailer: FaultyMailer(recorder: mail, process: process, dice: dice),
                    receivers: FaultyReceiver(receiver: receiver, process: process, dice: dice), clock: clock, seed: dice.seed,
                    catalog: catalog, skew: { [clock] in clock.now < turn ? early : late })
            else { return }
            do {
                try await Membership(context).join()
                state.withLock { $0.processes.append((process, context)) }
            } catch { continue }
        }
        for (_, context) in state.withLock({ $0.processes }) {
            _ = try? await Membership(context).beat()
            _ = try? await Membership(context).takeOver()
        }
    }

    private func plantForeign() {
        let start = clock.now + .days(2)
        state.withLock { state in
            state.foreign = [
                zoom.makeForeign(host: "ana@northwind.example", agenda: "A meeting of Ana's own", start: start),
                zoom.makeForeign(
                    host: "ana@northwind.example", agenda: "[usher:0123456789abcdefghijklmnop]\nfrom a restored backup", start: start),
            ]
        }
    }

    // MARK: People

    /// What a person asks for may fail, and a program that asks for them tries again.
    private func person(_ body: (BookingDesk) async throws -> Void) async {
        for _ in 0..<4 {
            await replaceDead()
            let desk = BookingDesk(dice.seed.pick(state.withLock { $0.processes }).context)
            do {
                try await body(desk)
                return
            } catch is UsherError { return } catch { continue }
        }
    }

    private func book(_ desk: BookingDesk) async throws {
        let key = "key-\(state.withLock { $0.bookings.count })"
        let start = Instant(seconds: (clock.now + .minutes(Int64(dice.seed.pick([3, 20, 90, 3_000])))).seconds / 60 * 60).rfc3339
        let type = dice.seed.pick([
            "fixed", "fixed", "safe", "safe", "safe", "consultation", "open", "later", "later", "later", "healing", "mine", "meet", "teams",
            "diary",
        ])
        let request = TestEngine.request(type, at: start)
        let fixed = state.withLock { state in
            defer { state.pending[key] = state.pending[key] ?? request }
            return state.pending[key] ?? request
        }
        let accepted = try await desk.book(fixed, repeating: IdempotencyKey(scope: "test", key: key, fingerprint: "\(fixed)"))
        state.withLock { $0.bookings.append(accepted.value.booking.id) }
    }

    private func move(_ desk: BookingDesk) async throws {
        let ids = state.withLock { $0.bookings }
        guard !ids.isEmpty else { return }
        let start = Instant(seconds: (clock.now + .minutes(Int64(60 + dice.seed.below(5_000)))).seconds / 60 * 60).rfc3339
        _ = try await desk.reschedule(dice.seed.pick(ids), to: start)
    }

    private func cancel(_ desk: BookingDesk) async throws {
        let ids = state.withLock { $0.bookings }
        guard !ids.isEmpty else { return }
        // Somebody presses Join now and then.
        if dice.seed.chance(30) { _ = try await desk.enter(dice.seed.pick(ids)) }
        _ = try await desk.cancel(dice.seed.pick(ids))
    }

    /// Somebody presses Retry, or has an event sent once more.
    private func retry(_ desk: BookingDesk) async throws {
        let (ids, webhook) = state.withLock { ($0.bookings, $0.webhook) }
        guard !ids.isEmpty else { return }
        if dice.seed.chance(60) {
            _ = try await desk.retry(dice.seed.pick(ids))
            return
        }
        let hooks = WebhookDesk(desk.context)
        let log = try await hooks.deliveries(of: webhook, before: nil, limit: 10).items
        guard !log.isEmpty else { return }
        let id = dice.seed.pick(log).id
        state.withLock { _ = $0.replayed.insert(id) }
        _ = try await hooks.replay(id, of: webhook)
    }

    /// Somebody takes a room away where it was made.
    private func interfere(_ desk: BookingDesk) async throws {
        let ids = state.withLock { $0.bookings }
        guard !ids.isEmpty, dice.seed.chance(30) else { return }
        let booking = try await desk.view(dice.seed.pick(ids)).booking
        let id = try await desk.context.store.read { try $0.rooms(of: booking.id).last?.roomID } ?? ""
        guard booking.status == .confirmed, let room = booking.meeting.room, !id.isEmpty else { return }
        state.withLock { _ = $0.drifted.insert(booking.id) }
        switch booking.meeting.module {
        case "zoom-s2s", "zoom": if let id = Int64(room.meetingID) { zoom.deleteAtPortal(id) }
        case "google-meet": google.deleteByHand(id)
        case "microsoft-teams": microsoft.deleteByHand(id)
        default: break
        }
    }

    /// Ana connects her accounts, before the trouble begins.
    private func connect() async throws {
        let context = try TestEngine.context(
            database: database, transport: SandboxTransport(zoom: zoom, google: google, microsoft: microsoft) { _ in }, mailer: mail,
            clock: clock, seed: dice.seed, catalog: catalog)
        let consents = Consents(context)
        let decide: [(provider: String, service: String, by: @Sendable (String) -> String)] = [
            ("zoom", "zoom", { [zoom] in zoom.decide($0, user: "ana@northwind.example") }),
            ("meet", "google", { [google] in google.decide($0, user: "ana@northwind.example") }),
            ("teams", "microsoft", { [microsoft] in microsoft.decide($0, user: "ana@northwind.example") }),
        ]
        for (provider, service, agree) in decide {
            let begun = try await consents.begin(owner: "ana", provider: provider, returnTo: "").value
            let browser = Secret("browser")
            let url = try await consents.start(begun.id, browser: browser)
            let back = agree(String(url.split(separator: "?", maxSplits: 1)[1]))
            let query = Dictionary(
                (back.split(separator: "?", maxSplits: 1).last ?? "").split(separator: "&").map { pair in
                    let parts = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
                    return (parts[0], parts.count > 1 ? parts[1] : "")
                }, uniquingKeysWith: { first, _ in first })
            guard
                case .connected = try await consents.finish(
                    service: service, state: query["state"], code: query["code"], error: nil, browser: browser)
            else { throw UsherError(.internalError, "\(service) could not be connected before the run") }
        }
    }

    // MARK: Healing

    /// All faults are over, and everything that waits comes due. The time ends before the sweeper's next round, which would
    /// hide what the protocol itself ought to have settled; only work that waits for a new quota takes longer.
    private func quiesce() async {
        let end = clock.now + (hasDailyLimit ? .days(2) : .hours(4))
        while clock.now < end {
            await replaceDead()
            let context = state.withLock { $0.processes[0].context }
            guard let next = try? await Worker(context).pump(), next < end else { break }
            // A process whose clock is late sees what is due a little after it is.
            clock.advance(to: max(next, clock.now + .milliseconds(500)))
        }
    }
}
