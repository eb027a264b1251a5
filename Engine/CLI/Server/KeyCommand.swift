import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys for bots and other programs.", subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a key. It is shown once, and kept as a hash.")
        @OptionGroup var options: Options
        @Option(help: "Whose key it is.") var name: String
        @Option(
            name: .customLong("scope"),
            help: ArgumentHelp(stringLiteral: Scope.allCases.map(\.rawValue).joined(separator: ", ") + "; more than once for more of them.")
        )
        var scopes: [Scope] = [.bookingsRead, .bookingsWrite]
        @Option(help: "How long it lives, such as 30d, or never.") var expires = "90d"

        func run() async throws {
            let lifetime = expires == "never" ? nil : Duration(written: expires)
            guard lifetime != nil || expires == "never" else {
                throw UsherError(.validationFailed, "'\(expires)' is no duration; write 90d, 12h, P90D or never.")
            }
            let (key, stored) = try await options.withRuntime(adopting: false) { runtime in
                try await APIKeys(runtime.context).create(name: name, scopes: Swift.Set(scopes), lifetime: lifetime)
            }
            if options.json {
                Output.json(.object((stored.json.members ?? []) + [JSON.Member("key", .string(key.reveal()))]))
            } else {
                print(key.reveal())
                Output.diagnostic("\(stored.id): keep it safe, it is not shown again.")
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All keys, without the keys themselves.")
        @OptionGroup var options: Options

        func run() async throws {
            let keys = try await options.withRuntime(adopting: false) { try await APIKeys($0.context).list() }
            if options.json { return Output.json(["items": .array(keys.map(\.json)), "nextCursor": nil]) }
            Output.table(
                [["ID", "NAME", "SCOPES", "EXPIRES", "LAST USED"]]
                    + keys.map { key in
                        [
                            key.id, key.name, key.scopes.map(\.rawValue).sorted().joined(separator: " "),
                            key.expiresAt == .never ? "never" : key.expiresAt.rfc3339, key.usedAt?.rfc3339 ?? "never",
                        ]
                    }, hasHeader: true)
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a key at once.")
        @OptionGroup var options: Options
        @Argument(help: "The key's id, as `usher key list` shows it.") var id: String

        func run() async throws {
            try await options.withRuntime(adopting: false) { try await APIKeys($0.context).revoke(id) }
            if options.json { Output.json(["revoked": .string(id)]) } else { print("\(id) is revoked.") }
        }
    }
}

extension Scope: ExpressibleByArgument {}
