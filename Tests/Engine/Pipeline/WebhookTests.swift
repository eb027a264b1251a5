import Foundation
import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

/// Programs that are told of events.
@Suite(.timeLimit(.minutes(2)))
struct WebhookTests {
    private func listening(_ engine: TestEngine, _ events: [String]? = nil) async throws -> WebhookService.Shown {
        try await WebhookService(engine.context).create(url: "https://crm.example/hook", events: events).value
    }

    @Test("a signature is the one that the standard's own vector shows")
    func vector() throws {
        // https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests
        let header = try WebhookSignature.header(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8),
            secrets: [Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
        #expect(header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("a booking's life is told in order, each event once, with the booking as the API shows it")
    func life() async throws {
        let engine = try await TestEngine()
        _ = try await listening(engine)
        let id = try await engine.booked().booking.id
        _ = try await engine.service.reschedule(id, to: "2026-12-02T10:00:00Z")
        _ = try await engine.worker.pump()
        _ = try await engine.service.cancel(id)
        _ = try await engine.service.cancel(id)
        _ = try await engine.worker.pump()
        #expect(
            engine.receiver.types == [
                "booking.confirmed", "meeting.ready", "booking.rescheduled", "meeting.ready", "booking.cancelled",
            ])
        let ready = try JSON(parsing: engine.receiver.received[1].body)["data"]
        #expect(ready?["id"]?.string == id && ready?["meeting"]?["joinUrl"]?.string?.hasPrefix("https://") == true)
        #expect(Set(engine.receiver.received.map { $0.headers.first { $0.name == "webhook-id" }?.value }).count == 5)
        #expect(engine.receiver.received.allSatisfy { !String(decoding: $0.body, as: UTF8.self).contains("start_url") })
    }

    @Test("a move that brings another way in is told as changed and as ready")
    func movedAndChanged() async throws {
        let engine = try await TestEngine()
        _ = try await listening(engine)
        let id = try await engine.booked("fixed").booking.id
        engine.zoom.editAtPortal(engine.zoom.meetings[0].id) { $0.passcode = "998877" }
        _ = try await engine.service.reschedule(id, to: "2026-12-02T10:00:00Z")
        _ = try await engine.worker.pump()
        #expect(engine.receiver.types.suffix(3) == ["booking.rescheduled", "meeting.changed", "meeting.ready"])
    }

    @Test("what waits to be told lies sealed: it bears the links that let readers in")
    func sealed() async throws {
        let engine = try await TestEngine()
        let hook = try await listening(engine).webhook.id
        let view = try await engine.booked()
        let kept = try await engine.context.store.read { try $0.deliveries(of: hook, about: view.booking.id) }
        let token = try #require(view.joinPage.split(separator: "/").last.map(String.init))
        #expect(kept.count == 2 && kept.allSatisfy { $0.sealed.hasPrefix("v1.") && !$0.sealed.contains(token) })
        #expect(String(decoding: engine.receiver.received[0].body, as: UTF8.self).contains(token))
    }

    @Test("what keeps a room from being made is told as blocked, and a connection's ups and downs are told")
    func trouble() async throws {
        let engine = try await TestEngine()
        _ = try await listening(engine)
        _ = try await engine.booked("mine")
        #expect(engine.receiver.types == ["booking.confirmed", "meeting.blocked"])
        _ = try await engine.connect()
        _ = try await engine.worker.pump()
        #expect(engine.receiver.types.suffix(2).sorted() == ["connection.connected", "meeting.ready"])
        try await Connections(engine.context).disconnect(owner: "ana", provider: "zoom")
        _ = try await engine.worker.pump()
        #expect(engine.receiver.types.last == "connection.removed")
        let told = try JSON(parsing: engine.receiver.received.last?.body ?? [])["data"]
        #expect(told?["owner"]?["id"] == "ana" && told?["connection"]?["account"]?["email"] == "ana@northwind.example")
    }

    @Test("an event that is not taken is sent again under its id as the schedule says, and those behind it wait their turn")
    func retries() async throws {
        let engine = try await TestEngine()
        _ = try await listening(engine, ["booking.confirmed", "booking.cancelled"])
        engine.receiver.answer(.success(HTTPResponse(status: 500)), .failure(.unclear("cut")), .success(HTTPResponse(status: 302)))
        let id = try await engine.booked().booking.id
        _ = try await engine.service.cancel(id)
        _ = try await engine.worker.pump()
        #expect(engine.receiver.types == ["booking.confirmed"])
        for wait in RetryPolicy.webhookSchedule.prefix(3) {
            engine.clock.advance(by: wait * 12 / 10)
            _ = try await engine.worker.pump()
        }
        #expect(
            engine.receiver.types == [
                "booking.confirmed", "booking.confirmed", "booking.confirmed", "booking.confirmed", "booking.cancelled",
            ])
        let ids = engine.receiver.received.map { $0.headers.first { $0.name == "webhook-id" }?.value }
        #expect(Set(ids.prefix(4)).count == 1 && ids[4] != ids[0])
    }

