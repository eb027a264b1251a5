import ArgumentParser
import Foundation
import UsherAssembly
import UsherCatalog
import UsherCore
import UsherPipeline
import UsherStore

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

    func registry() throws(UsherError) -> ProviderRegistry { try ProviderRegistry(ProviderModules.known) }

    func configuration() throws(UsherError) -> Configuration {
        var configuration = try Self.bare()
        if let catalog { configuration.catalogPath = catalog }
        return configuration
    }

    /// For commands that need no catalogue.
    static func bare() throws(UsherError) -> Configuration {
        try Configuration(environment: ProcessInfo.processInfo.environment, registry: try ProviderRegistry(ProviderModules.known))
    }

    func loadCatalog(_ configuration: Configuration) throws -> (catalog: Catalog, text: String) {
        try Self.catalog(at: configuration.catalogPath, CatalogReader.withFiles(try registry()))
    }

    /// The catalogue and the file's text, or the command ends: 2 where it cannot be read, 1 where it has errors.
    static func catalog(at path: String, _ reader: CatalogReader) throws -> (catalog: Catalog, text: String) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw UsherError(
                .configuration,
                "There is no catalogue at \(path). Write a first one with `usher init`, name yours with --catalog or USHER_CATALOG, or see what Usher does with `usher demo`."
            )
        }
        let report = reader.read(path: path)
        if let catalog = report.catalog { return (catalog, report.text) }
        for diagnostic in report.diagnostics { Output.diagnostic(diagnostic.text(file: path)) }
        throw report.diagnostics.contains { $0.code == .unreadable } ? Exit.usage : Exit.refused
    }

    /// A command goes by the catalogue in force where its own file is an older one.
    private func settle(_ catalog: Catalog, _ text: String, _ runtime: Runtime, adopting: Bool) async throws {
        let catalogue = InstallationCatalogue(runtime.context)
        if let newer = try await catalogue.newer(than: text) {
            Output.diagnostic(
                "warning: \(runtime.configuration.catalogPath) is older than the catalogue that is in force, and that one is used.")
            try runtime.takeOver(newer)
        } else if adopting {
            try await catalogue.enterOwners(of: catalog, text: text)
        }
    }

    /// Opens the engine for `body`, and closes it whatever happens.
    /// - Parameters:
    ///   - adopting: whether the catalogue's owners are entered into the database, unless the file is an older one; a command that only
    ///     looks leaves them, and the server decides by itself.
    ///   - looking: whether it makes no file either.
    ///   - warning: whether it says that the installation is held.
    func withRuntime<Result: Sendable>(
        adopting: Bool = true, looking: Bool = false, warning: Bool = true, _ body: (Runtime) async throws -> Result
    ) async throws -> Result {
        let configuration = try configuration()
        let (catalog, text) = try loadCatalog(configuration)
        let runtime = try await Runtime.open(configuration, catalog: catalog, registry: try registry(), looking: looking)
        if warning, runtime.context.store.isHeld {
            Output.diagnostic("warning: this database was restored or copied, and nothing leaves it: see `usher release`.")
        }
        do {
            if adopting || looking { try await settle(catalog, text, runtime, adopting: adopting) }
            let result = try await body(runtime)
            await runtime.close()
            return result
        } catch {
            await runtime.close()
            throw error
        }
    }
}
