import ArgumentParser
import UsherAssembly
import UsherCore
import UsherVault

struct VaultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault", abstract: "The keys under which secrets are stored.", subcommands: [Rotate.self])

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal every stored secret anew under the newest key, while the server runs.",
            discussion: """
                With a key file a new key is made first, and running servers find it by themselves. With USHER_VAULT_KEYS put the new
                key behind the others at every server, and restart them: now all can read what is sealed under it. Then put it in front
                at every server, restart them once more, and run this. Keep the old keys for as long as you keep backups.
                """)
        @OptionGroup var options: Options

        func run() async throws {
            let configuration = try options.configuration()
            if configuration.vaultKeys == nil {
                // Only where the present keys open what is stored.
                try await options.withRuntime(adopting: false) { _ in }
                try VaultKeys.addKey(at: Runtime.vaultKeyFile(configuration), random: Environment.system.random)
            }
            let bar = ProgressBar()
            defer { bar.end() }
            let count = try await options.withRuntime(adopting: false) { runtime in
                try await VaultRotation(runtime).run { bar.count("sealed anew", $0) }
            }
            bar.end()
            if options.json {
                Output.json(["resealed": .int(Int64(count))])
            } else {
                print("\(count) stored secrets are under the newest key.")
            }
        }
    }
}
