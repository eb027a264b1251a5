import Foundation
import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import UsherCore

/// What goes wrong, and how often in a thousand times.
struct FaultRates: Sendable {
    var crash = 5
    var database = 15
    var transport = 150
    var mail = 120
    var read = 5
    /// A process stands still while it has a call under way.
    var stop = 10
    static let none = FaultRates(crash: 0, database: 0, transport: 0, mail: 0, read: 0, stop: 0)
}

/// The dice of a run: every fault is thrown from one seed, and can be switched off for the time of healing.
final class Dice: Sendable {
    let seed: Seed
    private let rates = Mutex(FaultRates.none)
    init(_ seed: Seed) { self.seed = seed }
    func begin() { rates.withLock { $0 = FaultRates() } }
    func heal() { rates.withLock { $0 = .none } }
    func throwDice(_ rate: (FaultRates) -> Int) -> Bool { seed.below(1_000) < rate(rates.withLock { $0 }) }
}

/// Where a process meets the world: whoever comes here waits for their turn, and for the end of a stand-still of the whole process.
struct Seam {
    let process: SimulatedProcess
    let dice: Dice
    let clock: VirtualClock
    let scheduler: Scheduler
    /// How far the process's own clock is ahead.
    let skew: @Sendable () -> Duration
    let disk: Disk
    let endedGrants: EndedGrants

    func pass() async {
        await scheduler.turn()
        await thaw()
    }

    /// Lets time pass for a loop of this process.
    func pause(_ time: Duration) async {
        await scheduler.pause()
        clock.advance(by: time)
        await thaw()
    }

    /// The machine stops the process now and then in the middle of a call: often it is gone on without when it wakes, its claim included.
    func passCall() async {
        if dice.throwDice(\.stop) { process.stop(until: clock.now + .seconds(dice.seed.pick(SimulatedProcess.stops))) }
        await pass()
    }

    private func thaw() async {
        while process.isStopped(at: clock.now) {
            await scheduler.pause()
            clock.advance(by: .milliseconds(200))
        }
    }

    /// A deadline of the process, by the true time.
    func deadline(_ own: Instant) -> Instant { own - skew() }
}

/// The disk of all servers: full, for a while.
final class Disk: Sendable {
    private let fullUntil = Mutex(Instant(microseconds: 0))
    func fill(until end: Instant) { fullUntil.withLock { $0 = end } }
    func isFull(at now: Instant) -> Bool { fullUntil.withLock { now < $0 } }
}

/// A way to the providers that times out, is cut, or whose caller dies or stands still before or after the request.
struct FaultyTransport: Transport {
    let sandbox: SandboxTransport
    let zoom: ZoomSandbox
    let seam: Seam

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        var request = request
        request.deadline = seam.deadline(request.deadline)
        await seam.passCall()
        if seam.process.isDead { throw .notSent("dead") }
        if seam.dice.throwDice(\.crash) { throw died() }
        guard seam.clock.now < request.deadline else { throw .notSent("no time was left") }
        if seam.dice.throwDice(\.transport) { return try await fault(request) }
        let user = asksForGrant(request)
        let response = try await carriedOut(request)
        // Whoever dies while it reads the answer takes the new pair with it.
        if let user { seam.process.gotGrant(of: user) }
        await seam.passCall()
        if seam.process.isDead || seam.dice.throwDice(\.crash) { throw died() }
        return response
    }

    /// The user for whom Zoom gives a new pair of tokens, and ends the one before.
    private func asksForGrant(_ request: HTTPRequest) -> String? {
        guard request.url.hasPrefix(SandboxTransport.zoomOAuthURL) else { return nil }
        return zoom.user(asking: String(decoding: request.body, as: UTF8.self))
    }

    private func carriedOut(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let user = asksForGrant(request)
        let response: HTTPResponse
        do throws(TransportError) { response = try await sandbox.send(request) } catch {
            if let user { seam.endedGrants.add(user) }
            throw error
        }
        guard let user else { return response }
        if isForCode(request), response.status == 200 { seam.endedGrants.begin(user) }
        if response.status >= 500 || seam.process.isDead { seam.endedGrants.add(user) }
        return response
    }

    private func isForCode(_ request: HTTPRequest) -> Bool {
        String(decoding: request.body, as: UTF8.self).contains("grant_type=authorization_code")
    }

    private func fault(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        switch seam.dice.seed.below(5) {
        case 0: throw .notSent("simulated refusal")
        case 1: return try await arriveAfterDeath(request)
        case 2:
            try await loseAnswer(request)
            throw .unclear("simulated cut")
        case 3: try await loseAnswer(request)
        default: break
        }
        // The answer comes too late, or nothing was done.
        await seam.pass()
        seam.clock.advance(to: request.deadline)
        throw .unclear("simulated time-out")
    }

    private func loseAnswer(_ request: HTTPRequest) async throws(TransportError) {
        let user = asksForGrant(request)
        _ = try await carriedOut(request)
        if let user { seam.endedGrants.add(user) }
    }

    /// The process dies, and what it has sent is on its way still, until its deadline at the latest.
    private func arriveAfterDeath(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        seam.process.crash()
        await seam.scheduler.pause()
        if seam.clock.now < request.deadline { try await loseAnswer(request) }
        throw .unclear("dead")
    }

    private func died() -> TransportError {
        seam.process.crash()
        return .unclear("dead")
    }
}

