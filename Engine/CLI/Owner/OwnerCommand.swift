import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline

struct OwnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "owner", abstract: "The people who host.",
        subcommands: [List.self, Show.self, Set.self, Default.self, Calendars.self, Connect.self, Disconnect.self, Link.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All owners.")
        @OptionGroup var options: Options

        func run() async throws {
            let owners = try await options.withRuntime(adopting: false, looking: true) { try await OwnerService($0.context).list() }
            if options.json { return Output.json(["items": .array(owners.map(\.json)), "nextCursor": nil]) }
            Output.table(
                [["ID", "NAME", "EMAIL", "ZONE", "DEFAULT", "FROM"]]
                    + owners.map {
                        [
                            $0.owner.id, $0.owner.name, $0.owner.email, $0.owner.timeZone, $0.owner.defaultProvider ?? "-",
                            $0.isActive ? ($0.isInFile ? "file" : "here") : "inactive",
                        ]
                    }, hasHeader: true)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One owner.")
        @OptionGroup var options: Options
        @Argument(help: "The owner's id.") var id: String

        func run() async throws {
            let owner = try await options.withRuntime(adopting: false, looking: true) { try await OwnerService($0.context).owner(id) }
            if options.json { return Output.json(owner.json) }
            Output.table(owner.json.members?.map { ["\($0.key)", $0.value.string ?? $0.value.serialized] } ?? [])
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make or change an owner who does not stand in the catalogue.")
        @OptionGroup var options: Options
        @Argument(help: "The owner's id.") var id: String
        @Option(help: "As guests read it.") var name: String
        @Option(help: "Where mail to the owner goes.") var email: String
        @Option(help: "IANA name; the site's where it is not given.") var timeZone: String?
        @Option(help: "The site's where it is not given.") var language: String?
        @Option(help: "The owner's hours: a name under schedules in the catalogue.") var schedule: String?

        func run() async throws {
            let owner = try await options.withRuntime { runtime in
                let site = runtime.context.catalog.current.site
                return try await OwnerService(runtime.context).put(
                    Owner(
                        id: id, name: name, email: email, timeZone: timeZone ?? site.timeZone, language: language ?? site.language,
                        schedule: schedule))
            }
            if options.json { Output.json(owner.json) } else { print("\(owner.owner.id)  \(owner.owner.name) <\(owner.owner.email)>") }
        }
    }

    struct Default: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set the provider of an owner's choice, or clear it.")
        @OptionGroup var options: Options
        @Argument(help: "The owner's id.") var id: String
        @Argument(help: "A provider's name.") var provider: String?
        @Flag(help: "Leave the choice to the site.") var clear = false

        func validate() throws {
            if (provider == nil) != clear { throw ValidationError("Name a provider, or write --clear.") }
        }

        func run() async throws {
            _ = try await options.withRuntime { try await OwnerService($0.context).setDefault(provider, of: id) }
            if options.json {
                Output.json(["owner": .string(id), "defaultProvider": JSON(provider)])
            } else {
                print("\(id): \(provider ?? "the site's default")")
            }
        }
    }
}
