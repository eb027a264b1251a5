import Foundation
import ProviderSandbox
import Synchronization
import TestSupport
import TestValues
import UsherCore
import UsherPipeline
import UsherStore

/// What people and programs do.
extension SimulatedRun {
    func act() async {
        if dice.seed.chance(4) {
            disk.fill(until: clock.now + .seconds(dice.seed.pick([5, 30, 90])))
            tally("disk.full")
        }
        if dice.seed.chance(6) {
            anyServer()?.process.stop(until: clock.now + .seconds(dice.seed.pick(SimulatedProcess.stops)))
            tally("process.stopped")
        }
        switch dice.seed.below(21) {
        case 0, 1, 2, 3: await bookSomething()
        case 4, 5: await person { try await self.move($0.service) }
        case 6, 7, 8: await person { try await self.cancel($0.service) }
        case 9: await person { try await self.retry($0.service) }
        case 10: await person { try await self.enter($0.service) }
        case 11 where mood.reconnects, 12 where mood.reconnects, 13 where mood.reconnects:
            await person { try await self.changeConnections($0.context) }
        case 11 where mood.drifts, 12 where mood.drifts: await person { try await self.interfere($0) }
        case 14: await person { try await self.reload($0.context) }
        case 15: await person { try await self.changeWebhook($0.context) }
        case 16: await person { try await self.command($0) }
        case 17: await person { try await self.hold($0.context) }
        case 18: await bookHeld()
        case 19, 20: await changeCalendars()
        default: serviceTrouble()
        }
    }

    /// What a person asks for may fail, and a program that asks for them tries again.
    private func person(_ body: (Server) async throws -> Void) async {
        for _ in 0..<4 {
            guard let server = anyServer() else { return }
            do {
                try await body(server)
                return
            } catch let error as UsherError {
                if error.code == .internalError { state.withLock { $0.violations.append("somebody was told: \(error.message)") } }
                return
            } catch { await scheduler.turn() }
        }
    }

    // MARK: Bookings

    static let types = [
        "fixed", "fixed", "safe", "safe", "safe", "consultation", "open", "later", "later", "healing", "mine", "meet", "teams", "diary",
        "hall", "stage", "slotted",
    ]

    private func bookSomething() async {
        let call = state.withLock { state -> Call in
            // Now and then a program calls again while the first call is under way, or long after.
            if let former = state.calls.last, dice.seed.chance(15) { return former }
            let start = Instant(seconds: (clock.now + .minutes(Int64(dice.seed.pick([3, 20, 90, 3_000])))).seconds / 60 * 60)
            let type = dice.seed.chance(50) ? mood.favourite : dice.seed.pick(Self.types)
            // Eva has an account at Zoom alone.
            let others = type == "mine" ? ["eva"] : ["eva", "tom"]
            var owner = ["meet", "teams", "diary"].contains(type) ? "ana" : dice.seed.pick(["ana", "ana", "ana"] + others)
            // Whose turn it is, or somebody who is asked for.
            if type == "slotted", owner == "eva" || dice.seed.chance(70) { owner = "" }
            let call = Call(
                key: "key-\(state.calls.count)",
                request: TestEngine.request(type, owner: owner, at: start.rfc3339))
            state.calls.append(call)
            return call
        }
        await person { try await self.book(call, $0.service) }
    }

    func book(_ call: Call, _ service: BookingService) async throws {
        let key = IdempotencyKey(scope: "test", key: call.key, fingerprint: "\(call.request)")
        let id = try await service.book(call.request, repeating: key).value.booking.id
        state.withLock { state in
            guard let index = state.calls.firstIndex(where: { $0.key == call.key }) else { return }
            if let former = state.calls[index].booking, former != id { state.violations.append("\(call.key) made \(former) and \(id)") }
            state.calls[index].booking = id
        }
    }

    // MARK: Holds

    /// Clocks of servers may differ by so much, and a hold ends by one of them.
    static let clockTolerance = Duration.seconds(15)

    private func hold(_ context: EngineContext) async throws {
        let start = Instant(seconds: (clock.now + .minutes(Int64(dice.seed.pick([20, 25, 50, 90])))).seconds / 60 * 60)
        try await hold(dice.seed.chance(50) ? nil : "ana", at: start, context)
    }

    func hold(_ owner: String?, at start: Instant, _ context: EngineContext) async throws {
        let held = try await HoldService(context).hold(HoldRequest(meetingType: "slotted", owner: owner, start: start.rfc3339)).value
        state.withLock { $0.holds.append(Held(id: held.id, expiresAt: held.expiresAt)) }
        tally("hold.made")
    }

