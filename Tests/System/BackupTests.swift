import Foundation
import ProviderSandbox
import TestPostgreSQL
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(5)))
struct BackupTests {
    private func body(_ start: String, _ email: String) -> String {
        """
        {"meetingType": "open", "owner": "ana", "start": "\(start)", "attendees": [{"email": "\(email)"}]}
        """
    }

    private func book(_ site: Site, _ day: Int, _ email: String) async throws -> String {
        let start = "2027-05-\(day < 10 ? "0" : "")\(day)T10:00:00Z"
        return try #require(try await site.call("POST", "/v1/bookings", body: body(start, email)).json["id"]?.string)
    }

    private func end(_ server: Command) async {
        server.terminate()
        _ = await server.finish()
    }

    /// Where the restored installation lies: another file, or another database of the same server.
    private func place(_ isPostgreSQL: Bool, _ site: Site, keys: String?) throws -> [String: String] {
        guard isPostgreSQL else { return ["DATABASE_URL": "sqlite:restored/usher.sqlite"] }
        return ["DATABASE_URL": try PostgreSQLServer.shared().newDatabase(), "USHER_VAULT_KEYS": keys ?? ""]
    }

    @Test("a restore beside a provider that has gone on makes no room and no mail twice, and removes nothing", arguments: [false, true])
    func restore(isPostgreSQL: Bool) async throws {
        let site = try await Site(server: isPostgreSQL ? .shared() : nil)
        let keys = site.environment["USHER_VAULT_KEYS"]
        var server = try await site.serve()
        let cancelled = try await book(site, 1, "gone@example.org")
        _ = try await site.booking(cancelled, Site.isDone)
        await end(server)

        // Accepted, and not worked on yet; others come in while the backup is made.
        server = try await site.serve("--workers", "0")
        let waiting = try await book(site, 2, "waits@example.org")
        let load = Task { for day in 3...9 { _ = try await book(site, day, "load\(day)@example.org") } }
        let backup = try await site.usher("backup", "b.usher", "--json").finish()
        try await load.value
        #expect(backup.code == 0, "\(backup.errors)")
        #expect((try FileManager.default.attributesOfItem(atPath: site.folder + "/b.usher")[.posixPermissions] as? Int) == 0o600)
        await end(server)

        // What the backup does not know: rooms and mails of those that waited, a booking, a cancellation.
        server = try await site.serve()
        _ = try await site.booking(waiting, Site.isDone)
        let unknown = try await book(site, 20, "later@example.org")
        _ = try await site.booking(unknown, Site.isDone)
        _ = try await site.call("POST", "/v1/bookings/\(cancelled)/cancel")
        while try site.received().count(where: { $0.recipient == "gone@example.org" }) != 2 { try await Task.sleep(for: .milliseconds(20)) }
        for day in 3...9 { _ = try await site.mail { $0.recipient == "load\(day)@example.org" } }
        while site.zoom.meetings.count != 9 { try await Task.sleep(for: .milliseconds(20)) }
        await end(server)
        let (rooms, mails) = (site.zoom.meetings, try site.received().count)

        let target = try place(isPostgreSQL, site, keys: keys)
        if !isPostgreSQL {
            try FileManager.default.createDirectory(atPath: site.folder + "/restored", withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: site.folder + "/usher.sqlite.key", toPath: site.folder + "/restored/usher.sqlite.key")
        }
        let restored = try await site.usher("restore", "b.usher", environment: target).finish()
        #expect(restored.code == 0 && restored.output.contains("It is held"), "\(restored.errors)")
        let again = try await site.usher("restore", "b.usher", environment: target).finish()
        #expect(again.code == 2 && again.errors.contains("is not empty"), "\(again.errors)")

        server = try await site.serve(environment: target)
        #expect(try await site.booking(waiting) { _ in true }["meeting"]?["status"] == "pending")
        let shown = try await site.usher("release", "--json", environment: target).finish()
        #expect(shown.code == 1)
        let report = try JSON(parsing: shown.output)
        #expect(report["hold"] == "restored")
        #expect(report["rooms"]?.array?.contains { $0["id"]?.string == waiting } == true)
        #expect(report["mails"]?.array?.contains { $0["to"] == "waits@example.org" } == true)
        #expect(report["goneRooms"]?.array?.map { $0["id"]?.string } == [cancelled])
        #expect(report["unknownRooms"]?.array?.isEmpty == false)
        let session = [try await site.browse("/admin", form: ["key": site.key]).cookie]
        #expect(try await site.browse("/admin", cookies: session).page.contains("/admin/release"))
        let page = try await site.browse("/admin/release", cookies: session).page
        #expect(page.contains("waits@example.org") && page.contains(cancelled))
        let undecided = try await site.usher("release", "--yes", environment: target).finish()
        #expect(undecided.code == 1 && undecided.errors.contains("--old-mail"))
        #expect(site.zoom.meetings == rooms)
        #expect(try site.received().count == mails)

        // What comes in while it is held is nobody's but ours.
        let meanwhile = try await book(site, 24, "meanwhile@example.org")
        // By a press, or by the command.
        if isPostgreSQL {
            let key = page.firstMatch(of: /name="key" value="([^"]+)"/).map { String($0.1) } ?? ""
            #expect(try await site.browse("/admin/release", form: ["mail": "drop", "key": key], cookies: session).status == 303)
        } else {
            let released = try await site.usher("release", "--yes", "--old-mail", "drop", environment: target).finish()
            #expect(released.code == 0, "\(released.errors)")
        }
        _ = try await site.booking(waiting) { $0["meeting"]?["status"] == "ready" }
        let fresh = try await book(site, 25, "fresh@example.org")
        _ = try await site.booking(fresh, Site.isDone)
        _ = try await site.booking(meanwhile, Site.isDone)
        #expect(site.zoom.meetings.count == rooms.count + 2)
        #expect(Set(rooms.map(\.id)).isSubset(of: site.zoom.meetings.map(\.id)))
        #expect(try site.received().filter { $0.recipient == "waits@example.org" }.count == 1)
        let news = try site.received().dropFirst(mails).map { String(decoding: $0.content.prefix(900), as: UTF8.self) }
        #expect(news.count == 4, "\(news)")
        await end(server)
        await site.close()
    }

    @Test("a copied database is held, and as a copy it never touches the original's rooms")
    func copied() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let id = try await book(site, 1, "bo@example.org")
        _ = try await site.booking(id, Site.isDone)
        await end(server)
        let rooms = site.zoom.meetings
        let files = FileManager.default
        try files.createDirectory(atPath: site.folder + "/staging", withIntermediateDirectories: true)
        for name in ["usher.sqlite", "usher.sqlite.key"] {
            try files.copyItem(atPath: "\(site.folder)/\(name)", toPath: "\(site.folder)/staging/\(name)")
        }
        let staging = ["DATABASE_URL": "sqlite:staging/usher.sqlite"]
        _ = try await site.usher("booking", "cancel", id, environment: staging).finish()
        #expect(site.zoom.meetings == rooms)
        let released = try await site.usher("release", "--yes", "--copy", environment: staging).finish()
        #expect(released.code == 0, "\(released.errors)")
        let next = try await site.usher(
            "book", "open", "--owner", "ana", "--at", "2027-05-02T10:00", "--attendee", "di@example.org", "--json", environment: staging
        ).finish()
        #expect(next.code == 0, "\(next.errors)")
        #expect(site.zoom.meetings.count == rooms.count + 1)
        #expect(rooms.allSatisfy { site.zoom.meetings.contains($0) })
        // The original goes on, unheld, and its room is its own to remove.
        let own = try await site.usher("booking", "cancel", id, "--json").finish()
        #expect(own.code == 0, "\(own.errors)")
        #expect(site.zoom.meetings.count == 1)
        await site.close()
    }

    @Test("keys travel sealed under a passphrase; without keys, with a wrong one, or damaged, nothing is restored")
    func keys() async throws {
        let site = try await Site()
        _ = try await site.usher("book", "open", "--owner", "ana", "--at", "2027-05-01T10:00", "--attendee", "bo@example.org").finish()
        let backup = try site.usher("backup", "b.usher", "--with-keys")
        backup.write(Array("correct horse battery\n".utf8))
        #expect(await backup.finish().code == 0)
        try FileManager.default.createDirectory(atPath: site.folder + "/new", withIntermediateDirectories: true)
        let new = ["DATABASE_URL": "sqlite:new/usher.sqlite"]
        let wrong = try site.usher("restore", "b.usher", environment: new)
        wrong.write(Array("wrong horse battery\n".utf8))
        let refused = await wrong.finish()
        #expect(refused.code == 1 && refused.errors.contains("passphrase does not open"))
        var damaged = try Data(contentsOf: URL(fileURLWithPath: site.folder + "/b.usher"))
        let mark = try #require(damaged.range(of: Data("bo@example.org".utf8)))
        damaged.replaceSubrange(mark, with: Data("xo@example.org".utf8))
        try damaged.write(to: URL(fileURLWithPath: site.folder + "/damaged.usher"))
        let bad = try await site.usher("restore", "damaged.usher", environment: new).finish()
        #expect(bad.code == 2 && bad.errors.contains("is damaged"), "\(bad.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: site.folder + "/new").isEmpty)
        let right = try site.usher("restore", "b.usher", environment: new)
        right.write(Array("correct horse battery\n".utf8))
        let restored = await right.finish()
        #expect(restored.code == 0, "\(restored.errors)")
        #expect(
            (try FileManager.default.attributesOfItem(atPath: site.folder + "/new/usher.sqlite.key")[.posixPermissions] as? Int) == 0o600)
        let list = try await site.usher("booking", "list", "--json", environment: new).finish()
        #expect(list.output.contains("bo@example.org"))
        await site.close()
    }

    @Test("an older copy that is put in the file's stead by hand is held")
    func byHand() async throws {
        let site = try await Site()
        var server = try await site.serve()
        _ = try await site.booking(try await book(site, 1, "bo@example.org"), Site.isDone)
        await end(server)
        let files = FileManager.default
        let (path, old) = (site.folder + "/usher.sqlite", try #require(files.contents(atPath: site.folder + "/usher.sqlite")))
        server = try await site.serve()
        await end(server)
        #expect(try await site.usher("status", "--json").finish().output.contains("\"held\":false"))
        // Over itself, so that even its number in the file system stays.
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: old)
        try handle.close()
        for end in ["-wal", "-shm"] { try? files.removeItem(atPath: path + end) }
        // Who only looks changes nothing, and says what a server will do.
        let look = try await site.usher("status", "--json").finish()
        #expect(look.output.contains("\"held\":false") && look.output.contains("lies elsewhere than before") && look.code == 1)
        #expect(try await site.usher("doctor").finish().output.contains("lies elsewhere than before"))
        let acts = try await site.usher("book", "open", "--owner", "ana", "--at", "2027-05-02T10:00", "--attendee", "di@example.org")
            .finish()
        #expect(acts.code == 3 && acts.errors.contains("restored or copied") && acts.errors.contains("waits until"), "\(acts.errors)")
        #expect(site.zoom.meetings.count == 1)
        let doctor = try await site.usher("doctor").finish()
        #expect(doctor.output.contains("campus: not asked") && !doctor.output.contains("cannot be reached"), "\(doctor.output)")
        let released = try await site.usher("release", "--yes", "--old-mail", "drop").finish()
        #expect(released.code == 0, "\(released.errors)")
        await site.close()
    }

    @Test("a restore that did not end is not let go; hold holds what was put back by other means", arguments: [false, true])
    func unfinished(isPostgreSQL: Bool) async throws {
        let site = try await Site(server: isPostgreSQL ? .shared() : nil)
        let server = try await site.serve()
        await end(server)
        let held = try await site.usher("hold").finish()
        #expect(held.code == 0, "\(held.errors)")
        #expect(try await site.usher("hold").finish().code == 1)
        if !isPostgreSQL {
            let half = try Command(
                "/usr/bin/python3",
                [
                    "-c",
                    "import sqlite3; c = sqlite3.connect('usher.sqlite'); c.execute(\"UPDATE installation SET hold = 'restoring'\"); c.commit()",
                ],
                folder: site.folder)
            #expect(await half.finish().code == 0)
            let refused = try await site.usher("release", "--yes").finish()
            #expect(refused.code == 1 && refused.errors.contains("did not come to its end"), "\(refused.errors)")
        } else {
            // Pressed twice, it is one installation all the same.
            async let one = site.usher("release", "--yes", "--copy").finish()
            async let two = site.usher("release", "--yes", "--copy").finish()
            #expect(try await Set([one.code, two.code]) == [0, 1])
        }
        await site.close()
    }
}
