import Foundation
import ProviderSandbox
import TestSupport
import TestValues
import Testing
import UsherCore
import UsherPipeline
import UsherStore

@Suite(.timeLimit(.minutes(2)))
struct NoticeTests {
    /// Subjects of the letters to Ana that are about no single booking's revision.
    private func subjects(_ engine: TestEngine) -> [String] {
        engine.mailer.taken.filter { $0.recipient == "ana@northwind.example" }.compactMap { mail in
            let text = String(decoding: mail.bytes, as: UTF8.self)
            guard !text.contains("text/calendar"), !text.contains("invite.ics") else { return nil }
            return text.split(separator: "\r\n").first { $0.hasPrefix("Subject: ") }.map { String($0.dropFirst(9)) }
        }
    }

    @Test("ten bookings that wait for one connection are one letter, with the way to connect")
    func oneLetter() async throws {
        let engine = try await TestEngine()
        for day in 1...10 {
            _ = try await engine.booked("mine", at: "2026-12-\(String(day + 9))T10:00:00Z")
        }
        try await engine.run(for: .minutes(1))
        #expect(subjects(engine) == ["Zoom needs you: connect your account"])
        let letter = String(
            decoding: try #require(engine.mailer.taken.first { !String(decoding: $0.bytes, as: UTF8.self).contains("calendar") }).bytes,
            as: UTF8.self)
        #expect(letter.contains("https://usher.example/owners/me"))
        try await engine.run(for: .hours(5))
        #expect(subjects(engine).count == 1)
    }