    /// A hold that lives is booked: that always succeeds, unless its owner has left meanwhile.
    func bookHeld() async {
        let held = state.withLock { state -> Held? in
            guard let index = state.holds.lastIndex(where: { !$0.isBooked }) else { return nil }
            state.holds[index].isBooked = true
            return state.holds[index]
        }
        guard let held else { return }
        var request = TestEngine.request("", owner: "", at: "")
        request.hold = held.id
        let call = state.withLock { [request] state in
            let call = Call(key: "key-\(state.calls.count)", request: request)
            state.calls.append(call)
            return call
        }
        await person { server in
            do {
                try await self.book(call, server.service)
                self.tally("hold.booked")
            } catch let error as UsherError {
                if [.bookingUnavailable, .bookingConflict, .holdExpired].contains(error.code),
                    self.clock.now + Self.clockTolerance < held.expiresAt
                {
                    self.state.withLock { $0.violations.append("\(held.id) lives, and was refused: \(error.message)") }
                }
                throw error
            }
        }
    }

    /// A booking that somebody has something to do with.
    private func anyBooking() throws -> String {
        let ids = bookings
        guard !ids.isEmpty else { throw UsherError(.notFound, "There is no booking yet.") }
        return dice.seed.pick(ids)
    }

    private func move(_ service: BookingService) async throws {
        let id = try anyBooking()
        let first = state.withLock { $0.calls.first { $0.booking == id }?.request.start } ?? ""
        // Now and then back to where it was, perhaps before the first move has reached its provider.
        let isBack = dice.seed.chance(30) && !first.isEmpty
        let start = isBack ? first : Instant(seconds: (clock.now + .minutes(Int64(60 + dice.seed.below(5_000)))).seconds / 60 * 60).rfc3339
        let move = state.withLock { $0.moves.begin(id, to: start) }
        do { _ = try await service.reschedule(id, to: start) } catch let error as UsherError where Self.refusals.contains(error.code) {
            state.withLock { $0.moves.refused(move, of: id) }
            throw error
        }
        state.withLock { $0.moves.answered(move, of: id) }
    }

    private func cancel(_ service: BookingService) async throws {
        let id = try anyBooking()
        _ = try await service.cancel(id)
        state.withLock { _ = $0.cancelled.insert(id) }
    }
    private func enter(_ service: BookingService) async throws { _ = try await service.enter(try anyBooking()) }
    private func retry(_ service: BookingService) async throws { _ = try await service.retry(try anyBooking()) }

    /// A command that does its own booking's work beside the servers.
    private func command(_ server: Server) async throws {
        let worker = Worker(server.context)
        for work in try await worker.claim(booking: try anyBooking()) { await worker.run(work) }
    }

    // MARK: Providers

    /// Somebody takes a room away where it was made, or moves it, and the service may tell of it.
    private func interfere(_ server: Server) async throws {
        let booking = try await server.service.view(try anyBooking()).booking
        let id = try await server.context.store.read { try $0.rooms(of: booking.id).last?.roomID } ?? ""
        guard booking.status == .confirmed, let room = booking.meeting.room, !id.isEmpty else { return }
        let drift = state.withLock { $0.drifted.add(booking.id) }
        var move: Int?
        switch booking.meeting.module {
        case "zoom-s2s", "zoom":
            guard let id = Int64(room.meetingID) else { return }
            if dice.seed.chance(40) {
                move = state.withLock { $0.moved.add(booking.id) }
                zoom.editAtPortal(id) { $0.start = $0.start + .minutes(15) }
            } else {
                zoom.deleteAtPortal(id)
            }
        case "google-meet": google.deleteByHand(id)
        case "microsoft-teams": microsoft.deleteByHand(id)
        default: break
        }
        guard dice.seed.chance(50) else { return }
        // Of a room that goes shortly before its meeting's end nobody may hear in time.
        let mayBeTooLate = booking.end - clock.now < .minutes(15)
        try await ProviderEvents(server.context).touched(id)
        tally("drift.told")
        // From here on the engine knows, and whatever the type says is done.
        state.withLock { state in
            if !mayBeTooLate { state.drifted.end(drift, of: booking.id) }
            if let move, booking.terms.type.onDrift == .recreate { state.moved.end(move, of: booking.id) }
        }
    }

    /// What servers hold is refused from now on. No service refuses a token that it has just given.
    private func expireTokens() {
        zoom.expireTokens(olderThan: .minutes(2))
        google.expireTokens(olderThan: .minutes(2))
        microsoft.expireTokens(olderThan: .minutes(2))
    }

    /// A service has a bad moment; troubles often come in a row.
    private func serviceTrouble() {
        if dice.seed.chance(30) { expireTokens() }
        for _ in 0..<dice.seed.pick([1, 2, 3]) { injectFaults() }
    }

    private func injectFaults() {
        google.inject(
            dice.seed.pick([
                .refused(status: 403, reason: "rateLimitExceeded"), .errorAfter(status: 500), .cutBefore, .cutAfter,
            ]))
        microsoft.inject(
            dice.seed.pick([
                .refused(status: 429, retryAfter: 5), .refused(status: 503, retryAfter: nil),
                .errorAfter(status: 500), .cutBefore, .cutAfter,
            ]))
    }

    static let services: [(provider: String, service: String)] = [("zoom", "zoom"), ("meet", "google"), ("teams", "microsoft")]

