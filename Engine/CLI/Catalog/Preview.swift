import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

struct Preview: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the mails of a meeting type, without sending them.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case html, text, ics, eml }
    enum Audience: String, ExpressibleByArgument, CaseIterable { case attendee, owner }

    @OptionGroup var options: Options
    @Argument(help: "The meeting type.") var type: String
    @Option(help: "The owner's id.") var owner: String
    @Option(help: "html, text, ics or eml.") var format: Format = .text
    @Option(help: ArgumentHelp(stringLiteral: LetterSamples.Kind.allCases.map(\.rawValue).joined(separator: ", ") + "."))
    var kind: LetterSamples.Kind = .confirmation
    @Option(name: .customLong("for"), help: "attendee or owner.") var audience: Audience = .attendee
    @Option(help: "The reader's language.") var language: String?
    @Option(help: "The reader's time zone.") var timeZone: String?
    @Option(help: "Write every kind in every language into this folder, with an index to browse.") var all: String?

    func run() async throws {
        let configuration = try options.configuration()
        let catalog = try options.loadCatalog(configuration).catalog
        guard let meetingType = catalog.meetingType(type) else {
            throw UsherError(.notFound, "No meeting type is called '\(type)'.\(didYouMean(type, catalog.meetingTypes.map(\.id)))")
        }
        guard let host = try await host(catalog, configuration) else {
            let near = didYouMean(owner, catalog.owners.map(\.id))
            throw UsherError(.notFound, "No owner is called '\(owner)'.\(near) `usher owner list` shows who there is.")
        }
        if let timeZone, TimeZone(iana: timeZone) == nil {
            throw UsherError(.validationFailed, "'\(timeZone)' is not a time zone; write an IANA name such as Europe/Berlin.")
        }
        if let language, Language.normalized(language) == nil {
            throw UsherError(.validationFailed, "--language \(Language.choices).")
        }
        let language = language.flatMap(Language.normalized)
        let samples = try samples(meetingType, host, catalog, configuration)
        let look = MailLook.read(folder: configuration.catalogFolder, logo: catalog.site.logo, templates: catalog.site.templates).look
        let renderer = try MailRenderer(look)
        if let all { return try Gallery(samples, renderer, owner: host, site: catalog.site).write(to: all) }
        let isOwner = audience == .owner || kind.isForOwnerAlone
        if !options.json { Output.diagnostic("The guest, the room, its numbers and its passcode are made up; all else is as it will be.") }
        try show(
            samples.render(
                kind, to: isOwner ? .owner : .attendee(0), language: language ?? (isOwner ? host.language : catalog.site.language),
                timeZone: timeZone ?? (isOwner ? host.timeZone : catalog.site.timeZone), renderer))
    }

    private func show(_ rendered: (parts: MailRenderer.Parts, mail: OutgoingMail)) throws(UsherError) {
        let parts = rendered.parts
        if options.json {
            return Output.json([
                "subject": .string(parts.subject), "text": .string(parts.text), "html": .string(parts.html), "ics": .string(parts.calendar),
            ])
        }
        switch format {
        case .text: print(parts.text)
        case .html: print(parts.html)
        case .ics where parts.calendar.isEmpty: throw UsherError(.validationFailed, "A mail of this kind brings no calendar file.")
        case .ics: print(parts.calendar, terminator: "")
        case .eml: print(String(decoding: rendered.mail.bytes, as: UTF8.self), terminator: "")
        }
    }

    /// The owner as they are in the catalogue, or in the database where there is one.
    private func host(_ catalog: Catalog, _ configuration: Configuration) async throws -> Owner? {
        if let listed = catalog.owners.first(where: { $0.id == owner }) { return listed }
        guard configuration.database.exists else { return nil }
        return try await options.withRuntime(adopting: false, looking: true) { runtime in
            try await runtime.context.store.read { try $0.owner(owner) }?.owner
        }
    }

    /// Letters about a made-up guest and room, at ten o'clock in a week.
    private func samples(
        _ type: MeetingType, _ host: Owner, _ catalog: Catalog, _ configuration: Configuration
    ) throws -> LetterSamples {
        let name = type.provider == MeetingType.ownerDefault ? host.defaultProvider ?? catalog.site.defaultProvider : type.provider
        let entry = catalog.provider(name)
        let capabilities = try entry.flatMap { try options.registry().descriptor($0.module)?.capabilities } ?? []
        return LetterSamples(
            type: type, owner: host, site: catalog.site, link: Terms.Link(provider: name, module: entry?.module ?? "", title: entry?.title),
            room: LetterSamples.room(entry, capabilities), publicURL: configuration.publicURL, now: Environment.system.now())
    }
}

extension LetterSamples.Kind: ExpressibleByArgument {}
