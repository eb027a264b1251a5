import Foundation
import ProviderSandbox
import UsherAssembly
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// What the demo tells: a booking, its room, its mail.
struct DemoStory {
    private let runtime: Runtime
    private let site: DemoSite
    private let zoom: ZoomSandbox
    private let owner: Owner
    /// The booking, once it has its room and its mails, or waits for a person.
    private let view: BookingView

    static let catalog = """
        version: 1
        site:
          name: Northwind Clinic
          from: "Northwind Clinic <bookings@northwind.example>"
          time-zone: Europe/Berlin
          default-provider: room
        providers:
          zoom-s2s: {}
          zoom: {}
          google-meet: {}
          microsoft-teams: {}
          room: { module: link, url: "https://meet.northwind.example/{code}", passcode: generate }
        owners:
          ana: { name: Ana Ruiz, email: ana@northwind.example, time-zone: Europe/Madrid, default-provider: zoom-s2s }
        meeting-types:
          consultation:
            title: "Consultation with {owner.name}"
            durations: [30m, 45m]
            fallback: [room]
            calendar: true
            email: { intro: "Please have your insurance card at hand." }
        """

    /// Books the catalogue's first meeting type with its first owner, a week from now at ten, and follows it to its end.
    init(_ runtime: Runtime, _ site: DemoSite, _ zoom: ZoomSandbox) async throws {
        (self.runtime, self.site, self.zoom) = (runtime, site, zoom)
        owner = site.catalog.owners[0]
        let day = WallTime(runtime.context.now + .days(7), offsetSeconds: 0).text.prefix(10)
        let accepted = try await runtime.service.book(
            BookingRequest(
                meetingType: site.catalog.meetingTypes[0].id, owner: owner.id, start: "\(day)T10:00", timeZone: site.catalog.site.timeZone,
                attendees: [.init(name: "Bo Li", email: "bo@example.org", timeZone: "America/New_York")],
                details: BookingDetails(note: "First visit.", source: "demo")))
        view = try await Self.settled(accepted.value.booking.id, runtime)
    }

    func tell(staysOpen: Bool) async throws {
        let booking = view.booking
        Output.line("Usher, sandboxed: no account, no configuration, nobody real can be reached.")
        Output.line(
            "1. A booking arrives: \(booking.title), for Bo (New York), at \(booking.start.inZone(booking.timeZone)) (\(booking.timeZone))."
        )
        Output.line("2. It was accepted in one commit, with the work that follows from it: \(booking.id)")
        tellOfRoom()
        tellOfMail()
        Output.line(
            "5. Mails in the folder: \(files). Rooms ever made at Zoom: \(roomsMade). Kill it anywhere: it stays one room and one mail each."
        )
        if staysOpen { try await invite() }
    }

    /// The booking as the API shows it, and where to look further.
    func print() async throws {
        Output.json([
            "booking": view.json, "mailbox": .string("\(site.folder)/mail"), "zoomRoomsMade": .int(Int64(roomsMade)),
            "server": .string(site.address), "key": .string(site.key), "ownerPage": .string(try await ownerPage()),
        ])
        fflush(nil)
    }

    private func tellOfRoom() {
        let meeting = view.booking.meeting
        let start = "3. The provider is \(meeting.provider), because of the \(meeting.because.rawValue)"
        if let room = meeting.room {
            Output.line("\(start):")
            Output.line("     \(room.joinURL)   passcode: \(room.passcode ?? "none"), dial-in numbers: \(room.dialIn.count)")
        } else if let problem = meeting.problem {
            Output.line("\(start). It made no room yet: \(problem.message) \(problem.remedy)")
        } else {
            Output.line("\(start). The room is made when somebody first presses Join.")
        }
    }

    private func tellOfMail() {
        guard files > 0 else { return Output.line("4. Its mails wait for the room; two minutes after the booking they go out without it.") }
        Output.line(
            "4. \(files) mails went out, each in its reader's zone: \(site.folder)/mail/new (open them with any mail program). Bo's says:")
        Output.line("")
        for line in text().split(separator: "\n", omittingEmptySubsequences: false) { Output.line("   | \(line)") }
    }

    private func invite() async throws {
        Output.line("6. It serves until you stop it (Ctrl-C). The join page: \(site.address)/join/… (see the mail). The API:")
        Output.line("     curl -H 'Authorization: Bearer \(site.key)' \(site.address)/v1/bookings/\(view.booking.id)")
        Output.line(
            "7. \(owner.name)'s page, where they connect (sandboxed) Zoom, Google and Microsoft accounts of their own: \(try await ownerPage())"
        )
        Output.line("     With Google connected, bookings stand on its calendar, too; \"Make a test meeting\" goes the whole way.")
        Output.line("     The app can be removed at Zoom, too: http://localhost:\(site.sandbox)/apps")
    }

    private func ownerPage() async throws -> String { try await OwnerService(runtime.context).portalLink(owner.id).value.url }

    private var files: Int { ((try? FileManager.default.contentsOfDirectory(atPath: "\(site.folder)/mail/new")) ?? []).count }
    private var roomsMade: Int { zoom.ledger.count { $0.event == .created } }

    private static func settled(_ id: String, _ runtime: Runtime) async throws -> BookingView {
        for _ in 0..<300 {
            let view = try await runtime.service.view(id)
            let isTold = !view.mails.isEmpty && view.mails.allSatisfy { $0.state == .sent }
            if view.booking.meeting.status == .blocked || view.booking.meeting.status != .pending && isTold { return view }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await runtime.service.view(id)
    }

    /// The attendee's mail as it was sent: the same row gives the same text.
    private func text() -> String {
        guard let mail = view.mails.first(where: { $0.reader == .attendee(0) }) else { return "" }
        let letter = Letter(
            booking: view.booking, reader: mail.reader, kind: mail.kind, outboxID: mail.id, messageID: mail.messageID,
            threadID: mail.threadID, writtenAt: mail.writtenAt, joinPage: view.joinPage)
        return runtime.context.renderer.parts(letter).text
    }
}

/// A port that nobody uses.
enum FreePort {
    /// The preferred one, one of the nine above it, or any.
    static func find(preferred: UInt16) throws(UsherError) -> Int {
        for candidate in Array(preferred..<preferred + 10) + [0] {
            if let port = bindable(candidate) { return port }
        }
        throw UsherError(.configuration, "No port is free on 127.0.0.1.")
    }

    private static func bindable(_ port: UInt16) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, length) == 0, getsockname(descriptor, generic, &length) == 0 else { return nil }
                return Int(pointer.pointee.sin_port.bigEndian)
            }
        }
    }
}
