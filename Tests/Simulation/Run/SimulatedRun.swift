import Foundation
import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import UsherCore
import UsherPipeline
import UsherStore

/// A whole run of the engine under a virtual clock: up to three servers on one database, each with its work loop and a clock of its own,
/// sandboxed providers, a mail system, people who book, move, cancel, retry, connect accounts and take rooms away at the provider, and
/// faults at every line that leaves a process. Everything follows from the seed, the order of what happens at the same time included.
final class SimulatedRun: Sendable {
    let clock = VirtualClock()
    let dice: Dice
    let scheduler: Scheduler
    let zoom: ZoomSandbox
    let google: GoogleSandbox
    let microsoft: MicrosoftSandbox
    let mail = MailRecorder()
    let receiver = TestReceiver()
    let calendars: Calendars
    let database: WatchedDatabase
    let overlaps = Overlaps()
    let endedGrants = EndedGrants()
    let refusedMails = RefusedMails()
    let disk = Disk()
    let world: World
    let hasDailyLimit: Bool
    let mood: Mood
    let state = Mutex(State())

    /// What this run is mostly about.
    struct Mood {
        var favourite: String
        /// Whether rooms are taken away at the provider.
        var drifts: Bool
        /// Whether owners disconnect and connect accounts.
        var reconnects: Bool
        /// Whether the program that is notified of events says now and then that it is gone for good, and is turned on again.
        var receiverEnds: Bool
        /// Whether Tom has connected a calendar.
        var hasCalendar: Bool
        /// Whether it cannot be read for hours.
        var calendarFails: Bool
    }

    struct State {
        var servers: [Server] = []
        /// By idempotency key, in the order of the calls: a repeated call sends the same request.
        var calls: [Call] = []
        var foreign: [Int64] = []
        var crashes = 0
        /// Bookings whose cancellation was answered.
        var cancelled: Set<String> = []
        var moves = Moves()
        /// Whose rooms somebody has taken away or moved at the provider, and nobody has told the engine of it.
        var drifted = Drifts()
        /// Whose rooms somebody has moved at the provider, where the booking stays as it is.
        var moved = Drifts()
        /// How often what happened that no timeline shows.
        var tally: [String: Int] = [:]
        /// Accounts that were disconnected, here or at the service, at one time or another.
        var disconnected: Set<Account> = []
        /// Owners who are on their way through a consent.
        var consenting: Set<String> = []
        var webhook = ""
        /// What the receiver has been given to check signatures with.
        var secrets: [Secret] = []
        /// New secrets whose answer is on its way, or was lost.
        var lostSecrets = 0
        /// Events that somebody had sent once more.
        var replayed: Set<String> = []
        var actions = 0
        var holds: [Held] = []
        var calendarEvents = 0
        var violations: [String] = []
    }

    /// An owner's account, by the provider that it is connected as.
    struct Account: Hashable {
        var owner: String
        var provider: String
    }

    struct Call {
        var key: String
        var request: BookingRequest
        var booking: String?
    }

    /// A time that somebody was told is held.
    struct Held {
        var id: String
        var expiresAt: Instant
        var isBooked = false
    }

    /// - Parameter world: of no other run at the same time.
    init(seed number: UInt64, in world: World) throws {
        self.world = world
        let dice = Dice(Seed(number))
        self.dice = dice
        scheduler = Scheduler(dice.seed, number: number)
        calendars = Calendars(clock, dice)
        var account = TestEngine.account
        account.listDelay = .seconds(dice.seed.pick([0, 3, 8, 9]))
        account.pageSize = dice.seed.chance(50) ? 2 : 300
        account.users.append(ZoomSandbox.User("eva@northwind.example"))
        hasDailyLimit = dice.seed.chance(30)
        if hasDailyLimit { account.dailyLimit = 2 }
        let reconnects = dice.seed.chance(25)
        mood = Mood(
            favourite: reconnects && dice.seed.chance(50) ? "mine" : dice.seed.pick(Self.types), drifts: dice.seed.chance(50),
            reconnects: reconnects, receiverEnds: dice.seed.chance(10),
            hasCalendar: dice.seed.chance(40), calendarFails: dice.seed.chance(40))
        zoom = ZoomSandbox(account, now: { [clock] in clock.now }) { _, _ in
            guard dice.throwDice({ $0.transport }) else { return nil }
            return dice.seed.pick([
                .perSecondLimit, .tooManyConcurrent, .errorBefore(status: 503), .errorAfter(status: 500), .cutAfter,
                .cutBefore, .xml, .late(.seconds(20)), .late(.seconds(70)),
            ])
        }
        google = GoogleSandbox(now: { [clock] in clock.now })
        google.change {
            $0.redirectURLs = ["https://usher.example/auth/google/callback"]
            $0.users.append("eva@northwind.example")
        }
        microsoft = MicrosoftSandbox(now: { [clock] in clock.now })
        microsoft.change { $0.redirectURLs = ["https://usher.example/auth/microsoft/callback"] }
        database = WatchedDatabase(
            database: world.database, scheduler: scheduler, overlaps: overlaps, living: LivingProcesses(), clock: clock)
    }

