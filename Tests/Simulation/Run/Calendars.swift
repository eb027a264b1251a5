import Foundation
import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import UsherCore
import UsherPipeline
import UsherStore

/// The calendars that owners keep elsewhere: Ana's at Google, which changes, and Tom's at a CalDAV server, which stays the same, and once
/// says for a moment that it is empty.
final class Calendars: Transport {
    /// What stands in a calendar for a while.
    struct Event {
        var owner: String
        var start: Instant
        var end: Instant
        var since: Instant
        var until = Instant.never
    }

    private struct State {
        var events: [String: Event] = [:]
        var lie: Range<Instant>?
        var downUntil = Instant.epoch
    }
    private let clock: VirtualClock
    private let state = Mutex(State())
    private let (truthful, empty): (DAVStandIn, DAVStandIn)

    static let address = "https://dav.northwind.example/cleo/"
    /// Shorter than the time from a first look to the second.
    private static let longestLie = Duration.seconds(100)
    /// As the catalogue says. What is not heard of for longer closes its owner.
    static let maxAge = Duration.minutes(30)

    init(_ clock: VirtualClock, _ dice: Dice) {
        self.clock = clock
        let now = Instant(seconds: clock.now.seconds / 60 * 60)
        let events = [15, 45, 95, 2_995].map { minutes in
            let start = now + .minutes(Int64(minutes + dice.seed.below(20)))
            return SandboxEvent(
                uid: "tom-\(minutes)@elsewhere.example", start: start, end: start + .minutes(Int64(5 + dice.seed.below(40))))
        }
        truthful = DAVStandIn(SandboxEvent.file(events, owner: "tom@northwind.example"))
        empty = DAVStandIn("")
        empty.hold(nil)
        state.withLock { state in
            for event in events { state.events[event.uid] = Event(owner: "tom", start: event.start, end: event.end, since: clock.now) }
        }
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let (isDown, lies) = state.withLock { (clock.now < $0.downUntil, $0.lie?.contains(clock.now) ?? false) }
        if isDown { return HTTPResponse(status: 503) }
        return try await lies ? empty.send(request) : truthful.send(request)
    }

    /// The CalDAV server lies for a moment, once in a run.
    /// - Returns: whether it does.
    func lie() -> Bool {
        state.withLock { state in
            guard state.lie == nil else { return false }
            state.lie = clock.now..<clock.now + Self.longestLie
            return true
        }
    }

    /// Tom's server is away for hours, and something new stands in his calendar for as long.
    func goDown() {
        let now = clock.now
        state.withLock { state in
            state.downUntil = now + .hours(3)
            state.events["tom-new"] = Event(
                owner: "tom", start: now + .minutes(35), end: now + .hours(8), since: now, until: state.downUntil)
        }
    }

    /// The next event in an owner's calendar.
    func next(of owner: String, after time: Instant) -> Event? {
        state.withLock { $0.events.values }.filter { $0.owner == owner && $0.start >= time }.min { $0.start < $1.start }
    }

    /// Somebody puts an event into Ana's calendar.
    func put(_ event: SandboxEvent, in google: GoogleSandbox) {
        google.put(event)
        state.withLock { $0.events[event.uid] = Event(owner: "ana", start: event.start, end: event.end, since: clock.now) }
    }

    /// Somebody takes an event out of Ana's calendar again.
    func takeOut(_ dice: Dice, from google: GoogleSandbox) {
        let standing = state.withLock { $0.events.filter { $0.value.owner == "ana" && $0.value.until == .never }.keys.sorted() }
        guard !standing.isEmpty else { return }
        let uid = dice.seed.pick(standing)
        state.withLock { $0.events[uid]?.until = clock.now }
        google.takeOut(uid)
    }

    /// An owner's calendar is connected no longer.
    func forget(_ owner: String) {
        state.withLock { state in
            for (uid, event) in state.events where event.owner == owner { state.events[uid]?.until = min(event.until, clock.now) }
        }
    }

    /// An event that a booking stands over, although it was known of, or the calendar too old, when the time was taken.
    func event(under booking: Booking, takenAt time: Instant) -> Event? {
        let tolerance = Duration.seconds(30)
        return state.withLock { $0.events.values }.first { event in
            event.owner == booking.terms.owner.id && event.start < booking.end && booking.start < event.end
                && event.since + Self.maxAge + tolerance < time && time + tolerance < event.until
        }
    }
}

/// The way to a calendar that does not answer, or whose caller dies.
struct FaultyCalendars: Transport {
    let calendars: Calendars
    let seam: Seam

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        await seam.pass()
        if seam.process.isDead { throw .notSent("dead") }
        if seam.dice.throwDice(\.crash) { throw died() }
        if seam.dice.throwDice(\.mail) {
            switch seam.dice.seed.below(3) {
            case 0: return HTTPResponse(status: 503)
            case 1: throw .notSent("simulated refusal")
            default: throw .unclear("simulated cut")
            }
        }
        let response = try await calendars.send(request)
        await seam.pass()
        if seam.process.isDead || seam.dice.throwDice(\.crash) { throw died() }
        return response
    }

    private func died() -> TransportError {
        seam.process.crash()
        return .unclear("dead")
    }
}