    @Test("an event that was written while its webhook was being turned off has failed, like those before it, and waits for nobody")
    func turnedOffMeanwhile() async throws {
        let engine = try await TestEngine()
        let hook = try await listening(engine, ["booking.confirmed"]).webhook
        let view = try await engine.service.book(TestEngine.request(at: "2026-12-02T10:00:00Z")).value
        // The transaction that wrote it saw the webhook as it was before.
        try await engine.context.store.write { tx in
            var off = try #require(try tx.lockWebhook(hook.id))
            (off.state, off.problem) = (.disabled, "it answered 410: gone")
            try tx.setState(off)
        }
        _ = try await engine.worker.pump()
        let events = try await engine.context.store.read { try $0.deliveries(of: hook.id, about: view.booking.id) }
        #expect(events.map(\.state) == [.failed])
        #expect(events.first?.problem == "the webhook was turned off")
        #expect(engine.receiver.types.isEmpty)
    }

    @Test("Retry-After is obeyed; after the last try an event has failed, and a replay sends it once more")
    func givesUp() async throws {
        let engine = try await TestEngine()
        let service = WebhookService(engine.context)
        let hook = try await listening(engine, ["booking.confirmed"]).webhook
        engine.receiver.answer(.success(HTTPResponse(status: 429, headers: [("Retry-After", "3600")])))
        for _ in RetryPolicy.webhookSchedule { engine.receiver.answer(.success(HTTPResponse(status: 503))) }
        _ = try await engine.booked()
        engine.clock.advance(by: .minutes(50))
        _ = try await engine.worker.pump()
        #expect(engine.receiver.received.count == 1)
        for wait in RetryPolicy.webhookSchedule {
            engine.clock.advance(by: wait * 12 / 10 + .minutes(15))
            _ = try await engine.worker.pump()
        }
        let failed = try await service.deliveries(of: hook.id, before: nil, limit: 10).items
        #expect(failed.map(\.state) == [.failed] && failed.first?.attempts == 10 && failed.first?.problem == "answered 503")
        #expect(try await service.webhook(hook.id).problem == "it has taken nothing for days")
        _ = try await service.enable(hook.id)
        _ = try await service.replay(failed[0].id, of: hook.id)
        _ = try await engine.worker.pump()
        #expect(try await service.deliveries(of: hook.id, before: nil, limit: 10).items.first?.state == .sent)
        #expect(Set(engine.receiver.received.map { $0.headers.first { $0.name == "webhook-id" }?.value }).count == 1)
    }