    struct Outcome: Sendable {
        /// What is wrong, empty when nothing is.
        var violations: [String]
        /// What happened on the timelines, to show that the run was troubled enough.
        var events: [String]
    }

    /// Runs the troubled time, then the healing, and checks what is left. Blocks the calling thread until it is over.
    func run() throws -> Outcome {
        let result = Mutex<Result<Outcome, any Error>?>(nil)
        scheduler.run {
            do {
                let outcome = try await self.story()
                result.withLock { $0 = .success(outcome) }
            } catch { result.withLock { $0 = .failure(error) } }
        }
        guard let result = result.withLock({ $0 }) else { throw UsherError(.internalError, "a run did not end") }
        return try result.get()
    }

    private func story() async throws -> Outcome {
        let store = Store(database)
        try await prepare(store)
        dice.begin()
        await trouble()
        dice.heal()
        google.clearFaults()
        microsoft.clearFaults()
        await settleCalls()
        await quiesce()
        // A new quota is due by then.
        try await quiesceForDays(hasDailyLimit ? 2 : 0)
        try await retryFailed()
        await quiesce()
        try await quiesceForDays(hasDailyLimit ? 2 : 0)
        try await checkLiveness()
        try await checkCallsUnderWay()
        await quiesce(for: .minutes(10))
        var violations = try await verdict(store)
        // Then for days, for sweeps, reminders and grants that nobody uses; all has been right already.
        if dice.seed.chance(20) {
            try await quiesceForDays(3)
            violations += try await verdict(store, isLongAgo: true).map { "days later: \($0)" }
        }
        let bookings = bookings
        let events = try await store.read { tx in
            try bookings.flatMap { try tx.timeline(of: $0).map { $0.detail.hasPrefix("reminder") ? "\($0.event).reminder" : $0.event } }
                + tx.audit(before: (.never, ""), limit: 1_000).map(\.action).filter { !$0.hasPrefix("booking.") }
        }
        let tally = state.withLock { $0.tally.merging(["crash": $0.crashes], uniquingKeysWith: +) }
        return Outcome(violations: violations, events: events + tally.flatMap { Array(repeating: $0.key, count: $0.value) })
    }

    /// Bookings that were accepted, each once.
    var bookings: [String] {
        var seen: Set<String> = []
        return state.withLock { $0.calls.compactMap(\.booking) }.filter { seen.insert($0).inserted }
    }

    /// - Parameter isLongAgo: whether all that is tried for days must have come to its end.
    private func verdict(_ store: Store, isLongAgo: Bool = false) async throws -> [String] {
        let (bookings, state) = (bookings, state.withLock { $0 })
        let invariants = Invariants(
            zoom: zoom, google: google, microsoft: microsoft, mail: mail, store: store, vault: try undisturbed().vault, clock: clock,
            foreign: state.foreign,
            drifted: state.drifted.bookings, moved: state.moved.bookings, disconnected: state.disconnected, endedGrants: endedGrants,
            cancelled: state.cancelled,
            moves: state.moves,
            refused: refusedMails.ids, hasDailyLimit: hasDailyLimit)
        let told = ReceivedEvents(
            store: store, received: receiver.received, webhook: state.webhook, replayed: state.replayed,
            secrets: state.lostSecrets == 0 ? state.secrets : [], mayBeIncomplete: mood.receiverEnds, isLongAgo: isLongAgo)
        return try await invariants.violations(bookings: bookings)
            + (try await told.violations(bookings: bookings)) + overlaps.violations + (try await bookingsOverEvents(store))
            + state.violations
    }

