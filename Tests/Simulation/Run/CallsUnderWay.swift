import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import UsherCore
import UsherPipeline
import UsherStore

/// What happens while a call is under way, at the narrowest moment: in the troubled time a run seldom comes to it.
extension SimulatedRun {
    func checkCallsUnderWay() async throws {
        if !hasDailyLimit { try await lookByAnotherClock() }
        if isConnected("ana", "meet"), !hasDailyLimit { try await cancelDuringMove() }
        if isConnected("ana", "zoom"), !endedGrants.contains("ana@northwind.example"), !hasDailyLimit { try await connectDuringRenewal() }
    }

    /// The answer to a create is lost, and a server whose clock is ten seconds ahead looks for the room before it is listed.
    private func lookByAnotherClock() async throws {
        let delay = zoom.listDelay
        defer { zoom.change { $0.listDelay = delay } }
        zoom.change { $0.listDelay = .seconds(9) }
        let id = try await bookInCalm("fixed", in: .days(320), try undisturbed(skew: .seconds(-5)))
        let creator = try meanwhile(skew: .seconds(-5)) {
            $0.method == "POST" && $0.url.hasSuffix("/meetings")
        } do: {
            [self] carryOut in
            zoom.inject(.cutAfter)
            return try await carryOut()
        }
        for work in try await creator.claim(limit: 64) { await creator.run(work) }
        let ahead = try undisturbed(skew: .seconds(5))
        if try await !within(.minutes(1), Worker(ahead), { try await isTold(id, ahead) }) {
            add("\(id), whose room nobody had heard of, is not ready within a minute")
        }
        let keys = try await ahead.store.read { try $0.rooms(of: id).map(\.key) }
        let made = zoom.meetings.filter { meeting in keys.contains { meeting.agenda.hasPrefix("[usher:\($0)]") } }
        if made.count != 1 { add("\(id) has \(made.count) rooms, because a clock was ahead") }
    }

    /// A meeting is cancelled while its event is moved on the owner's calendar, and that goes wrong: the event is gone at once, however
    /// long the calendar would have been left alone without the cancellation.
    private func cancelDuringMove() async throws {
        let context = try undisturbed()
        let id = try await bookInCalm("diary", in: .days(300), context)
        let isEntered = { try await context.store.read { try $0.calendarRecord(of: id)?.state == .made } }
        guard try await within(.minutes(1), Worker(context), isEntered) else {
            return add("\(id), booked when all was well, is not on the calendar within a minute")
        }
        let entry = try await context.store.read { try $0.calendarRecord(of: id)?.eventID } ?? ""
        let move = Instant(seconds: (clock.now + .days(301)).seconds / 3_600 * 3_600).rfc3339
        _ = try await BookingService(context).reschedule(id, to: move)
        let fault = dice.seed.pick([
            GoogleSandbox.Fault.refused(status: 403, reason: "insufficientPermissions"), .errorAfter(status: 503), .cutAfter,
        ])
        let mover = try meanwhile {
            $0.method == "PATCH" && $0.url.hasPrefix(SandboxTransport.googleAPIURL)
        } do: { [self] carryOut in
            _ = try await BookingService(context).cancel(id)
            // Another server does what follows, but for the event, which this one has in hand.
            while case let works = try await Worker(context).claim(limit: 64), !works.isEmpty {
                for work in works { await Worker(context).run(work) }
            }
            google.inject(fault)
            return try await carryOut()
        }
        if try await !within(.minutes(1), mover, { !google.live.contains(entry) }) {
            add("\(id), cancelled while its event was moved, is on the calendar a minute later")
        }
    }

    /// An owner connects anew while a server renews the tokens of before: the new ones stay.
    private func connectDuringRenewal() async throws {
        let context = try undisturbed()
        zoom.expireTokens()
        let id = try await bookInCalm("mine", in: .days(310), context)
        let renewer = try meanwhile {
            String(decoding: $0.body, as: UTF8.self).contains("grant_type=refresh_token")
        } do: {
            [self] carryOut in
            let response = try await carryOut()
            try await connect("ana", "zoom", context)
            return response
        }
        if try await !within(.minutes(1), renewer, { try await isTold(id, context) }) {
            add("\(id), booked while its owner connected anew, is not ready within a minute")
        }
    }

    private func add(_ violation: String) { state.withLock { $0.violations.append(violation) } }

    /// A worker on whose first matching call something happens.
    /// - Parameter body: carries the call out at its own time.
    private func meanwhile(
        skew: Duration = .zero, _ matches: @escaping @Sendable (HTTPRequest) -> Bool,
        do body: @escaping @Sendable (_ carryOut: @Sendable () async throws -> HTTPResponse) async throws -> HTTPResponse
    ) throws -> Worker {
        let isFirst = Mutex(true)
        return Worker(
            try undisturbed(skew: skew) { sandbox in
                SurroundedTransport { [self] request in
                    let carryOut: @Sendable () async throws -> HTTPResponse = { try await sandbox.send(request) }
                    guard matches(request), isFirst.withLock({ $0 }) else { return try await carryOut() }
                    isFirst.withLock { $0 = false }
                    do { return try await body(carryOut) } catch let error as TransportError { throw error } catch {
                        add("what was asked for during a call went wrong: \(error)")
                        throw TransportError.unclear("\(error)")
                    }
                }
            })
    }
}

/// A way to the providers on which other things happen, too.
private struct SurroundedTransport: Transport {
    let carryOut: @Sendable (HTTPRequest) async throws -> HTTPResponse

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        do { return try await carryOut(request) } catch let error as TransportError { throw error } catch {
            throw .unclear("\(error)")
        }
    }
}
