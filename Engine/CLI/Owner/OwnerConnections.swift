import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline

extension OwnerCommand {
    struct Connect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give out the address at which an owner connects their account.")
        @OptionGroup var options: Options
        @Argument(help: "The owner's id.") var id: String
        @Argument(help: "A provider's name.") var provider: String

        func run() async throws {
            let (url, expiresAt) = try await options.withRuntime { runtime in
                let begun = try await Consents(runtime.context).begin(owner: id, provider: provider, returnTo: "").value
                return ("\(runtime.configuration.publicURL)/auth/\(begun.service)/start?consent=\(begun.id)", begun.expiresAt)
            }
            if options.json {
                Output.json(["authorizationUrl": .string(url), "expiresAt": .string(expiresAt.rfc3339)])
            } else {
                print(url)
                Output.diagnostic("Open it in \(id)'s browser within ten minutes; `usher serve` must be running.")
            }
        }
    }

    struct Disconnect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End an owner's connection, at the provider too; existing bookings keep their links.")
        @OptionGroup var options: Options
        @Argument(help: "The owner's id.") var id: String
        @Argument(help: "A provider's name.") var provider: String

        func run() async throws {
            let was = try await options.withRuntime { runtime in
                _ = try await OwnerService(runtime.context).owner(id)
                return try await Connections(runtime.context).disconnect(owner: id, provider: provider)
            }
            guard was else { throw UsherError(.notFound, "\(id) has not connected '\(provider)'.") }
            if options.json { Output.json(["disconnected": true]) } else { print("\(id) is disconnected from \(provider).") }
        }
    }

    struct Link: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a one-time sign-in to an owner's page.")
        @OptionGroup var options: Options
        @Argument(help: "The owner's id.") var id: String

        func run() async throws {
            let link = try await options.withRuntime { try await OwnerService($0.context).portalLink(id).value }
            if options.json {
                Output.json(["url": .string(link.url), "expiresAt": .string(link.expiresAt.rfc3339)])
            } else {
                print(link.url)
                Output.diagnostic("It signs in once, until \(link.expiresAt.rfc3339).")
            }
        }
    }
}