    // MARK: Before

    private func prepare(_ store: Store) async throws {
        try await world.clear()
        let context = try undisturbed()
        try await store.write { [world] in try context.follow(world.catalog.owners, $0) }
        plantForeign()
        let made = try await WebhookService(context).create(url: "https://crm.example/hook", events: nil).value
        state.withLock { ($0.webhook, $0.secrets) = (made.webhook.id, [made.secret]) }
        for (provider, _) in Self.services { try await connect("ana", provider, context) }
        try await addEva(context)
        if mood.hasCalendar { try await connectCalendars(context) } else { calendars.forget("tom") }
    }

    /// A way into the engine that nothing goes wrong on.
    /// - Parameter skew: how far its clock is ahead.
    func undisturbed(skew: Duration = .zero, _ wrap: (SandboxTransport) -> any Transport = { $0 }) throws -> EngineContext {
        try TestEngine.context(
            database: database, transport: wrap(SandboxTransport(zoom: zoom, google: google, microsoft: microsoft) { _ in }), mailer: mail,
            receivers: receiver, calendars: calendars, clock: clock, seed: dice.seed, catalog: world.catalog, renderer: world.renderer,
            skew: { skew })
    }

    private func plantForeign() {
        let start = clock.now + .days(2)
        let foreign = [
            zoom.makeForeign(host: "ana@northwind.example", agenda: "A meeting of Ana's own", start: start),
            zoom.makeForeign(
                host: "ana@northwind.example", agenda: "[usher:0123456789abcdefghijklmnop]\nfrom a restored backup", start: start),
        ]
        state.withLock { $0.foreign = foreign }
    }

    // MARK: The troubled time

    private static let mostActions = 5

