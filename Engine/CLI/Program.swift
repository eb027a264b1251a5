import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore

/// The provider modules that come with Usher.
public let builtIn: [any Provider.Type] = builtInProviders

/// Runs the command `usher`, and ends the process with its exit code.
///
/// A program with provider modules of its own consists of this one call: `await Usher.main(providers: Usher.builtIn + [Mine.self])`.
/// - Parameter providers: every module that `meeting-types.yaml` may name.
public func main(providers: [any Provider.Type] = builtIn) async -> Never {
    LogOutput.start()
    let code = await ProviderModules.$known.withValue(providers) {
        await Actor.acting("cli") { await Program.run(Array(CommandLine.arguments.dropFirst())) }
    }
    exit(code)
}

enum Program {
    static func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try UsherCommand.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand { try await asynchronous.run() } else { try command.run() }
            return 0
        } catch let error as UsherError {
            Output.problem(error)
            return error.code.exitCode
        } catch let code as Exit {
            return code.rawValue
        } catch let error as DatabaseError {
            Output.diagnostic("error: the database: \(error)")
            return Exit.internalError.rawValue
        } catch {
            let code = UsherCommand.exitCode(for: error)
            let message = UsherCommand.fullMessage(for: error)
            if code.isSuccess { print(message) } else { Output.diagnostic(message) }
            // What is not ArgumentParser's own complaint is ours.
            return code.isSuccess ? 0 : (code == .validationFailure ? Exit.usage.rawValue : Exit.internalError.rawValue)
        }
    }
}

struct UsherCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usher", abstract: "Turns a confirmed booking into a meeting room, and tells everyone how to get in.",
        version: UsherVersion.number,
        subcommands: [
            Init.self, Serve.self, Status.self, Demo.self, Check.self, SchemaCommand.self, Explain.self, Slots.self, Book.self,
            BookingCommand.self,
            OwnerCommand.self,
            PersonCommand.self, Preview.self, Providers.self, DoctorCommand.self, KeyCommand.self, VaultCommand.self,
            BackupCommand.self, RestoreCommand.self, HoldCommand.self, ReleaseCommand.self, RoomsCommand.self, DatabaseCommand.self,
            AgentCommand.self,
        ])
}
