import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

struct Book: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a booking, its room and its mails.")

    @OptionGroup var options: Options
    @Argument(help: "The meeting type.") var type: String
    @Option(help: "The owner's id; whose turn it is where it is not given and the type has hosts.") var owner: String?
    @Option(help: "2026-12-01T10:00, or with an offset: 2026-12-01T10:00+01:00.") var at: String
    @Option(help: "The zone of --at and of the attendees; the owner's where it is not given.") var timeZone: String?
    @Option(help: "earlier or later, where the clocks show the time twice.") var disambiguation: String?
    @Option(help: "Where the type offers more than one.") var duration: String?
    @Option(help: "\"Bo Li <bo@example.org>\"; may be given more than once.") var attendee: [String]
    @Option(help: "Where the type leaves a choice.") var provider: String?
    @Option(help: "For the owner.") var note = ""
    @Option(help: "How long to wait for the room and the mails.") var wait = "30s"
    @Option(help: "A hold's id.") var hold: String?
    @Flag(help: "Pass over hours, notice, limits and free time around meetings; never over another booking.") var anyTime = false
    @Flag(help: "Show what would be booked, and change nothing.") var dryRun = false

    func run() async throws {
        let written = try request()
        let patience = try options.patience(wait)
        try await options.withRuntime(adopting: !dryRun, looking: dryRun) { runtime in
            let catalog = runtime.context.catalog.current
            var request = written
            if request.timeZone == nil {
                request.timeZone =
                    try await runtime.context.store.read { try $0.owner(written.owner, in: catalog) }?.owner.timeZone
                    ?? catalog.site.timeZone
            }
            if dryRun { return try await show(runtime, request) }
            let accepted = try await runtime.service.book(request)
            let driver = BookingDriver(runtime)
            let view = try await driver.drive(accepted.value.booking.id, within: patience)
            try await driver.report(view, options)
        }
    }

    private func request() throws(UsherError) -> BookingRequest {
        var people: [BookingRequest.Person] = []
        for text in attendee {
            guard let mailbox = Mailbox(text) else {
                throw UsherError(.validationFailed, "--attendee '\(text)' is not a mail address: write \"Bo Li <bo@example.org>\".")
            }
            people.append(.init(name: mailbox.name, email: mailbox.address))
        }
        let which = disambiguation.flatMap(BookingRequest.Disambiguation.init)
        guard disambiguation == nil || which != nil else {
            throw UsherError(.validationFailed, "--disambiguation must be earlier or later.")
        }
        return BookingRequest(
            meetingType: type, owner: owner ?? "", start: at, timeZone: timeZone, disambiguation: which, duration: duration,
            attendees: people,
            provider: provider, details: BookingDetails(note: note, source: "cli"), hold: hold, anyTime: anyTime)
    }

    private func show(_ runtime: Runtime, _ request: BookingRequest) async throws {
        let (booking, resolution) = try await runtime.service.dryRun(request)
        let renderer = runtime.context.renderer
        func subject(_ reader: Reader) -> String {
            renderer.parts(
                Letter(
                    booking: booking, reader: reader, kind: .confirmation, outboxID: "", messageID: "", threadID: nil,
                    writtenAt: booking.createdAt, joinPage: "")
            ).subject
        }
        let owner = booking.terms.owner
        let zones = ([(owner.name, owner.timeZone)] + booking.attendees.map { ($0.name.isEmpty ? $0.email : $0.name, $0.timeZone) })
            .map { name, zone in (name, ReaderTime.of(start: booking.start, end: booking.end, timeZone: zone, language: "en")) }
        if options.json {
            Output.json([
                "dryRun": true, "provider": .string(resolution.provider), "because": .string(resolution.because.rawValue),
                "usable": .bool(resolution.problem == nil), "start": .string(booking.start.rfc3339), "end": .string(booking.end.rfc3339),
                "subject": .string(subject(.attendee(0))),
                "times": .array(
                    zones.map { name, time in
                        ["for": .string(name), "date": .string(time.date), "time": .string(time.range), "zone": .string(time.zone)]
                    }),
                "problem": resolution.problem?.json ?? .null,
            ])
        } else {
            print("Nothing was booked. It would be:")
            print("  provider   \(resolution.provider), because \(resolution.because.rawValue)")
            if let problem = resolution.problem { print("  problem    blocked at first: \(problem.message) \(problem.remedy)") }
            for (name, time) in zones { print("  time       \(time.date), \(time.range), \(time.zone), for \(name)") }
            print("  subject    \(subject(.attendee(0)))")
        }
        if resolution.problem != nil { throw Exit.provider }
    }
}