    /// People and servers, all at the same time; in the end each server stops in order, or dies.
    private func trouble() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<(15 + dice.seed.below(35)) {
                await replaceDead(&group)
                while state.withLock({ $0.actions }) >= Self.mostActions { await scheduler.turn() }
                state.withLock { $0.actions += 1 }
                group.addTask {
                    await self.act()
                    self.state.withLock { $0.actions -= 1 }
                }
                for _ in 0..<dice.seed.below(60) { await scheduler.turn() }
                if dice.seed.chance(25) { await passTime() }
            }
            disk.fill(until: clock.now)
            while state.withLock({ $0.actions }) > 0 { await scheduler.turn() }
            for server in state.withLock({ $0.servers }) {
                if dice.seed.chance(50) { server.process.crash() } else { server.loop.stop() }
            }
        }
        state.withLock { $0.servers = [] }
    }

    /// Time goes on a little, or to what is due next.
    private func passTime() async {
        guard dice.seed.chance(60) else { return clock.advance(by: .seconds(dice.seed.pick([1, 5, 11, 30, 70, 130, 600]))) }
        if dice.seed.chance(10) { try? await makeMaintenanceDue() }
        let next = try? await Store(database).read { tx in try Queue.allCases.compactMap { try tx.nextDue($0) }.min() }
        if let next, next < clock.now + .hours(1) { clock.advance(to: next) }
    }

    /// As after a month: grants that nobody has used are to be renewed, and accounts looked through.
    private func makeMaintenanceDue() async throws {
        let now = clock.now
        try await database.write { session in
            try session.execute("UPDATE connections SET refreshed_at = $1", [.int((now - .days(31)).microseconds)])
            try session.execute(
                "UPDATE steps SET due_at = $1 WHERE kind IN ('keepalive', 'sweep') AND claimed_by IS NULL", [.int(now.microseconds)])
        }
    }

    // MARK: Healing

    /// What a call may be answered for good: its time is taken or over, or its owner is gone.
    static let refusals: Set<ErrorCode> = [
        .bookingConflict, .bookingInPast, .bookingCancelled, .notFound, .validationFailed, .bookingUnavailable, .holdExpired,
    ]

    func tally(_ event: String) { state.withLock { $0.tally[event, default: 0] += 1 } }

    /// A program repeats its call until it has an answer.
    private func settleCalls() async {
        for call in state.withLock({ $0.calls }) where call.booking == nil {
            do { try await book(call, BookingService(undisturbed())) } catch let error as UsherError
                where Self.refusals.contains(error.code)
            {
                tally("call.refused")
            } catch { state.withLock { $0.violations.append("\(call.key) could not be settled when all was well: \(error)") } }
        }
    }

    /// All faults are over, and everything that waits comes due. The time ends before the sweeper's next round, which would
    /// hide what the protocol itself ought to have settled; only work that waits for a new quota takes longer.
    private func quiesce(for time: Duration = .hours(4)) async {
        let end = clock.now + time
        guard let server = try? undisturbed() else { return }
        try? await Heartbeat(server).join()
        while clock.now < end {
            _ = try? await Heartbeat(server).beat()
            _ = try? await Heartbeat(server).takeOver()
            do {
                guard let next = try await Worker(server).pump(), next < end else { break }
                clock.advance(to: max(next, clock.now + .milliseconds(500)))
            } catch {
                state.withLock { $0.violations.append("work could not go on when all was well: \(error)") }
                break
            }
        }
        await Heartbeat(server).leave()
    }

    private func quiesceForDays(_ days: Int64) async throws {
        guard days > 0 else { return }
        try await removeCalendars()
        await quiesce(for: .days(days))
    }

    /// Somebody presses Retry on each booking that has failed; whatever failed in the troubled time can be had now.
    private func retryFailed() async throws {
        let context = try undisturbed()
        for id in bookings {
            guard let booking = try await context.store.read({ try $0.booking(id) }), booking.meeting.status == .failed,
                booking.status == .confirmed, booking.start > clock.now
            else { continue }
            _ = try await BookingService(context).retry(id)
        }
    }

    /// Whether the room is there, and both readers have been told.
    func isTold(_ id: String, _ context: EngineContext) async throws -> Bool {
        let (booking, mails) = try await context.store.read { (try $0.booking(id), try $0.mails(of: id)) }
        return booking?.meeting.status == .ready && mails.count == 2 && mails.allSatisfy { $0.state == .sent }
    }

    /// New bookings at services that work are ready within a minute, and everybody is told, whatever the trouble has left behind.
    private func checkLiveness() async throws {
        let context = try undisturbed()
        let accounts = ["meet", "teams"].filter { isConnected("ana", $0) }
        let types = ["open", "hall", "stage"] + (hasDailyLimit ? [] : ["fixed"]) + accounts
        for (day, type) in types.enumerated() {
            let id = try await bookInCalm(type, in: .days(Int64(200 + day)), context)
            if try await !within(.seconds(60), Worker(context), { try await self.isTold(id, context) }) {
                state.withLock { $0.violations.append("\(type), booked when all was well, is not ready within a minute") }
            }
        }
    }

    func isConnected(_ owner: String, _ provider: String) -> Bool {
        !state.withLock { $0.disconnected.contains(Account(owner: owner, provider: provider)) }
    }

    func bookInCalm(_ type: String, in time: Duration, _ context: EngineContext) async throws -> String {
        let request = TestEngine.request(type, at: Instant(seconds: (clock.now + time).seconds / 3_600 * 3_600).rfc3339)
        let id = try await BookingService(context).book(request).value.booking.id
        state.withLock { $0.calls.append(Call(key: "", request: request, booking: id)) }
        return id
    }

    /// Works until something holds, for a time at most. A process that died may have left a lease behind, which ends by itself.
    func within(_ time: Duration, _ worker: Worker, _ holds: () async throws -> Bool) async throws -> Bool {
        let end = clock.now + time
        while clock.now < end {
            if try await holds() { return true }
            for work in try await worker.claim(limit: 64) { await worker.run(work) }
            clock.advance(by: .seconds(1))
        }
        return try await holds()
    }
}
