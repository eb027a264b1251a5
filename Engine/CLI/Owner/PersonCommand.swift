import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore
import UsherPipeline

struct PersonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "person", abstract: "What is stored about one person, and its erasure.", subcommands: [Export.self, Erase.self])

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print all that is stored about the person with an address, as JSON.")
        @OptionGroup var options: Options
        @Argument(help: "The person's address.") var mail: String

        func run() async throws {
            Output.json(try await options.withRuntime(adopting: false) { try await PersonService($0.context).export(mail) })
        }
    }

    struct Erase: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase what is stored about the person with an address.",
            discussion: "Without --yes it says what it would do, and does nothing. What meetings to come need stays, and is named.")
        @OptionGroup var options: Options
        @Argument(help: "The person's address.") var mail: String
        @Flag(help: "Do it.") var yes = false

        func run() async throws {
            let done = try await options.withRuntime(adopting: false) {
                try await PersonService($0.context).erase(mail, isDryRun: !yes)
            }
            if options.json { return Output.json(done.json) }
            print(done.isDone ? "Erased:" : "This would be erased (nothing was done; --yes does it):")
            for (table, count) in done.rows.sorted(by: { $0.key < $1.key }) { print("  \(counted(count, "row")) of \(table)") }
            if done.rows.isEmpty { print("  nothing") }
            print("What stays, and why:")
            for line in done.remains { print("  \(line)") }
        }
    }
}
