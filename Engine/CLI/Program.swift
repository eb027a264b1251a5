import ArgumentParser
import Foundation
import UsherAssembly
import UsherCatalog
import UsherCore
import UsherPipeline
import UsherStore

/// The provider modules that come with Usher.
public let builtIn: [any Provider.Type] = builtInProviders

/// Runs the command `usher`, and ends the process with its exit code.
///
/// A program with provider modules of its own consists of this one call: `await Usher.main(providers: Usher.builtIn + [Mine.self])`.
/// - Parameter providers: every module that `meeting-types.yaml` may name.
public func main(providers: [any Provider.Type] = builtIn) async -> Never {
    LogOutput.start()
    let code = await Program.$providers.withValue(providers) {
        await Actor.acting("cli") { await Program.run(Array(CommandLine.arguments.dropFirst())) }
    }
    exit(code)
}

enum Program {
    @TaskLocal static var providers: [any Provider.Type] = []

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

/// How a command ends, where not with success.
enum Exit: Int32, Error {
    case refused = 1
    case usage = 2
    case provider = 3
    case internalError = 4
}

extension ErrorCode {
    /// The one mapping of codes to exit codes.
    var exitCode: Int32 {
        switch self {
        case .validationFailed, .requestMalformed, .requestMediaType, .requestMethod, .payloadTooLarge, .bookingConflict, .bookingInPast,
            .bookingCancelled,
            .notFound, .idempotencyMismatch, .ownerInFile, .authMissing, .authInvalid, .authForbidden, .rateLimited, .overloaded:
            Exit.refused.rawValue
        case .configuration: Exit.usage.rawValue
        case .notConnected, .reauthorize, .missingScope, .plan, .hostUnknown, .providerRateLimited, .dailyLimit, .rejected, .unavailable,
            .meetingGone, .providerRemoved:
            Exit.provider.rawValue
        case .internalError: Exit.internalError.rawValue
        }
    }
}

struct UsherCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usher", abstract: "Turns a confirmed booking into a meeting room, and tells everyone how to get in.",
        version: UsherVersion.number,
        subcommands: [
            Serve.self, Demo.self, Check.self, SchemaCommand.self, Explain.self, Book.self, BookingCommand.self, OwnerCommand.self,
            Preview.self, Providers.self, DoctorCommand.self, KeyCommand.self, VaultCommand.self,
            AgentCommand.self,
        ])
}

/// What every command takes.
struct Options: ParsableArguments {
    @Option(help: "The catalogue; USHER_CATALOG, or meeting-types.yaml, where it is not given.")
    var catalog: String?

    @Flag(help: "Answer in JSON.")
    var json = false

    /// What `--wait` says.
    func patience(_ text: String) throws(UsherError) -> Duration {
        guard let duration = Duration(written: text), duration <= .hours(1) else {
            throw UsherError(.validationFailed, "--wait must be a time of up to an hour, such as 30s.")
        }
        return duration
    }

    func registry() throws(UsherError) -> ProviderRegistry { try ProviderRegistry(Program.providers) }

    func configuration() throws(UsherError) -> Configuration {
        var configuration = try Configuration(environment: ProcessInfo.processInfo.environment, registry: try registry())
        if let catalog { configuration.catalogPath = catalog }
        return configuration
    }

    func loadCatalog(_ configuration: Configuration) throws -> Catalog {
        try Self.catalog(at: configuration.catalogPath, CatalogReader.withFiles(try registry()))
    }

    /// The catalogue, or the command ends: 2 where it cannot be read, 1 where it has errors.
    static func catalog(at path: String, _ reader: CatalogReader) throws -> Catalog {
        let report = reader.read(path: path)
        if let catalog = report.catalog { return catalog }
        for diagnostic in report.diagnostics { Output.diagnostic(diagnostic.text(file: path)) }
        throw report.diagnostics.contains { $0.code == .unreadable } ? Exit.usage : Exit.refused
    }

    /// Opens the engine for `body`, and closes it whatever happens.
    /// - Parameters:
    ///   - adopting: whether the catalogue's owners become those of the database; a command that only looks leaves them.
    ///   - looking: whether it makes no file either.
    func withRuntime<Result: Sendable>(
        adopting: Bool = true, looking: Bool = false, _ body: (Runtime) async throws -> Result
    ) async throws -> Result {
        let configuration = try configuration()
        let runtime = try await Runtime.open(
            configuration, catalog: try loadCatalog(configuration), registry: try registry(), adopting: adopting, looking: looking)
        do {
            let result = try await body(runtime)
            await runtime.close()
            return result
        } catch {
            await runtime.close()
            throw error
        }
    }
}