    /// An owner connects an account, or disconnects it here or at the service.
    private func changeConnections(_ context: EngineContext) async throws {
        let owner = dice.seed.pick(["ana", "eva"])
        let provider = owner == "eva" ? "zoom" : dice.seed.pick(Self.services).provider
        switch dice.seed.below(5) {
        case 0:
            try await disconnecting(owner, provider) { _ = try await Connections(context).disconnect(owner: owner, provider: provider) }
        case 1:
            try await disconnecting(owner, "zoom") {
                zoom.removeApp(of: "\(owner)@northwind.example")
                try await deauthorized(owner, context)
            }
        case 2:
            if dice.seed.chance(50) {
                try await disconnecting("eva", "zoom") { try await OwnerService(context).remove("eva") }
            } else {
                try await addEva(context)
            }
        default: try await connectAgain(owner, provider, context)
        }
    }

    /// Servers find their tokens dead, and renew them while the owner agrees anew.
    private func connectAgain(_ owner: String, _ provider: String, _ context: EngineContext) async throws {
        // Each goes through one consent at a time.
        guard state.withLock({ $0.consenting.insert(owner).inserted }) else { return }
        defer { state.withLock { _ = $0.consenting.remove(owner) } }
        expireTokens()
        for _ in 0..<dice.seed.below(40) { await scheduler.turn() }
        try await connect(owner, provider, context)
    }

    /// What an owner has there may be out of reach from now on, and is so once this has been answered.
    private func disconnecting(_ owner: String, _ provider: String, _ body: () async throws -> Void) async throws {
        let end = { [self] in
            state.withLock { _ = $0.disconnected.insert(Account(owner: owner, provider: provider)) }
            if provider == "zoom" { endedGrants.add("\(owner)@northwind.example") }
        }
        end()
        defer { end() }
        try await body()
    }

    private func deauthorized(_ owner: String, _ context: EngineContext) async throws {
        let event = zoom.deauthorization(of: "\(owner)@northwind.example")
        let events = ProviderEvents(context)
        for (path, module) in events.paths where path.path == "/auth/zoom/deauthorize" {
            _ = try await events.receive(EventDelivery(headers: event.headers, body: event.body, now: clock.now), path, module)
        }
    }

    /// An owner who was made by the API, with a Zoom account of her own.
    func addEva(_ context: EngineContext) async throws {
        let eva = Owner(id: "eva", name: "Eva Lind", email: "eva@northwind.example", timeZone: "Europe/Stockholm", language: "en")
        _ = try await OwnerService(context).put(eva)
        try await connectAgain("eva", "zoom", context)
    }

    /// The way of a browser to the consent page and back.
    func connect(_ owner: String, _ provider: String, _ context: EngineContext) async throws {
        let consents = Consents(context)
        let begun = try await consents.begin(owner: owner, provider: provider, returnTo: "").value
        let browser = Secret("browser")
        let url = try await consents.start(begun.id, browser: browser)
        let query = String(url.split(separator: "?", maxSplits: 1)[1])
        let user = "\(owner)@northwind.example"
        let back =
            switch provider {
            case "zoom": zoom.decide(query, user: user)
            case "meet": google.decide(query, user: user)
            default: microsoft.decide(query, user: user)
            }
        let fields = Dictionary(
            (back.split(separator: "?", maxSplits: 1).last ?? "").split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { first, _ in first })
        let service = Self.services.first { $0.provider == provider }?.service ?? provider
        var isConnected = false
        // At Zoom a new grant ends the one before, whatever becomes of it here.
        defer { if provider == "zoom", !isConnected { endedGrants.add(user) } }
        let outcome = try await consents.finish(
            service: service, state: fields["state"], code: fields["code"], error: nil, browser: browser)
        if case .connected = outcome { isConnected = true }
    }

    // MARK: The admin

    /// The file has changed, and this server has seen it.
    private func reload(_ context: EngineContext) async throws {
        let isOther = dice.seed.chance(50)
        let file = isOther ? world.otherCatalog : world.catalog
        // With him goes his calendar.
        if isOther { calendars.forget("tom") }
        try await context.store.write { try context.follow(file.owners, $0) }
        context.catalog.put(file)
        tally("catalog.reloaded")
    }

    private func rotate(_ webhook: String, _ hooks: WebhookService) async throws {
        state.withLock { $0.lostSecrets += 1 }
        let made = try await hooks.rotate(webhook).value
        state.withLock { state in
            state.lostSecrets -= 1
            state.secrets.append(made.secret)
        }
    }

    /// Somebody has an event sent once more, changes the secret, or takes up again what was given up.
    private func changeWebhook(_ context: EngineContext) async throws {
        let hooks = WebhookService(context)
        let webhook = state.withLock { $0.webhook }
        switch dice.seed.below(3) {
        case 0: try await rotate(webhook, hooks)
        case 1: _ = try await hooks.enable(webhook)
        default:
            let log = try await hooks.deliveries(of: webhook, before: nil, limit: 10).items
            guard !log.isEmpty else { return }
            let id = dice.seed.pick(log).id
            state.withLock { _ = $0.replayed.insert(id) }
            _ = try await hooks.replay(id, of: webhook)
        }
    }
}