    @Test("a grant that dies is told once, and again only after it had been mended")
    func died() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        for round in 1...2 {
            engine.zoom.removeApp(of: "ana@northwind.example")
            engine.clock.advance(by: .hours(2))
            _ = try await engine.booked("mine", at: "2026-12-1\(round)T10:00:00Z")
            _ = try await engine.booked("mine", at: "2026-12-1\(round)T12:00:00Z")
            try await engine.run(for: .minutes(2))
            #expect(subjects(engine).count == round)
            _ = try await engine.connect()
            try await engine.run(for: .minutes(2))
        }
    }

    @Test("a connection through an app that was exchanged is told of, too")
    func otherApp() async throws {
        let engine = try await TestEngine()
        _ = try await engine.connect()
        try await engine.context.store.write { tx in
            var connection = try #require(try tx.connection(owner: "ana", provider: "zoom"))
            connection.clientID = "development-client"
            try tx.save(connection)
        }
        #expect(try await engine.booked("mine").booking.meeting.problem?.code == .reauthorize)
        #expect(try await engine.service.resolve("mine", owner: "ana").problem?.code == .reauthorize)
        try await engine.run(for: .minutes(1))
        #expect(subjects(engine) == ["Zoom needs you: connect your account"])
    }

    @Test("what was told, and ended with its booking, is told again of the next one")
    func endedWithBooking() async throws {
        let engine = try await TestEngine()
        for round in 1...2 {
            let view = try await engine.booked("mine", at: "2026-12-1\(round)T10:00:00Z")
            try await engine.run(for: .minutes(1))
            #expect(subjects(engine).count == round)
            _ = try await engine.service.cancel(view.booking.id)
            try await engine.run(for: .minutes(1))
        }
    }

    @Test("what mends itself within seconds is never told")
    func passing() async throws {
        let engine = try await TestEngine()
        _ = try await engine.booked("mine")
        _ = try await engine.connect()
        try await engine.run(for: .minutes(2))
        #expect(subjects(engine).isEmpty)
    }

    @Test("a booking whose room needs a person is told within a minute, once, and once more when it comes again")
    func booking() async throws {
        let engine = try await TestEngine(
            catalog: TestCatalog.text.replacing("email: ana@northwind.example", with: "email: nobody@northwind.example"))
        let view = try await engine.booked("fixed")
        #expect(view.booking.meeting.problem?.code == .hostUnknown)
        try await engine.run(for: .minutes(1))
        let letters = {
            engine.mailer.taken.filter {
                $0.recipient == "nobody@northwind.example" && !String(decoding: $0.bytes, as: UTF8.self).contains("invite.ics")
            }
        }
        #expect(letters().count == 1)
        _ = try await engine.service.retry(view.booking.id)
        try await engine.run(for: .hours(2))
        #expect(letters().count == 1)
    }

    @Test("a sign-in link goes to the owner's address alone, once a minute, and works")
    func signIn() async throws {
        let engine = try await TestEngine()
        let owners = OwnerService(engine.context)
        try await owners.mailSignInLink(to: "stranger@example.org")
        try await owners.mailSignInLink(to: "Ana@northwind.example")
        try await owners.mailSignInLink(to: "ana@northwind.example")
        try await engine.run(for: .seconds(1))
        #expect(engine.mailer.taken.map(\.recipient) == ["ana@northwind.example"])
        let text = String(decoding: engine.mailer.taken[0].bytes, as: UTF8.self).replacing("=\r\n", with: "")
        let token = try #require(text.firstMatch(of: /owners\/signin\/([a-z0-9]+)/)).1
        #expect(try await owners.signIn(String(token)) != nil)
        #expect(try await owners.signIn(String(token)) == nil)
        for _ in 1...3 {
            engine.clock.advance(by: .seconds(5))
            try await owners.mailSignInLink(to: "ana@northwind.example")
            try await engine.run(for: .seconds(1))
        }
        #expect(engine.mailer.taken.count == 1)
        engine.clock.advance(by: .minutes(2))
        try await owners.mailSignInLink(to: "ana@northwind.example")
        try await engine.run(for: .seconds(1))
        #expect(engine.mailer.taken.count == 2)
    }

    @Test("a mail that is refused for good is shown with the reason, told to the owner, and keeps nobody else's back")
    func undelivered() async throws {
        let engine = try await TestEngine(mail: { $0.recipient == "bo@example.org" ? .refused("550 no such user") : .accepted })
        let view = try await engine.booked()
        #expect(view.confirmation(of: .attendee(0)) == .failed && view.refusal(of: .attendee(0)) == "550 no such user")
        #expect(view.confirmation(of: .owner) == .sent)
        #expect(view.json["confirmations"]?.array?.first?["problem"] == "550 no such user")
        try await engine.run(for: .minutes(1))
        #expect(subjects(engine) == ["Not delivered: the mail to bo@example.org"])
        let timeline = try await engine.context.store.read { try $0.timeline(of: view.booking.id) }
        #expect(timeline.last?.event == "mail.sent" && timeline.last?.detail == "undelivered mail to the owner")
        let letter = String(decoding: try #require(engine.mailer.taken.last).bytes, as: UTF8.self)
        #expect(letter.contains("550 no such user"))
    }

    @Test("nobody is told of a meeting that is over: it cannot be retried any more")
    func overIsOver() async throws {
        let engine = try await TestEngine(mail: { $0.recipient == "bo@example.org" ? .refused("550 no such user") : .accepted })
        let view = try await engine.booked()
        try await engine.run(for: view.booking.end - engine.clock.now + .minutes(1))
        let refused = await #expect(throws: UsherError.self) { try await engine.service.retry(view.booking.id) }
        #expect(refused?.code == .bookingInPast)
    }

    @Test("each attendee who was refused is told of")
    func twoUndelivered() async throws {
        let engine = try await TestEngine(mail: { $0.recipient.hasSuffix("example.org") ? .refused("550") : .accepted })
        var request = TestEngine.request()
        request.attendees.append(.init(name: "Cy", email: "cy@example.org"))
        _ = try await engine.service.book(request)
        try await engine.run(for: .minutes(3))
        #expect(Set(subjects(engine)) == ["Not delivered: the mail to bo@example.org", "Not delivered: the mail to cy@example.org"])
    }

    @Test("a relay that is down for a day delays every mail and loses none, each under its one Message-ID")
    func downForADay() async throws {
        let opens = VirtualClock()
        let clock = VirtualClock()
        opens.advance(by: .days(1))
        let engine = try await TestEngine(mail: { [opens] _ in clock.now < opens.now ? .later("connection refused") : .accepted })
        let views = [try await engine.booked("open"), try await engine.booked("open", at: "2026-12-05T10:00:00Z")]
        #expect(engine.mailer.taken.isEmpty)
        for _ in 0..<50 {
            try await engine.run(for: .minutes(30))
            clock.advance(to: engine.clock.now)
        }
        #expect(engine.mailer.taken.count == 4)
        for view in views {
            let mails = try await engine.service.view(view.booking.id).mails
            #expect(mails.allSatisfy { $0.state == .sent } && Set(mails.map(\.messageID)).count == 2)
        }
    }

    @Test("a letter that the relay does not take now is tried again as the same letter")
    func delayed() async throws {
        let outcomes = Outcomes([.later("down"), .accepted])
        let engine = try await TestEngine(mail: { outcomes.next($0) })
        // Two for the booking's own mails, the third and fourth for the letter.
        _ = try await engine.booked("mine")
        try await engine.run(for: .minutes(4))
        #expect(outcomes.ids.count == 4 && outcomes.ids[0] == outcomes.ids[1])
        #expect(outcomes.bytes[0] == outcomes.bytes[1])
    }
}
