import Foundation
import ProviderSandbox
import TestSupport
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(5)))
struct CommandTests {
    @Test("usher book makes room and mails before it answers; booking reschedule and cancel follow")
    func book() async throws {
        let site = try await Site()
        let made = try await site.usher(
            "book", "consultation", "--owner", "ana", "--at", "2027-01-12T10:00", "--attendee", "Bo Li <bo@example.org>", "--json"
        ).finish()
        #expect(made.code == 0, "\(made.errors)")
        let booking = try JSON(parsing: made.output)
        #expect(Site.isDone(booking))
        #expect(booking["start"] == "2027-01-12T09:00:00Z")
        let id = booking["id"]?.string ?? ""
        let moved = try await site.usher("booking", "reschedule", id, "--at", "2027-01-13T10:00", "--json").finish()
        #expect(moved.code == 0, "\(moved.errors)")
        #expect(site.zoom.meetings.map(\.start.rfc3339) == ["2027-01-13T09:00:00Z"])
        let cancelled = try await site.usher("booking", "cancel", id, "--json").finish()
        #expect(cancelled.code == 0, "\(cancelled.errors)")
        #expect(site.zoom.meetings.isEmpty)
        let mails = try site.received().filter { $0.recipient == "bo@example.org" }
        #expect(mails.count == 3)
        var uids: Set<String> = []
        var sequences: [Int64] = []
        for mail in mails {
            let seen = try await Site.read(mail.content)
            uids.insert(seen["events"]?.array?.first?["uid"]?.string ?? "")
            sequences.append(seen["events"]?.array?.first?["sequence"]?.int ?? -1)
        }
        #expect(uids.count == 1)
        #expect(sequences == [0, 1, 2])
        await site.close()
    }

    /// What a command writes to a terminal so many columns wide.
    private func seen(_ site: Site, columns: Int, _ arguments: [String], _ extra: [String: String] = [:]) async throws -> String {
        let terminal = ["/usr/bin/python3", Command.script("terminal.py"), "\(columns)", Command.usher] + arguments
        return try await Command(
            terminal[0], Array(terminal.dropFirst()), environment: site.environment.merging(["TERM": "xterm"]) { $1 }.merging(extra) { $1 },
            folder: site.folder
        ).finish().output
    }

    @Test("at a terminal there is colour unless NO_COLOR is set, and tables fit; in a pipe there is neither")
    func terminal() async throws {
        let site = try await Site(catalog: Site.catalog.replacing("overlap: allow", with: "overlap: alow"))
        #expect(try await seen(site, columns: 80, ["check"]).contains("\u{1B}[31merror:\u{1B}[0m"))
        #expect(try await !seen(site, columns: 80, ["check"], ["NO_COLOR": "1"]).contains("\u{1B}"))
        #expect(try await !site.usher("check").finish().output.contains("\u{1B}"))
        try Site.catalog.write(toFile: site.folder + "/meeting-types.yaml", atomically: true, encoding: .utf8)
        let guest = "Bartholomew Longfellow of the Outer Islands <bo@example.org>"
        _ = try await site.usher("book", "consultation", "--owner", "ana", "--at", "2027-01-12T10:00", "--attendee", guest).finish()
        let piped = try await site.usher("booking", "list").finish().output
        #expect(piped.contains("Consultation with Ana Ruiz") && !piped.contains("\u{1B}"))
        let lines = try await seen(site, columns: 95, ["booking", "list"], ["NO_COLOR": "1"]).split(whereSeparator: \.isNewline)
        #expect(lines.count == 2 && lines.allSatisfy { $0.count <= 95 } && lines[1].hasSuffix("…"), "\(lines)")
        // What is copied from it stays whole, however narrow the terminal.
        let id = String(piped.split(separator: "\n").last?.prefix { $0 != " " } ?? "")
        let narrow = try await seen(site, columns: 40, ["booking", "list"], ["NO_COLOR": "1"])
        #expect(id.count == 27 && narrow.contains("\(id)  2027-01-12T10:00:00+01:00"), "\(narrow)")
        #expect(try await seen(site, columns: 200, ["booking", "list"]).contains("\u{1B}[32mconfirmed\u{1B}[0m"))
        // A bar is seen at a terminal alone, and is gone at the end.
        let rotated = try await seen(site, columns: 80, ["vault", "rotate"])
        #expect(rotated.contains("sealed anew") && rotated.contains("\r\u{1B}[K"))
        #expect(try await site.usher("vault", "rotate").finish().errors.isEmpty)
        await site.close()
    }

