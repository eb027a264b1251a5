import Foundation
import Testing
import UsherCore

/// The whole set of mails through a real Postfix, read back from its Maildir by Python's parsers.
@Suite(.timeLimit(.minutes(3)), .enabled(if: geteuid() == 0, "Postfix starts as root alone"))
struct PostfixTests {
    /// What the relay has put into the Maildir, by arrival.
    private func mails(_ folder: String) throws -> [[UInt8]] {
        let box = folder + "/mail/box/new"
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: box)) ?? []).sorted()
        return names.compactMap { FileManager.default.contents(atPath: "\(box)/\($0)").map(Array.init) }
    }

    private func wait(for count: Int, _ folder: String) async throws -> [JSON] {
        let end = ContinuousClock.now + .seconds(30)
        while try mails(folder).count < count, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(50)) }
        var read: [JSON] = []
        for mail in try mails(folder) { read.append(try await Site.read(mail)) }
        return read
    }

    @Test("confirmation, change and cancellation arrive whole, as one event and one thread; who is refused is told of to the owner")
    func set() async throws {
        let site = try await Site(catalog: Site.catalog.replacing("overlap: allow }", with: "overlap: allow, reminders: [15m] }"))
        let port = try FreeTestPort.find()
        let relayFolder = site.folder + "/relay"
        let relay = try Command("/bin/bash", [Command.script("postfix_relay.sh"), relayFolder, "\(port)"])
        try #require(await relay.line { $0 == "ready" } != nil, "\(relay.errorText)")
        let server = try await site.serve(environment: ["SMTP_URL": "smtp://127.0.0.1:\(port)"])

        let body =
            #"{"meetingType": "open", "owner": "ana", "start": "2027-03-01T10:00:00Z", "attendees": [{"name": "Zoë \"Zed\" Wāng", "email": "bo@example.org", "timeZone": "Asia/Kathmandu", "language": "fr"}, {"email": "nobody@example.org"}]}"#
        let id = try await site.call("POST", "/v1/bookings", body: body).json["id"]?.string ?? ""
        // To Bo, to Ana, and to Ana that the third one was refused.
        var read = try await wait(for: 3, relayFolder)
        let refused = try await site.booking(id) { $0["confirmations"]?.array?[1]["status"] == "failed" }
        #expect(refused["confirmations"]?.array?[1]["problem"]?.string?.contains("550") == true)
        #expect(read.contains { $0["subject"]?.string == "Not delivered: the mail to nobody@example.org" })
        #expect(try await site.call("POST", "/v1/bookings/\(id)/reschedule", body: #"{"start": "2027-03-02T10:00:00Z"}"#).status == 200)
        read = try await wait(for: 5, relayFolder)
        #expect(try await site.call("POST", "/v1/bookings/\(id)/cancel").status == 200)
        read = try await wait(for: 7, relayFolder)

        let bos = read.filter { $0["to"]?.string?.contains("bo@example.org") == true }
        #expect(bos.map { $0["defects"]?.array?.count } == [0, 0, 0])
        let events = bos.compactMap { $0["events"]?.array?.first }
        #expect(Set(events.compactMap { $0["uid"]?.string }).count == 1)
        #expect(events.compactMap { $0["sequence"]?.int }.sorted() == [0, 1, 2])
        #expect(Set(events.compactMap { $0["method"]?.string }) == ["REQUEST", "CANCEL"])
        #expect(Set(events.compactMap { $0["organizer"]?.string }).count == 1)
        #expect(
            bos.allSatisfy { mail in
                mail["events"]?.array?.allSatisfy { $0["parameter"] == $0["method"] || $0["parameter"] == .null } == true
            })
        let first = try #require(bos.first { $0["inReplyTo"] == .null })
        #expect(bos.filter { $0["inReplyTo"] == first["messageID"] }.count == 2)
        #expect(first["to"]?.string?.contains("Zoë") == true)
        #expect(first["text"]?.string?.contains("UTC+05:45") == true && first["text"]?.string?.contains("lundi 1 mars 2027") == true)
        #expect(Set(bos.compactMap { $0["subject"]?.string }).count == 1)
        let moved = try #require(bos.first { $0["text"]?.string?.contains("Auparavant") == true })
        #expect(moved["text"]?.string?.contains("Auparavant") == true && moved["html"]?.string?.contains("<s ") == true)
        server.kill()
        relay.write([])
        _ = await relay.finish()
        await site.close()
    }
}
