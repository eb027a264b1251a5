import ArgumentParser
import UsherAssembly
import UsherCatalog
import UsherCore

struct Providers: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the provider modules, what they can do, and what is missing to use them.")

    @OptionGroup var options: Options

    func run() throws {
        let configuration = try options.configuration()
        let registry = try options.registry()
        // Providers of the catalogue, and the modules that it does not use.
        let entries = CatalogReader.withFiles(registry).read(path: configuration.catalogPath).catalog?.providers ?? []
        let unused = registry.modules.map { $0.descriptor }.filter { descriptor in !entries.contains { $0.module == descriptor.id } }
        let rows =
            entries.compactMap { entry in registry.descriptor(entry.module).map { row(entry.name, $0, entry.credentials, configuration) } }
            + unused.map { row("-", $0, nil, configuration) }
        if options.json {
            Output.json(.array(rows.map(\.json)))
        } else {
            Output.table(
                [["PROVIDER", "MODULE", "CAN", "MISSING"]]
                    + rows.map {
                        [
                            $0.name, $0.module, $0.abilities.joined(separator: " "),
                            $0.missing.isEmpty ? "nothing" : $0.missing.joined(separator: " "),
                        ]
                    })
        }
        if rows.contains(where: { $0.name != "-" && !$0.missing.isEmpty }) { throw Exit.refused }
    }

    private struct Row {
        var name: String
        var module: String
        var abilities: [String]
        var missing: [String]

        var json: JSON {
            [
                "provider": name == "-" ? .null : .string(name), "module": .string(module),
                "capabilities": .array(abilities.map(JSON.string)),
                "missing": .array(missing.map(JSON.string)),
            ]
        }
    }

    private func row(_ name: String, _ descriptor: ProviderDescriptor, _ prefix: String?, _ configuration: Configuration) -> Row {
        let keys = descriptor.credentials.map { "\(prefix ?? descriptor.credentialPrefix)_\($0)" }
        return Row(
            name: name, module: descriptor.id, abilities: descriptor.capabilities.map(\.rawValue).sorted(),
            missing: keys.filter { configuration.values[$0] == nil })
    }
}