    @Test("410 turns a webhook off, and so do days without a yes; turned on again it is told of what comes")
    func disabled() async throws {
        let engine = try await TestEngine()
        let service = WebhookService(engine.context)
        let hook = try await listening(engine, ["booking.confirmed"]).webhook
        engine.receiver.answer(.success(HTTPResponse(status: 410)))
        _ = try await engine.booked("open")
        _ = try await engine.booked("open")
        let off = try await service.webhook(hook.id)
        #expect(off.state == .disabled && off.problem == "it answered 410: gone")
        #expect(engine.receiver.received.count == 1)
        let missed = try await service.deliveries(of: hook.id, before: nil, limit: 10).items
        #expect(missed.map(\.state) == [.failed, .failed])
        await #expect(throws: UsherError.self) { try await service.replay(missed[0].id, of: hook.id) }
        _ = try await service.enable(hook.id)
        for delivery in missed.reversed() { _ = try await service.replay(delivery.id, of: hook.id) }
        _ = try await engine.booked("open")
        #expect(engine.receiver.received.count == 4)
        #expect(try await service.webhook(hook.id).state == .active)
    }

    @Test("after a rotation both secrets sign for a day, then the new one alone")
    func rotation() async throws {
        let engine = try await TestEngine()
        let first = try await listening(engine, ["booking.confirmed"])
        let second = try await WebhookService(engine.context).rotate(first.webhook.id).value
        #expect(first.secret != second.secret)
        _ = try await engine.booked("open")
        engine.clock.advance(by: .hours(25))
        _ = try await engine.booked("open", at: "2026-12-03T10:00:00Z")
        let signatures = engine.receiver.received.map { $0.headers.first { $0.name == "webhook-signature" }?.value ?? "" }
        #expect(signatures.map { $0.split(separator: " ").count } == [2, 1])
    }

    @Test("a webhook is made once for a key, with every finding at once, and addresses of the house are refused")
    func made() async throws {
        let engine = try await TestEngine()
        let service = WebhookService(engine.context)
        let key = IdempotencyKey(scope: "k", key: "1", fingerprint: "a")
        let first = try await service.create(url: "https://crm.example/", events: nil, repeating: key)
        let again = try await service.create(url: "https://crm.example/", events: nil, repeating: key)
        #expect(!first.isReplay && again.isReplay && first.value.secret == again.value.secret)
        #expect(try await service.list().count == 1)
        let error = await #expect(throws: UsherError.self) {
            try await service.create(url: "http://crm.example/", events: ["booking.confirmd", "meeting.ready"])
        }
        #expect(error?.findings.map(\.pointer) == ["/url", "/events/0"])
        #expect(error?.findings.last?.detail.contains("did you mean 'booking.confirmed'?") == true)
        for url in Addresses.refused {
            let refused = await #expect(throws: UsherError.self, "\(url)") { try await service.create(url: url, events: nil) }
            #expect(refused?.findings.first?.pointer == "/url")
        }
    }

    @Test("an address is public or it is not", arguments: Addresses.known)
    func addresses(_ text: String, _ isPublic: Bool) {
        #expect(NetworkAddress.bytes(text).map(NetworkAddress.isPublic) == isPublic)
    }
}

private enum Addresses {
    static let refused = [
        "https://127.0.0.1/", "https://10.1.2.3/", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://2130706433/",
        "https://0x7f.1/", "https://user@crm.example/", "https://crm.example/#x", "ftp://crm.example/", "https:///x", "",
    ]
    static let known = [
        ("8.8.8.8", true), ("93.184.216.34", true), ("2606:4700::1111", true), ("127.0.0.1", false), ("0.0.0.0", false),
        ("10.0.0.1", false), ("100.64.0.1", false), ("172.16.0.1", false), ("172.32.0.1", true), ("192.168.1.1", false),
        ("198.18.0.1", false), ("224.0.0.1", false), ("255.255.255.255", false), ("::1", false), ("::ffff:8.8.8.8", false),
        ("fe80::1", false), ("fd00::1", false), ("64:ff9b::7f00:1", false), ("2002:7f00:1::", false), ("2001:db8::1", false),
    ]
}
