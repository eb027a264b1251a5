import Foundation
import TestSupport
import TestValues
import Testing
import UsherAssembly
import UsherCatalog
import UsherCore
import UsherMail
import UsherPipeline

/// Mail through a relay that wants an access token in place of a password.
@Suite(.timeLimit(.minutes(3)))
struct MailTokenTests {
    private struct Relay {
        let server: Command
        let log: String
        let smtp: Int
        let tokens: String

        init(_ options: String...) async throws {
            log = FileManager.default.temporaryDirectory.path + "/usher-relay-\(UInt64.random(in: 0 ... .max)).jsonl"
            server = try Command("/usr/bin/python3", [Command.script("xoauth2_relay.py"), log] + options)
            let ports = try #require(await server.line(), "\(server.errorText)").split(separator: " ").compactMap { Int($0) }
            (smtp, tokens) = (ports[0], "http://127.0.0.1:\(ports[1])")
        }

        func lines(_ key: String) throws -> [String] {
            try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").compactMap {
                try JSON(parsing: String($0))[key]?.string
            }
        }
    }

    /// An engine whose mail leaves by the relay; without TLS, which this relay has none of.
    private func open(_ relay: Relay, _ auth: String, secret: String = "secret & more", more: [String: String] = [:]) async throws
        -> Runtime
    {
        chmod(relay.log + ".json", 0o600)
        let registry = try ProviderRegistry(TestCatalog.modules)
        let environment = [
            "SMTP_URL": "smtp://bookings%40northwind.example@127.0.0.1:\(relay.smtp)?auth=\(auth)", "SMTP_CLIENT_ID": "client",
            "SMTP_CLIENT_SECRET": secret, "SMTP_TENANT_ID": "tenant-1", "SMTP_TOKEN_URL": relay.tokens + "/other",
            "SMTP_SCOPE": "mail.send", "SMTP_KEY_FILE": relay.log + ".json", "MICROSOFT_LOGIN_URL": relay.tokens,
            "DATABASE_URL": "sqlite:\(relay.log).sqlite",
        ].merging(more) { $1 }
        var configuration = try Configuration(environment: environment, registry: registry)
        guard case .smtp(var addresses) = configuration.mail else { throw UsherError(.internalError, "no relay") }
        for index in addresses.indices { addresses[index].security = .none }
        configuration.mail = .smtp(addresses)
        return try await Runtime.open(configuration, catalog: try TestCatalog.read(TestCatalog.text), registry: registry)
    }

    private func mail(_ index: Int = 0, from sender: String = "bookings@northwind.example") -> OutgoingMail {
        OutgoingMail(
            sender: sender, recipient: "bo\(index)@example.org", bytes: Array("Subject: test\r\n\r\ntext\r\n".utf8), id: "\(index)")
    }

    @Test(
        "a token signs in at Microsoft's, Google's and others' relays, and is asked for once",
        arguments: ["microsoft", "google", "xoauth2"])
    func signsIn(auth: String) async throws {
        let relay = try await Relay()
        let runtime = try await open(relay, auth)
        for index in 0..<5 { #expect(await runtime.context.mailer.deliver(mail(index), within: .seconds(30)) == .accepted) }
        #expect(try relay.lines("token") == ["token-1"])
        #expect(try relay.lines("mail").count == 5)
        await runtime.close()
        // Another process finds the token in the database.
        let other = try await open(relay, auth)
        #expect(await other.context.mailer.deliver(mail(9), within: .seconds(30)) == .accepted)
        #expect(try relay.lines("token") == ["token-1"])
        await other.close()
    }

    @Test("tokens that end in the middle of 500 mails are replaced, and each mail leaves once")
    func ends() async throws {
        let relay = try await Relay("revoke=150")
        let runtime = try await open(relay, "microsoft")
        let mailer = runtime.context.mailer
        var left = Set(0..<500)
        // What was cut on its way is unclear, and the outbox sends it again; here the relay's own list says what arrived.
        while !left.isEmpty {
            await withTaskGroup(of: Void.self) { group in
                for index in left { group.addTask { _ = await mailer.deliver(mail(index), within: .seconds(30)) } }
            }
            let arrived = try relay.lines("mail")
            #expect(Set(arrived).count == arrived.count)
            left.subtract(arrived.compactMap { Int($0.dropFirst(2).prefix { $0 != "@" }) })
        }
        #expect(try relay.lines("refused").isEmpty == false)
        let tokens = try relay.lines("token").count
        #expect((3...6).contains(tokens), "\(tokens)")
        await runtime.close()
    }

    @Test("a relay that takes no token, for its scope say, is asked twice and no more, and the mail waits with its words")
    func refused() async throws {
        let relay = try await Relay("scope=refused")
        let runtime = try await open(relay, "xoauth2")
        let outcome = await runtime.context.mailer.deliver(mail(), within: .seconds(30))
        #expect(outcome.name == "later")
        let reason = outcome.reason
        #expect(reason.contains("refuses the token") && reason.contains("https://mail.example/"), "\(reason)")
        #expect(try relay.lines("refused") == ["token-1", "token-2"])
        await runtime.close()
    }

    @Test("a wrong secret gives no token, and nothing is sent by a password or without signing in")
    func wrongSecret() async throws {
        let relay = try await Relay()
        let runtime = try await open(relay, "microsoft", secret: "wrong")
        let outcome = await runtime.context.mailer.deliver(mail(), within: .seconds(30))
        #expect(outcome.name == "later")
        let reason = outcome.reason
        #expect(reason.contains("the client is not known") && !reason.contains("wrong\""), "\(reason)")
        #expect(try relay.lines("mail").isEmpty && relay.lines("refused").isEmpty)
        await runtime.close()
    }

    @Test("each sender's mail leaves by the relay that is for its domain")
    func bySender() async throws {
        let (one, other) = (try await Relay(), try await Relay())
        let urls =
            "smtp://bookings%40northwind.example@127.0.0.1:\(one.smtp)?auth=xoauth2 smtp://bookings%40northwind.example@127.0.0.1:\(other.smtp)?auth=xoauth2&from=surgery.example"
        // Both relays know the tokens of their own endpoint; the second is asked with the first one's, and refuses.
        let runtime = try await open(one, "xoauth2", more: ["SMTP_URL": urls])
        #expect(await runtime.context.mailer.deliver(mail(1), within: .seconds(30)) == .accepted)
        _ = await runtime.context.mailer.deliver(mail(2, from: "desk@Surgery.example"), within: .seconds(30))
        #expect(try one.lines("mail") == ["bo1@example.org"])
        #expect(try other.lines("refused").isEmpty == false)
        await runtime.close()
    }

    @Test(
        "what is missing or contradictory is said at the start",
        arguments: [
            (["SMTP_URL": "smtp://a%40b.example@relay.example?auth=microsoft"], "SMTP_CLIENT_ID, SMTP_CLIENT_SECRET, SMTP_TENANT_ID"),
            (["SMTP_URL": "smtp://a%40b.example:pass@relay.example?auth=google"], "no password"),
            (["SMTP_URL": "smtp://relay.example?auth=google"], "needs the mailbox as user"),
            (["SMTP_URL": "smtp://a%40b.example@relay.example?auth=kerberos"], "microsoft, google or xoauth2"),
            (["SMTP_URL": "smtp://a%40b.example@relay.example?auth=google", "SMTP_KEY_FILE": "/dev/null"], "SMTP_KEY_FILE"),
            (["SMTP_URL": "smtp://a.example smtp://b.example"], "several relays without from="),
        ])
    func wrong(values: [String: String], words: String) throws {
        #expect {
            _ = try Configuration(environment: values, registry: try ProviderRegistry(TestCatalog.modules))
        } throws: { ($0 as? UsherError)?.message.contains(words) == true }
    }
}
