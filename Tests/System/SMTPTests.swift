import Foundation
import TestSupport
import Testing
import UsherCore
import UsherMail

@Suite(.timeLimit(.minutes(3)))
struct SMTPTests {
    private struct Sink {
        let server: Command
        let log: String
        let port: String
        var received: Int { (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n").count ?? 0 }
    }

    private func sink(_ options: String...) async throws -> Sink {
        let log = FileManager.default.temporaryDirectory.path + "/usher-smtp-\(UInt64.random(in: 0 ... .max)).jsonl"
        let server = try Command("/usr/bin/python3", [Command.script("smtp_sink.py"), log] + options)
        return Sink(server: server, log: log, port: try #require(await server.line(), "\(server.errorText)"))
    }

    private func deliver(_ url: String, to recipient: String = "bo@example.org") async throws -> DeliveryOutcome {
        let mailer = SMTPMailer(try SMTPAddress(url), connections: 1)
        let bytes = Array("Subject: test\r\n\r\n.a line that begins with a dot\r\n".utf8)
        return await mailer.deliver(
            OutgoingMail(sender: "from@example.org", recipient: recipient, bytes: bytes, id: "1"), within: .seconds(40))
    }

    @Test("a mail is taken")
    func accepted() async throws {
        let sink = try await sink()
        #expect(try await deliver("smtp://127.0.0.1:\(sink.port)") == .accepted)
        #expect(sink.received == 1)
    }

    @Test("a refusal for now is tried later, one for good is not")
    func refusals() async throws {
        let sink = try await sink()
        guard case .later(let later) = try await deliver("smtp://127.0.0.1:\(sink.port)", to: "451@example.org"),
            case .refused(let refused) = try await deliver("smtp://127.0.0.1:\(sink.port)", to: "550@example.org")
        else {
            Issue.record("the outcomes differ")
            return
        }
        #expect(later.contains("451") && refused.contains("550 this mailbox says 550"))
    }

    @Test("where the relay takes commands together they go together, and whoever is refused gets no mail")
    func pipelined() async throws {
        let relay = try Command("/usr/bin/python3", [Command.script("smtp_pipelining.py")])
        let port = try #require(await relay.line(), "\(relay.errorText)")
        let mailer = SMTPMailer(try SMTPAddress("smtp://127.0.0.1:\(port)"), connections: 1)
        func deliver(_ recipient: String) async -> DeliveryOutcome {
            await mailer.deliver(
                OutgoingMail(sender: "from@example.org", recipient: recipient, bytes: Array("A: b\r\n\r\nc\r\n".utf8), id: "1"),
                within: .seconds(20))
        }
        #expect(await deliver("bo@example.org") == .accepted)
        #expect(await relay.line { $0 == "3 mail" } != nil)
        #expect(await deliver("550@example.org") == .refused("RCPT failed: 550 no such mailbox"))
        #expect(await relay.line { $0 == "3 nothing" } != nil)
        #expect(await deliver("bo@example.org") == .accepted)
        relay.kill()
    }

    @Test("a connection that the relay has closed since the last mail is made anew, and the mail is as it was written")
    func briefConnections() async throws {
        let sink = try await sink("brief")
        let mailer = SMTPMailer(try SMTPAddress("smtp://127.0.0.1:\(sink.port)"), connections: 1)
        let text = "Subject: test\r\n\r\n.a line\r\n..\r\n.\r\nend\r\n"
        for _ in 0..<3 {
            let outcome = await mailer.deliver(
                OutgoingMail(sender: "from@example.org", recipient: "bo@example.org", bytes: Array(text.utf8), id: "1"),
                within: .seconds(20))
            #expect(outcome == .accepted)
            // Until the relay has closed it.
            try await Task.sleep(for: .milliseconds(200))
        }
        let lines = try String(contentsOfFile: sink.log, encoding: .utf8).split(separator: "\n")
        let contents = try lines.map { Data(base64Encoded: try JSON(parsing: String($0))["content"]?.string ?? "") }
        #expect(contents == Array(repeating: Data(text.utf8), count: 3))
    }

    @Test("a connection that is cut after the mail went out leaves it unclear")
    func cut() async throws {
        let sink = try await sink("cut")
        guard case .unclear = try await deliver("smtp://127.0.0.1:\(sink.port)") else {
            Issue.record("it is not unclear")
            return
        }
        #expect(sink.received == 1)
    }

    @Test("no relay at all is tried later")
    func noRelay() async throws {
        guard case .later(let reason) = try await deliver("smtp://127.0.0.1:\(try FreeTestPort.find())") else {
            Issue.record("it is not later")
            return
        }
        #expect(reason.contains("takes no connection"))
    }

    @Test("where TLS is required and not offered, nothing is sent")
    func tlsRequired() async throws {
        let sink = try await sink()
        guard case .later(let reason) = try await deliver("smtp://127.0.0.1:\(sink.port)?tls=required") else {
            Issue.record("it is not later")
            return
        }
        #expect(reason.contains("no TLS"))
        #expect(sink.received == 0)
    }

    /// As if by an admin who may send a password in clear, which `SMTP_URL` does not let anyone write.
    private func signingIn(_ sink: Sink, password: String = "correct horse") throws -> SMTPAddress {
        var address = try SMTPAddress("smtp://127.0.0.1:\(sink.port)")
        address.user = "usher"
        address.password = Secret(password)
        return address
    }

    private func deliver(_ address: SMTPAddress) async -> DeliveryOutcome {
        let mailer = SMTPMailer(address, connections: 1)
        let mail = OutgoingMail(
            sender: "from@example.org", recipient: "bo@example.org", bytes: Array("Subject: test\r\n\r\nx\r\n".utf8), id: "1")
        // The second one goes over the same connection, which is signed in already.
        _ = await mailer.deliver(mail, within: .seconds(40))
        return await mailer.deliver(mail, within: .seconds(40))
    }

    @Test("where a relay lets us sign in, mail goes out signed in")
    func signsIn() async throws {
        let sink = try await sink("auth")
        #expect(await deliver(try signingIn(sink)) == .accepted)
        let log = try String(contentsOfFile: sink.log, encoding: .utf8)
        #expect(log.split(separator: "\n").count == 2)
        #expect(!log.contains("\"authenticated\": false"))
        #expect(await SMTPMailer.probe(try signingIn(sink)) == nil)
    }

    @Test("where a relay offers no way to sign in, nothing is sent")
    func noSignIn() async throws {
        let sink = try await sink()
        guard case .later(let reason) = await deliver(try signingIn(sink)) else {
            Issue.record("it is not later")
            return
        }
        #expect(reason.contains("no way to sign in"))
        #expect(sink.received == 0)
    }

    @Test("a password that the relay refuses is the admin's matter, and does not show")
    func wrongPassword() async throws {
        let sink = try await sink("auth")
        guard case .later(let reason) = await deliver(try signingIn(sink, password: "wrong-battery")) else {
            Issue.record("it is not later")
            return
        }
        #expect(reason.contains("refuses user and password"))
        #expect(!reason.contains("wrong-battery"))
    }

    @Test(
        "an SMTP_URL that would betray a password, or is none, is refused",
        arguments: [
            "smtp://u:p@relay.example?tls=none", "http://relay.example", "smtp://", "smtp://u@relay.example",
            "smtp://relay.example?tls=maybe", "smtp://relay.example/path",
        ])
    func badURLs(url: String) { #expect(throws: UsherError.self) { try SMTPAddress(url) } }

    @Test("TLS is required unless the relay is on this machine and no password is sent")
    func defaults() throws {
        #expect(try SMTPAddress("smtp://relay.example").security == .required)
        #expect(try SMTPAddress("smtp://127.0.0.1:25").security == .none)
        #expect(try SMTPAddress("smtp://u:p@127.0.0.1:25").security == .required)
        #expect(try SMTPAddress("smtps://u:p@relay.example").port == 465)
    }
}
