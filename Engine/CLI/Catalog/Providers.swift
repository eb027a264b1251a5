import ArgumentParser
import UsherAssembly
import UsherCatalog
import UsherCore
import UsherPipeline
import UsherStore

struct Providers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the provider modules, what they can do, what is missing to use them, and how they do.")

    @OptionGroup var options: Options

    func run() async throws {
        let configuration = try options.configuration()
        let registry = try options.registry()
        // Providers of the catalogue, and the modules that it does not use.
        let entries = CatalogReader.withFiles(registry).read(path: configuration.catalogPath).catalog?.providers ?? []
        let unused = registry.modules.map { $0.descriptor }.filter { descriptor in !entries.contains { $0.module == descriptor.id } }
        let (failing, connections) = try await known(configuration)
        let rows =
            entries.compactMap { entry in
                registry.descriptor(entry.module).map { descriptor in
                    let lacking = connections.filter { $0.provider == entry.name && $0.problem != nil }
                    return row(entry.name, descriptor, entry.credentials, configuration, failing.words(of: entry.name), lacking)
                }
            } + unused.map { row("-", $0, nil, configuration, "", []) }
        if options.json {
            Output.json(.array(rows.map { $0.json(failing) }))
        } else {
            show(rows)
        }
        if rows.contains(where: { $0.name != "-" && !$0.missing.isEmpty }) { throw Exit.refused }
    }

    private func show(_ rows: [Row]) {
        Output.table(
            [["PROVIDER", "MODULE", "CAN", "MISSING", "HEALTH"]]
                + rows.map {
                    [
                        $0.name, $0.module, $0.abilities.joined(separator: " "),
                        $0.missing.isEmpty ? "nothing" : $0.missing.joined(separator: " "), $0.health,
                    ]
                }, hasHeader: true)
        for row in rows { for line in row.connections { print("  \(row.name), \(line)") } }
    }

    /// What the database knows of providers and of connections that lack something, where there is one.
    private func known(_ configuration: Configuration) async throws -> ([FailingProvider], [StoredConnection]) {
        guard configuration.database.exists else { return ([], []) }
        let store = try await Runtime.store(configuration, settles: false)
        let found = try await store.read { tx in
            (try tx.failingProviders(), try tx.connections(limit: 1_000).filter { $0.health != .ok })
        }
        try await store.database.close()
        return found
    }

    private struct Row {
        var name: String
        var module: String
        var abilities: [String]
        var missing: [String]
        var health: String
        /// Owners whose connection lacks something, and what.
        var connections: [String]

        func json(_ failing: [FailingProvider]) -> JSON {
            [
                "provider": name == "-" ? .null : .string(name), "module": .string(module),
                "capabilities": .array(abilities.map(JSON.string)),
                "missing": .array(missing.map(JSON.string)), "health": name == "-" ? .null : failing.health(of: name).json,
                "connections": .array(connections.map(JSON.string)),
            ]
        }
    }

    private func row(
        _ name: String, _ descriptor: ProviderDescriptor, _ prefix: String?, _ configuration: Configuration, _ health: String,
        _ lacking: [StoredConnection]
    ) -> Row {
        let keys = descriptor.credentials.map { "\(prefix ?? descriptor.credentialPrefix)_\($0)" }
        let missing = keys.filter { configuration.values[$0] == nil }
        return Row(
            name: name, module: descriptor.id, abilities: descriptor.capabilities.map(\.rawValue).sorted(), missing: missing,
            health: name == "-" || missing.isEmpty ? health : "not set up",
            connections: lacking.map { "\($0.ownerID): \($0.problem?.message ?? "") \($0.problem?.remedy ?? "")" })
    }
}
