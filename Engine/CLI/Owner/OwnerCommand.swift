import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore

struct OwnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "owner", abstract: "The people who host.", subcommands: [List.self, Show.self, Set.self, Default.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All owners.")
        @OptionGroup var options: Options

        func run() async throws {
            let owners = try await options.withRuntime { try await $0.context.store.read { try $0.owners() } }
            if options.json { return Output.json(["items": .array(owners.map(\.json)), "nextCursor": nil]) }
            Output.table(
                [["ID", "NAME", "EMAIL", "ZONE", "DEFAULT", "FROM"]]
                    + owners.map {
                        [
                            $0.owner.id, $0.owner.name, $0.owner.email, $0.owner.timeZone, $0.owner.defaultProvider ?? "-",
                            $0.isActive ? ($0.isInFile ? "file" : "here") : "inactive",
                        ]
                    })
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One owner.")
        @OptionGroup var options: Options
        @Argument(help: "The owner's id.") var id: String

        func run() async throws {
            let owner = try await options.withRuntime { try await find(id, $0) }
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

        func run() async throws {
            let owner = try await options.withRuntime { runtime in
                let site = runtime.context.catalog.current.site
                let owner = Owner(
                    id: id, name: name, email: email, timeZone: timeZone ?? site.timeZone, language: language ?? site.language)
                try check(owner)
                try await runtime.context.store.write { tx in
                    if let stored = try tx.owner(id), stored.isInFile {
                        throw UsherError(.ownerInFile, "\(stored.owner.name) stands in the catalogue: change them there.")
                    }
                    try tx.put(owner)
                }
                return try await find(id, runtime)
            }
            if options.json { Output.json(owner.json) } else { print("\(owner.owner.id)  \(owner.owner.name) <\(owner.owner.email)>") }
        }

        private func check(_ owner: Owner) throws(UsherError) {
            var findings: [UsherError.Finding] = []
            if owner.id.wholeMatch(of: /[a-z0-9][a-z0-9-]{0,63}/) == nil {
                findings.append(.init("/id", "small letters, digits and hyphens, at most 64, beginning with a letter or digit"))
            }
            if owner.name.isEmpty || owner.name.count > Limits.name || owner.name.contains(where: \.isNewline) {
                findings.append(.init("/name", "one line of 1 to \(Limits.name) characters"))
            }
            if !isMailAddress(owner.email) { findings.append(.init("/email", "'\(owner.email)' is not a mail address")) }
            if TimeZone(iana: owner.timeZone) == nil {
                findings.append(.init("/timeZone", "'\(owner.timeZone)' is not a time zone; write an IANA name such as Europe/Berlin"))
            }
            if !Language.all.contains(owner.language) {
                findings.append(.init("/language", "must be one of: \(Language.all.joined(separator: ", "))"))
            }
            guard findings.isEmpty else { throw UsherError(.validationFailed, "The owner cannot be kept as written.", findings: findings) }
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
            try await options.withRuntime { runtime in
                _ = try await find(id, runtime)
                let catalog = runtime.context.catalog.current
                if let provider, catalog.provider(provider) == nil {
                    let names = catalog.providers.map(\.name)
                    let near = nearest(provider, names).map { " Did you mean '\($0)'?" } ?? " There are: \(names.joined(separator: ", "))."
                    throw UsherError(.validationFailed, "No provider is called '\(provider)'.\(near)")
                }
                try await runtime.context.store.write { try $0.setDefaultProvider(provider, owner: id) }
            }
            if options.json {
                Output.json(["owner": .string(id), "defaultProvider": JSON(provider)])
            } else {
                print("\(id): \(provider ?? "the site's default")")
            }
        }
    }
}

private func find(_ id: String, _ runtime: Runtime) async throws -> StoredOwner {
    guard let owner = try await runtime.context.store.read({ try $0.owner(id) }) else {
        throw UsherError(.notFound, "No owner is called '\(id)'; `usher owner list` shows them.")
    }
    return owner
}

extension StoredOwner {
    fileprivate var json: JSON {
        [
            "id": .string(owner.id), "name": .string(owner.name), "email": .string(owner.email), "timeZone": .string(owner.timeZone),
            "language": .string(owner.language), "defaultProvider": JSON(owner.defaultProvider), "inFile": .bool(isInFile),
            "active": .bool(isActive),
        ]
    }
}
