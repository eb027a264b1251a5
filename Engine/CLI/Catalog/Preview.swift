import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

struct Preview: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the mail of a meeting type, without sending it.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case html, text, ics, eml }
    enum Audience: String, ExpressibleByArgument, CaseIterable { case attendee, owner }

    @OptionGroup var options: Options
    @Argument(help: "The meeting type.") var type: String
    @Option(help: "The owner's id.") var owner: String
    @Option(help: "html, text, ics or eml.") var format: Format = .text
    @Option(help: "confirmation, update or cancellation.") var kind: String = "confirmation"
    @Option(name: .customLong("for"), help: "attendee or owner.") var audience: Audience = .attendee
    @Option(help: "The reader's language.") var language: String?
    @Option(help: "The reader's time zone.") var timeZone: String?

    func run() async throws {
        let configuration = try options.configuration()
        let catalog = try options.loadCatalog(configuration)
        guard let meetingType = catalog.meetingType(type) else { throw UsherError(.notFound, "No meeting type is called '\(type)'.") }
        guard var host = try await host(catalog, configuration) else {
            throw UsherError(.notFound, "No owner is called '\(owner)'; `usher owner list` shows who there is.")
        }
        guard let kind = Letter.Kind(rawValue: kind) else {
            throw UsherError(.validationFailed, "--kind must be one of: \(Letter.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        if let timeZone, TimeZone(iana: timeZone) == nil {
            throw UsherError(.validationFailed, "'\(timeZone)' is not a time zone; write an IANA name such as Europe/Berlin.")
        }
        if let language, !Language.all.contains(language) {
            throw UsherError(.validationFailed, "--language must be one of: \(Language.all.joined(separator: ", ")).")
        }
        if audience == .owner {
            host.language = language ?? host.language
            host.timeZone = timeZone ?? host.timeZone
        }
        let letter = letter(meetingType, host, catalog, kind, configuration.publicURL)
        let renderer = try MailRenderer()
        let parts = renderer.parts(letter)
        if options.json {
            return Output.json([
                "subject": .string(parts.subject), "text": .string(parts.text), "html": .string(parts.html), "ics": .string(parts.calendar),
            ])
        }
        switch format {
        case .text: print(parts.text)
        case .html: print(parts.html)
        case .ics: print(parts.calendar, terminator: "")
        case .eml: print(String(decoding: renderer.mail(letter).bytes, as: UTF8.self), terminator: "")
        }
    }

    /// The owner as they stand in the catalogue, or in the database where there is one.
    private func host(_ catalog: Catalog, _ configuration: Configuration) async throws -> Owner? {
        if let listed = catalog.owners.first(where: { $0.id == owner }) { return listed }
        guard FileManager.default.fileExists(atPath: configuration.databasePath) else { return nil }
        return try await options.withRuntime(adopting: false) { runtime in
            try await runtime.context.store.read { try $0.owner(owner) }?.owner
        }
    }

    /// A booking for ten o'clock in a week, with a made-up guest and room.
    private func letter(_ type: MeetingType, _ host: Owner, _ catalog: Catalog, _ kind: Letter.Kind, _ publicURL: String) -> Letter {
        let now = Surroundings.system.now()
        let start = Instant(seconds: (now.seconds / 86_400 + 7) * 86_400 + 9 * 3_600)
        let provider = type.provider == MeetingType.ownerDefault ? host.defaultProvider ?? catalog.site.defaultProvider : type.provider
        let guest = Attendee(
            name: "Bo Li", email: "bo@example.org", timeZone: timeZone ?? catalog.site.timeZone, language: language ?? catalog.site.language
        )
        let room = Room(
            joinURL: "https://meet.example.org/j/85012345678?pwd=preview", meetingID: "85012345678", passcode: "482913",
            dialIn: [
                DialIn(country: "DE", number: "+49 30 5679 5800", pin: "482913", meetingID: "85012345678"),
                DialIn(country: "US", number: "+1 646 558 8656", pin: "482913", meetingID: "85012345678"),
            ])
        let module = catalog.provider(provider)?.module ?? ""
        let terms = Terms(
            type: type, owner: host, site: catalog.site, chain: [Terms.Link(provider: provider, module: module)], because: .ownerDefault)
        let booking = Booking(
            id: "bk_preview", revision: kind == .confirmation ? 1 : 2, start: start, end: start + (type.durations.first ?? .minutes(30)),
            timeZone: host.timeZone, attendees: [guest], terms: terms,
            meeting: Meeting(status: .ready, provider: provider, module: module, because: .ownerDefault, room: room), changedAt: now,
            createdAt: now)
        return Letter(
            booking: booking, reader: audience == .owner ? .owner : .attendee(0), kind: kind, outboxID: "ml_preview",
            messageID: "preview@usher.example", threadID: nil, writtenAt: now, joinPage: "\(publicURL)/join/preview")
    }
}