    @Test("a dry run shows provider, times and subject, and changes nothing")
    func dryRun() async throws {
        let site = try await Site()
        let shown = try await site.usher(
            "book", "consultation", "--owner", "ana", "--at", "2027-01-12T10:00", "--attendee", "bo@example.org", "--dry-run"
        ).finish()
        #expect(shown.code == 0)
        #expect(shown.output.contains("campus, because site-default"))
        #expect(shown.output.contains("Central European Standard Time"))
        #expect(try await site.usher("booking", "list").finish().output.split(separator: "\n").count == 1)
        #expect(site.zoom.requests == 0)
        await site.close()
    }

    @Test("refusals end with 1, usage with 2, a provider's trouble with 3")
    func exitCodes() async throws {
        let site = try await Site()
        #expect(
            try await site.usher("book", "nothing", "--owner", "ana", "--at", "2027-01-12T10:00", "--attendee", "bo@example.org").finish()
                .code == 1)
        #expect(try await site.usher("book").finish().code == 2)
        #expect(try await site.usher("check", "no-such-file.yaml").finish().code == 2)
        #expect(try await site.usher("serve", environment: ["DATABASE_URL": "postgres://localhost/usher"]).finish().code == 2)
        site.zoom.change { $0.users = [] }
        // So shortly before the start the mail waits for the room ten seconds only.
        let soon = Instant(seconds: (Environment.system.now() + .minutes(4)).seconds / 60 * 60).rfc3339
        let blocked = try await site.usher("book", "consultation", "--owner", "ana", "--at", soon, "--attendee", "bo@example.org").finish()
        #expect(blocked.code == 3)
        #expect(blocked.output.contains("provider.host-unknown"))
        #expect(blocked.output.contains("sent to bo@example.org"))
        await site.close()
    }

    @Test("the doctor counts no server that was killed")
    func killedServer() async throws {
        let site = try await Site()
        let server = try await site.serve()
        #expect(try await site.usher("doctor").finish().output.contains("servers:"))
        server.kill()
        #expect(try await !site.usher("doctor").finish().output.contains("servers:"))
        await site.close()
    }

    @Test("the doctor names a missing scope, a basic account and an unknown host, each with its remedy")
    func doctor() async throws {
        let site = try await Site()
        #expect(try await site.usher("doctor").finish().code == 0)
        site.zoom.change { account in
            account.scopes.remove("meeting:update:meeting:admin")
            account.users = [.init("ana@northwind.example", type: 1)]
        }
        try? FileManager.default.removeItem(atPath: site.folder + "/usher.sqlite")
        let sick = try await site.usher("doctor").finish()
        #expect(sick.code == 1)
        #expect(sick.output.contains("cannot move meetings"))
        #expect(sick.output.contains("40 minutes"))
        site.zoom.change { $0.users = [] }
        #expect(try await site.usher("doctor").finish().output.contains("does not know the host"))
        #expect(
            try await site.usher("doctor", environment: ["ZOOM_S2S_CLIENT_SECRET": "wrong"]).finish().output.contains(
                "client id and secret"))
        await site.close()
    }

    @Test(
        "a bad value of the configuration stops the start with one line that names its key",
        arguments: [
            ("USHER_VAULT_KEYS", "abc"), ("SMTP_URL", "smtp://h:99999"), ("USHER_PORT", "x"), ("USHER_PUBLIC_URL", "usher"),
            ("USHER_API_KEY", "short"),
            ("USHER_CONFIG", "/no/such/file"), ("ZOOM_API_URL", "foo"), ("DATABASE_URL", "mysql://x"), ("USHER_HOST", "nohost.invalid"),
        ])
    func badConfiguration(key: String, value: String) async throws {
        let site = try await Site()
        let ended = try await site.usher("serve", environment: [key: value]).finish()
        #expect(ended.code == 2, "\(ended.errors)")
        #expect(ended.errors.contains(key))
        #expect(ended.errors.split(separator: "\n").count == 1, "\(ended.errors)")
        await site.close()
    }

    @Test("a key that is misspelt in the configuration file stops the start, at its line")
    func misspeltKey() async throws {
        let site = try await Site()
        try "CAMPUS_CLIENT_ID=x\nUSHER_PUBLC_URL=https://a.example\n".write(
            toFile: site.folder + "/usher.conf", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: site.folder + "/usher.conf")
        let ended = try await site.usher("serve", environment: ["USHER_CONFIG": "usher.conf"]).finish()
        #expect(ended.code == 2)
        #expect(ended.errors.contains("usher.conf:2: USHER_PUBLC_URL"), "\(ended.errors)")
        #expect(ended.errors.contains("did you mean USHER_PUBLIC_URL?"), "\(ended.errors)")
        await site.close()
    }

    @Test("a configuration file that everybody can read is refused, and one with credentials of a module that is not there")
    func configurationFile() async throws {
        let site = try await Site()
        let path = site.folder + "/usher.conf"
        try "CORRIDOR_DOOR_CODE=1234\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = try await site.usher("providers", environment: ["USHER_CONFIG": path]).finish()
        #expect(open.code == 2 && open.errors.contains("chmod 640"), "\(open.errors)")
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        let unknown = try await site.usher("providers", environment: ["USHER_CONFIG": path]).finish()
        #expect(unknown.code == 2 && unknown.errors.contains("CORRIDOR_DOOR_CODE"), "\(unknown.errors)")
        await site.close()
    }

    @Test("the vault's keys may lie in a file that nobody else can read; an empty one, an open one and two places are refused")
    func vaultKeysFile() async throws {
        let site = try await Site()
        let (path, key) = (site.folder + "/vault.keys", Data(Environment.system.random(32)).base64EncodedString())
        func start(_ text: String, mode: Int = 0o600, and more: [String: String] = [:]) async throws -> (code: Int32, errors: String) {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let ended = try await site.usher(
                "key", "list", environment: ["USHER_VAULT_KEYS": "", "USHER_VAULT_KEYS_FILE": path].merging(more) { $1 }
            ).finish()
            return (ended.code, ended.errors)
        }
        #expect(try await start("# newest first\n\(key)\n").code == 0)
        let open = try await start(key, mode: 0o644)
        #expect(open.code == 2 && open.errors.contains("USHER_VAULT_KEYS_FILE names \(path)") && open.errors.contains("chmod 640"))
        #expect(try await start("\n# none\n").errors.contains("holds no key"))
        #expect(try await start(key, and: ["USHER_VAULT_KEYS": key]).errors.contains("both set"))
        let missing = try await start(key, and: ["USHER_VAULT_KEYS_FILE": "/no/such/file"])
        #expect(missing.code == 2 && missing.errors.contains("cannot be read"))
        await site.close()
    }

    @Test("commands that only look make no file")
    func lookingMakesNothing() async throws {
        let site = try await Site()
        let before = try FileManager.default.contentsOfDirectory(atPath: site.folder).sorted()
        for arguments in [["explain", "consultation", "--owner", "ana"], ["preview", "consultation", "--owner", "ana"], ["check"]] {
            let ended = try await Command(Command.usher, arguments, environment: site.environment, folder: site.folder).finish()
            #expect(ended.code == 0, "\(arguments): \(ended.errors)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: site.folder).sorted() == before)
        await site.close()
    }

    @Test("a booking at a provider that is down is told in time, in one line of progress, with who goes on with it")
    func waits() async throws {
        let site = try await Site()
        site.zoom.change { $0.dailyLimit = 0 }
        let began = ContinuousClock.now
        let ended = try await site.usher(
            "book", "consultation", "--owner", "ana", "--at", "2027-04-01T10:00", "--attendee", "Bo <bo@example.org>", "--wait", "3s"
        ).finish()
        #expect(ended.code == 3 && ContinuousClock.now - began < .seconds(15))
        #expect(ended.output.contains("pending"), "\(ended.output)")
        let lines = ended.errors.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("No room yet:") && lines[1].contains("start `usher serve`"), "\(ended.errors)")
        await site.close()
    }

    @Test("a command leaves the mail to the server that runs, and sends it itself where none does")
    func leavesDeliveries() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let booked = try await site.usher(
            "book", "open", "--owner", "ana", "--at", "2027-04-01T10:00", "--attendee", "Bo <bo@example.org>",
            environment: ["SMTP_URL": "", "USHER_MAILDIR": "own-mail"]
        ).finish()
        #expect(booked.code == 0, "\(booked.errors)")
        #expect(try site.received().count == 2)
        #expect(((try? FileManager.default.contentsOfDirectory(atPath: site.folder + "/own-mail/new")) ?? []).isEmpty)
        server.kill()
        await site.close()
    }

    @Test("another vault's key stops the start where only connections are sealed under the first")
    func lostConnectionKey() async throws {
        let site = try await Site()
        let keys = ["A", "B"].map { String(repeating: $0, count: 64) }
        let server = try await site.serve(environment: ["USHER_VAULT_KEYS": keys[0]])
        _ = try await site.call("POST", "/v1/webhooks", body: #"{"url": "https://crm.example/h"}"#)
        server.terminate()
        _ = await server.finish()
        for command in ["serve", "doctor"] {
            let ended = try await site.usher(command, environment: ["USHER_VAULT_KEYS": keys[1]]).finish()
            #expect(ended.code != 0 && (ended.errors + ended.output).contains("USHER_VAULT_KEYS"), "\(ended.errors)\(ended.output)")
        }
        await site.close()
    }

    @Test("the doctor names each part that cannot be opened, and looks at the others")
    func brokenParts() async throws {
        let site = try await Site()
        let ended = try await site.usher(
            "doctor", "--json", environment: ["DATABASE_URL": "sqlite:/no/such/folder/u.sqlite", "SMTP_URL": "smtp://127.0.0.1:1"]
        ).finish()
        let wrong = try JSON(parsing: ended.output).array?.filter { $0["ok"] != true }.compactMap { $0["area"]?.string }
        #expect(wrong == ["mail", "database"], "\(ended.output)")
        await site.close()
    }

    @Test("a lost key file stops the start, and no new one is made over what is sealed")
    func lostKey() async throws {
        let site = try await Site()
        #expect(
            try await site.usher("book", "consultation", "--owner", "ana", "--at", "2027-01-12T10:00", "--attendee", "bo@example.org")
                .finish().code == 0)
        try FileManager.default.removeItem(atPath: site.folder + "/usher.sqlite.key")
        let ended = try await site.usher("serve").finish()
        #expect(ended.code == 2)
        #expect(ended.errors.contains("put it back"))
        #expect(!FileManager.default.fileExists(atPath: site.folder + "/usher.sqlite.key"))
        await site.close()
    }

    @Test("no secret shows in what usher prints, or lies readable in the database")
    func secrets() async throws {
        let site = try await Site()
        let made = try await site.usher(
            "book", "consultation", "--owner", "ana", "--at", "2027-01-12T10:00", "--attendee", "bo@example.org"
        ).finish()
        let doctor = try await site.usher("doctor").finish()
        for text in [made.output, made.errors, doctor.output, doctor.errors] {
            #expect(!text.contains("sandbox-secret"))
            #expect(!text.contains("sandbox-token"))
        }
        for file in ["usher.sqlite", "usher.sqlite-wal"] {
            let bytes = FileManager.default.contents(atPath: "\(site.folder)/\(file)") ?? Data()
            #expect(bytes.range(of: Data("sandbox-token".utf8)) == nil)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: site.folder + "/usher.sqlite.key")[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        await site.close()
    }
}
