import Foundation
import UsherCore
import UsherMail

/// Mails rendered per second on one core.
enum MailBench {
    static func run() async throws {
        try render()
        try await deliver()
    }

    private static func render() throws {
        let renderer = try MailRenderer()
        let letter = sample
        var rates: [Double] = []
        for _ in 0..<Bench.rounds {
            let started = ContinuousClock.now
            for _ in 0..<2_000 { _ = renderer.mail(letter) }
            rates.append(2_000_000_000 / Double((ContinuousClock.now - started).microseconds))
        }
        print("mails rendered: \(Bench.text(Bench.median(rates), 0))/s on one core")
    }

    /// Mails handed over per second, beside Postfix's own `smtp-source`: the same sink, size and number of connections.
    private static func deliver() async throws {
        let (port, connections, count) = (31_025, 4, 4_000)
        let sink = Process()
        sink.executableURL = URL(fileURLWithPath: "/usr/sbin/smtp-sink")
        sink.arguments = (geteuid() == 0 ? ["-u", "postfix"] : []) + ["127.0.0.1:\(port)", "128"]
        try sink.run()
        try await Task.sleep(for: .milliseconds(500))
        let mail = try MailRenderer().mail(sample)
        let mailer = SMTPMailer(try SMTPAddress("smtp://127.0.0.1:\(port)"), connections: connections)
        var (ours, theirs): ([Double], [Double]) = ([], [])
        for _ in 0..<Bench.rounds {
            theirs.append(try source(port: port, connections: connections, count: count, size: mail.bytes.count))
            let started = ContinuousClock.now
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<connections * 2 {
                    group.addTask { for _ in 0..<count / (connections * 2) { _ = await mailer.deliver(mail, within: .seconds(40)) } }
                }
            }
            ours.append(Double(count) * 1_000_000 / Double((ContinuousClock.now - started).microseconds))
        }
        kill(sink.processIdentifier, SIGKILL)
        sink.waitUntilExit()
        let ratio = Bench.median(ours) / Bench.median(theirs)
        print("mails delivered: \(Bench.text(Bench.median(ours), 0))/s; smtp-source: \(Bench.text(Bench.median(theirs), 0))/s")
        print("ratio: \(Bench.text(ratio)) (at least 0.70)")
    }

    private static func source(port: Int, connections: Int, count: Int, size: Int) throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/smtp-source")
        // -d: connections are used again, as ours are.
        process.arguments = [
            "-d", "-s", "\(connections)", "-m", "\(count)", "-l", "\(size)", "-f", "a@example.org", "-t", "b@example.org",
            "127.0.0.1:\(port)",
        ]
        let started = ContinuousClock.now
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw UsherError(.internalError, "smtp-source ended with \(process.terminationStatus)")
        }
        return Double(count) * 1_000_000 / Double((ContinuousClock.now - started).microseconds)
    }

    private static var sample: Letter {
        let owner = Owner(id: "ana", name: "Ana Ruiz", email: "ana@northwind.example", timeZone: "Europe/Madrid", language: "en")
        let site = Site(
            name: "Northwind Clinic", from: Mailbox(name: "Northwind Clinic", address: "bookings@northwind.example"),
            timeZone: "Europe/Berlin",
            defaultProvider: "campus")
        let type = MeetingType(id: "open", title: "Open hours with {owner.name}", durations: [.minutes(30)], intro: "Bring your card.")
        let terms = Terms(
            type: type, owner: owner, site: site, chain: [Terms.Link(provider: "campus", module: "zoom-s2s")], because: .siteDefault)
        let numbers = ["DE", "US", "GB"].map { DialIn(country: $0, number: "+49 69 7104 9922", pin: "482913", meetingID: "85012345678") }
        let room = Room(
            joinURL: "https://zoom.example/j/85012345678?pwd=abc", meetingID: "85012345678", passcode: "482913", dialIn: numbers)
        let start = Instant(seconds: 1_800_000_000)
        let booking = Booking(
            id: "bk_bench", start: start, end: start + .minutes(30), timeZone: "Europe/Berlin",
            attendees: [Attendee(name: "Bo Li", email: "bo@example.org", timeZone: "America/New_York", language: "en")], terms: terms,
            meeting: Meeting(status: .ready, provider: "campus", module: "zoom-s2s", because: .siteDefault, room: room), changedAt: start,
            createdAt: start)
        return Letter(
            booking: booking, reader: .attendee(0), kind: .confirmation, outboxID: "ml_bench", messageID: "bench@northwind.example",
            threadID: nil,
            writtenAt: start, joinPage: "https://usher.example/join/abcdefghijklmnopqrstuvwxyz")
    }
}