extension SimulatedRun {
    /// Tom connects his calendar, and some events stand in Ana's.
    func connectCalendars(_ context: EngineContext) async throws {
        _ = try await CalendarService(context).connect(
            .init(kind: "caldav", url: Calendars.address, user: "tom", password: Secret("app")), owner: "tom")
        for _ in 0..<2 { putEvent() }
        guard mood.calendarFails else { return }
        _ = try await Worker(context).pump()
        calendars.goDown()
    }

    /// Owners remove them, and nobody looks whether accounts have others, which spares the days that follow a thousand readings.
    func removeCalendars() async throws {
        let service = CalendarService(try undisturbed())
        for owner in ["ana", "eva", "tom"] {
            for one in try await service.list(of: owner) { try await service.remove(one.calendar.id, owner: owner) }
        }
        let never = clock.now + .days(365)
        try await database.write { session in
            _ = try session.execute("UPDATE steps SET due_at = $1 WHERE kind = 'find-calendars'", [.int(never.microseconds)])
        }
    }

    private func putEvent() {
        let number = state.withLock { state in
            state.calendarEvents += 1
            return state.calendarEvents
        }
        let start = Instant(
            seconds: (clock.now + .minutes(Int64(dice.seed.pick([15, 40, 85, 2_990]) + dice.seed.below(20)))).seconds / 60 * 60)
        calendars.put(
            SandboxEvent(uid: "ana-\(number)@elsewhere.example", start: start, end: start + .minutes(Int64(5 + dice.seed.below(40)))),
            in: google)
    }

    /// Something happens in a calendar, and its service tells of it, or what it tells gets lost.
    func changeCalendars() async {
        switch dice.seed.below(4) {
        case 0 where await exists(Self.knownTimes) && calendars.lie():
            tally("calendar.lied")
            await tryTom()
        case 0, 1: calendars.takeOut(dice, from: google)
        default: putEvent()
        }
        for request in google.takeNotifications() where dice.seed.chance(70) {
            guard let server = anyServer() else { return }
            let delivery = EventDelivery(headers: request.headers.map { ($0.name, $0.value) }, body: request.body, now: clock.now)
            let id = String(request.url.split(separator: "/").last ?? "")
            let answer = try? await CalendarNotifications(server.context).receive(id, delivery)
            if answer == .done { tally("calendar.told") }
        }
    }

    /// His calendar is read while its server lies, and somebody asks for a time at which he is busy.
    private func tryTom() async {
        let now = clock.now
        try? await database.write { session in
            _ = try session.execute(
                "UPDATE steps SET due_at = $1 WHERE kind = 'read-calendar' AND claimed_by IS NULL", [.int(now.microseconds)])
        }
        for _ in 0..<(20 + dice.seed.below(60)) { await scheduler.turn() }
        guard let event = calendars.next(of: "tom", after: clock.now + .minutes(1)), let server = anyServer() else { return }
        do { try await hold("tom", at: event.start, server.context) } catch { return tally("busy.refused") }
        // Unless his calendar went meanwhile, with himself.
        if await exists("SELECT 1 FROM calendars WHERE owner_id = 'tom'") {
            state.withLock { $0.violations.append("a hold stands over \(event), of which the calendar says for a moment that it is gone") }
        }
        await bookHeld()
    }

    /// A server that is empty at the first look is believed; only what was there and is gone is looked for twice.
    private static let knownTimes = "SELECT 1 FROM calendar_busy b JOIN calendars c ON c.id = b.calendar_id WHERE c.owner_id = 'tom'"

    private func exists(_ rows: String) async -> Bool { (try? await database.read { try $0.query(rows, []) })?.isEmpty == false }

    /// Bookings by slots that stand over what a calendar has held for long.
    func bookingsOverEvents(_ store: Store) async throws -> [String] {
        var found: [String] = []
        let (calls, moves) = state.withLock { ($0.calls, $0.moves) }
        for call in calls {
            guard let id = call.booking, let booking = try await store.read({ try $0.booking(id) }), booking.terms.type.id == "slotted"
            else { continue }
            let hold = try await store.read { tx in try call.request.hold.flatMap { try tx.hold($0) } }
            // What was moved was decided anew, wherever it was moved to.
            guard !moves.has(id) else { continue }
            // Of an account that was disconnected nothing is known any more.
            guard booking.terms.owner.id != "ana" || !mood.reconnects else { continue }
            let time = hold?.createdAt ?? booking.createdAt
            if let event = calendars.event(under: booking, takenAt: time) {
                found.append(
                    "\(id), taken at \(time.rfc3339), stands over an event that began to stand at \(event.since.rfc3339): \(event)")
            }
        }
        return found
    }
}
