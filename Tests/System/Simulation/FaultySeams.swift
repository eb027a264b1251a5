import Foundation
import ProviderSandbox
import Synchronization
import TestSupport
import UsherCore

/// The process died here: nothing that it does from now on has any effect.
struct SimulatedCrash: Error {}

/// One process of a simulated run: once dead, it stays dead, and every seam it holds refuses it.
final class SimulatedProcess: Sendable {
    private let dead = Mutex(false)
    var isDead: Bool { dead.withLock { $0 } }
    func crash() { dead.withLock { $0 = true } }
}

/// What goes wrong, and how often in a hundred times.
struct FaultRates: Sendable {
    var crash = 2
    var database = 2
    var transport = 15
    var mail = 12
    var pause = 3
    var read = 1
    static let none = FaultRates(crash: 0, database: 0, transport: 0, mail: 0, pause: 0, read: 0)
}

/// The dice of a run: every fault is thrown from one seed, and can be switched off for the time of healing.
final class Dice: Sendable {
    let seed: Seed
    private let rates = Mutex(FaultRates.none)
    init(_ seed: Seed) { self.seed = seed }
    func begin() { rates.withLock { $0 = FaultRates() } }
    func heal() { rates.withLock { $0 = .none } }
    func throwDice(_ rate: (FaultRates) -> Int) -> Bool { seed.chance(rate(rates.withLock { $0 })) }
}

/// A database that is locked, loses the answer of a commit, or whose caller dies before or after one.
struct FaultyDatabase: Database {
    let database: any Database
    let process: SimulatedProcess
    let dice: Dice

    func write<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try check()
        if dice.throwDice(\.crash) { throw died() }
        if dice.throwDice(\.database) { throw DatabaseError(.busy, "simulated") }
        let result = try await database.write(body)
        try check()
        if dice.throwDice(\.crash) { throw died() }
        if dice.throwDice(\.database) { throw DatabaseError(.unclear, "simulated") }
        return result
    }

    func read<Result: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> Result) async throws -> Result {
        try check()
        if dice.throwDice(\.read) { throw DatabaseError(.busy, "simulated") }
        return try await database.read(body)
    }

    func announce(process id: String) throws {}
    func isDead(process id: String) -> Bool { false }
    func close() async throws {}

    private func check() throws { if process.isDead { throw SimulatedCrash() } }
    private func died() -> SimulatedCrash {
        process.crash()
        return SimulatedCrash()
    }
}

/// A way to Zoom that times out, is cut, or whose caller dies or sleeps before or after the request.
struct FaultyTransport: Transport {
    let sandbox: SandboxTransport
    let process: SimulatedProcess
    let dice: Dice
    let clock: VirtualClock
    /// Lets others work while this process sleeps.
    let pause: @Sendable () async -> Void

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        if process.isDead { throw .notSent("dead") }
        if dice.throwDice(\.crash) { throw died() }
        if dice.throwDice(\.pause) { await pause() }
        guard clock.now < request.deadline else { throw .notSent("no time was left") }
        if dice.throwDice(\.transport) { return try await fault(request) }
        let response = try await sandbox.send(request)
        if dice.throwDice(\.pause) { await pause() }
        if dice.throwDice(\.crash) { throw died() }
        return response
    }

    private func fault(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        switch dice.seed.below(3) {
        case 0: throw .notSent("simulated refusal")
        case 1:
            // The request is carried out, and its answer comes too late.
            _ = try await sandbox.send(request)
            clock.advance(to: request.deadline)
            throw .unclear("simulated time-out")
        default:
            clock.advance(to: request.deadline)
            throw .unclear("simulated time-out before anything was done")
        }
    }

    private func died() -> TransportError {
        process.crash()
        return .unclear("dead")
    }
}

/// A mail system that refuses, delays, loses the answer, or whose caller dies before or after it took the mail.
struct FaultyMailer: Mailer {
    let recorder: MailRecorder
    let process: SimulatedProcess
    let dice: Dice

    func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome {
        if process.isDead { return .later("dead") }
        if dice.throwDice(\.crash) { return died() }
        if dice.throwDice(\.mail) {
            switch dice.seed.below(3) {
            case 0: return .later("simulated 451")
            case 1: return .unclear("simulated cut, not taken")
            default:
                recorder.keep(mail)
                return .unclear("simulated cut, taken")
            }
        }
        recorder.keep(mail)
        if dice.throwDice(\.crash) { return died() }
        return .accepted
    }

    private func died() -> DeliveryOutcome {
        process.crash()
        return .unclear("dead")
    }
}

/// A program that is told of events, and refuses, is cut off, or whose caller dies before or after it took one.
struct FaultyReceiver: Transport {
    let receiver: TestReceiver
    let process: SimulatedProcess
    let dice: Dice

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        if process.isDead { throw .notSent("dead") }
        if dice.throwDice(\.crash) { throw died() }
        if dice.throwDice(\.mail) {
            switch dice.seed.below(3) {
            case 0: return HTTPResponse(status: 503)
            case 1: throw .notSent("simulated refusal")
            default:
                _ = try await receiver.send(request)
                throw .unclear("simulated cut, taken")
            }
        }
        let response = try await receiver.send(request)
        if dice.throwDice(\.crash) { throw died() }
        return response
    }

    private func died() -> TransportError {
        process.crash()
        return .unclear("dead")
    }
}