/// A mail system that refuses, delays, loses the answer, or whose caller dies before or after it took the mail.
struct FaultyMailer: Mailer {
    let recorder: MailRecorder
    let refused: RefusedMails
    let seam: Seam

    func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome {
        let end = seam.clock.now + limit
        await seam.pass()
        if seam.process.isDead { return .later("dead") }
        guard seam.clock.now < end else { return .later("no time was left") }
        if seam.dice.throwDice(\.crash) { return died() }
        if seam.dice.throwDice(\.mail) {
            switch seam.dice.seed.below(10) {
            case 0:
                refused.add(mail.id)
                return .refused("simulated 550")
            case 1...3: return .later("simulated 451")
            case 4...6: return .unclear("simulated cut, not taken")
            default:
                recorder.keep(mail)
                return .unclear("simulated cut, taken")
            }
        }
        recorder.keep(mail)
        await seam.pass()
        if seam.process.isDead || seam.dice.throwDice(\.crash) { return died() }
        return .accepted
    }

    private func died() -> DeliveryOutcome {
        seam.process.crash()
        return .unclear("dead")
    }
}

/// Mails that were refused for good.
final class RefusedMails: Sendable {
    private let list = Mutex<Set<String>>([])
    var ids: Set<String> { list.withLock { $0 } }
    func add(_ id: String) { list.withLock { _ = $0.insert(id) } }
}

/// A program that is notified of events, and refuses, is cut off, or whose caller dies before or after it took one.
struct FaultyReceiver: Transport {
    let receiver: TestReceiver
    /// Whether it says now and then that it is gone for good.
    let mayEnd: Bool
    let seam: Seam

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let deadline = seam.deadline(request.deadline)
        await seam.pass()
        if seam.process.isDead { throw .notSent("dead") }
        guard seam.clock.now < deadline else { throw .notSent("no time was left") }
        if seam.dice.throwDice(\.crash) { throw died() }
        if seam.dice.throwDice(\.mail) {
            switch seam.dice.seed.below(3) {
            case 0: return HTTPResponse(status: mayEnd && seam.dice.seed.chance(30) ? 410 : 503)
            case 1: throw .notSent("simulated refusal")
            default:
                _ = try await receiver.send(request)
                throw .unclear("simulated cut, taken")
            }
        }
        let response = try await receiver.send(request)
        await seam.pass()
        if seam.process.isDead || seam.dice.throwDice(\.crash) { throw died() }
        return response
    }

    private func died() -> TransportError {
        seam.process.crash()
        return .unclear("dead")
    }
}
