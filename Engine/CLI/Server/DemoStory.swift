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
    private let folder: String
    private let zoom: ZoomSandbox
    private let key: String
    private let port: Int
    private let sandbox: Int

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

    init(_ runtime: Runtime, folder: String, zoom: ZoomSandbox, key: String, port: Int, sandbox: Int) {
        self.sandbox = sandbox
        self.runtime = runtime
        self.folder = folder
        self.zoom = zoom
        self.key = key
        self.port = port
    }

    func tell(staysOpen: Bool) async throws {
        Output.line("Usher, sandboxed: no account, no configuration, nobody real can be reached.")
        let day = WallTime(runtime.context.now + .days(7), offsetSeconds: 0).text.prefix(10)
        Output.line("1. A booking arrives: a consultation with Ana (Madrid) for Bo (New York), \(day) at 10:00 Berlin time.")
        let accepted = try await runtime.desk.book(
            BookingRequest(
                meetingType: "consultation", owner: "ana", start: "\(day)T10:00", timeZone: "Europe/Berlin",
                attendees: [.init(name: "Bo Li", email: "bo@example.org", timeZone: "America/New_York")], note: "First visit.",
                source: "demo"))
        let id = accepted.value.booking.id
        Output.line("2. It is accepted in one commit, with the work that follows from it: \(id)")
        let view = try await settled(id)
        let booking = view.booking
        guard let room = booking.meeting.room else {
            throw UsherError(.unavailable, "The sandbox made no room: \(booking.meeting.problem?.message ?? "it takes too long").")
        }
        Output.line(
            "3. The provider is \(booking.meeting.provider), because of the \(booking.meeting.because.rawValue); \(zoom.meetings.count) room at the sandboxed Zoom account:"
        )
        Output.line("     \(room.joinURL)   passcode \(room.passcode ?? "none"), \(room.dialIn.count) dial-in numbers")
        Output.line("4. Two mails went out, each in its reader's zone: \(folder)/mail/new (open them with any mail program). Bo's says:")
        Output.line("")
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/mail/new")) ?? []).count
        for line in text(of: view).split(separator: "\n", omittingEmptySubsequences: false) { Output.line("   | \(line)") }
        Output.line(
            "5. Mails in the folder: \(files). Rooms ever made: \(zoom.ledger.count { $0.event == .created }). Kill it anywhere: it stays one room and one mail each."
        )
        if staysOpen { try await invite(id) }
    }

    private func invite(_ id: String) async throws {
        Output.line(
            "6. It serves until you stop it (Ctrl-C). The join page: \(runtime.configuration.publicURL)/join/… (see the mail). The API:")
        Output.line("     curl -H 'Authorization: Bearer \(key)' http://localhost:\(port)/v1/bookings/\(id)")
        let link = try await OwnerDesk(runtime.context).portalLink("ana").value.url
        Output.line("7. Ana's page, where she connects (sandboxed) Zoom, Google and Microsoft accounts of her own: \(link)")
        Output.line("     With Google connected, her bookings stand on its calendar, too; \"Make a test meeting\" goes the whole way.")
        Output.line("     She can remove the app at Zoom, too: http://localhost:\(sandbox)/apps")
    }

    private func settled(_ id: String) async throws -> BookingView {
        for _ in 0..<300 {
            let view = try await runtime.desk.view(id)
            if view.booking.meeting.status == .ready, !view.mails.isEmpty, view.mails.allSatisfy({ $0.state == .sent }) { return view }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await runtime.desk.view(id)
    }

    /// The attendee's mail as it was sent: the same row gives the same text.
    private func text(of view: BookingView) -> String {
        guard let mail = view.mails.first(where: { $0.reader == .attendee(0) }) else { return "" }
        let letter = Letter(
            booking: view.booking, reader: mail.reader, kind: Letter.Kind(mail.kind), outboxID: mail.id, messageID: mail.messageID,
            threadID: mail.threadID, writtenAt: mail.writtenAt, joinPage: view.joinPage)
        return runtime.context.renderer.parts(letter).text
    }
}

/// A port that nobody uses.
enum FreePort {
    static func find(preferred: UInt16) throws(UsherError) -> Int {
        if let port = bindable(preferred) ?? bindable(0) { return port }
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
