import Foundation
import Synchronization
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// Mails that are sent again: the same, or not at all.
@Suite(.timeLimit(.minutes(2)))
struct ResendTests {
    /// A look whose text begins otherwise.
    private func otherLook() throws -> MailLook {
        let folder = FileManager.default.temporaryDirectory.path + "/usher-look-" + Environment.system.code(bits: 80)
        try FileManager.default.createDirectory(atPath: folder + "/mail", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try ("Other words.\n" + MailLook().text).write(toFile: folder + "/mail/letter.txt.mustache", atomically: true, encoding: .utf8)
        let (look, findings) = MailLook.read(folder: folder, logo: nil, templates: "mail")
        #expect(findings.isEmpty, "\(findings)")
        return look
    }

    @Test("a mail whose delivery was unclear is sent again as it was, though the templates are others by then")
    func sameBytes() async throws {
        let outcomes = Outcomes([.unclear("cut"), .unclear("cut"), .unclear("cut again")])
        let engine = try await TestEngine(mail: { outcomes.next($0) })
        let id = try await engine.booked().booking.id
        try engine.context.renderer.adopt(try otherLook())
        try await engine.run(for: .hours(1))
        let copies = Dictionary(grouping: zip(outcomes.ids, outcomes.bytes), by: \.0)
        #expect(copies.count == 2 && outcomes.ids.count == 5)
        #expect(copies.values.allSatisfy { Set($0.map(\.1)).count == 1 })
        let mails = try await engine.service.view(id).mails
        #expect(mails.allSatisfy { $0.state == .sent && $0.kept.isEmpty }, "once it is clear nothing is kept")
        _ = try await engine.service.reschedule(id, to: "2026-12-02T10:00:00Z")
        _ = try await engine.worker.pump()
        #expect(String(decoding: outcomes.bytes.last ?? [], as: UTF8.self).contains("Other words."))
    }

    @Test("what is kept of an unclear mail lies sealed: it bears the links that let readers in")
    func keptSealed() async throws {
        let engine = try await TestEngine(mail: { _ in .unclear("cut") })
        let mails = try await engine.booked().mails
        #expect(mails.allSatisfy { $0.kept.hasPrefix("v1.") && $0.maybeDelivered })
    }

    @Test("a mail that was on its way when its process died is not sent as another one: somebody is told, and a retry sends it")
    func notAnother() async throws {
        let engine = try await TestEngine()
        let id = try await engine.service.book(TestEngine.request("open")).value.booking.id
        for work in try await engine.worker.claim(limit: 1) { _ = await engine.worker.perform(work) }
        #expect(try await engine.context.store.read { try $0.mails(of: id) }.map(\.state) == [.sending, .sending])
        try engine.context.renderer.adopt(try otherLook())
        engine.clock.advance(by: .minutes(2))
        _ = try await engine.worker.pump()
        let mails = try await engine.service.view(id).mails
        #expect(mails.map(\.state) == [.failed, .failed] && mails[0].problem?.contains("may have arrived") == true)
        #expect(engine.mailer.taken.isEmpty)
        _ = try await engine.service.retry(id)
        _ = try await engine.worker.pump()
        #expect(try await engine.service.view(id).mails.map(\.state) == [.sent, .sent])
    }

    private final class Limits: Mailer {
        private let state = Mutex<[Duration]>([])
        var all: [Duration] { state.withLock { $0 } }
        func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome {
            state.withLock { $0.append(limit) }
            return .accepted
        }
    }

    @Test("a delivery ends before its claim does, however late it was begun")
    func deadline() async throws {
        let engine = try await TestEngine()
        let limits = Limits()
        let context = try TestEngine.context(
            database: engine.context.store.database, transport: engine.context.transport, mailer: limits, clock: engine.clock,
            seed: engine.seed, catalog: engine.context.catalog.current)
        _ = try await engine.service.book(TestEngine.request("later"))
        let works = try await Worker(context).claim(limit: 1)
        engine.clock.advance(by: .seconds(15))
        for work in works { await Worker(context).run(work) }
        #expect(limits.all == [.seconds(25), .seconds(25)])
    }
}
