import ArgumentParser
import UsherAssembly
import UsherCatalog
import UsherCore

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say what is wrong in a catalogue, with line and column.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, sarif }

    @OptionGroup var options: Options
    @Argument(help: "The file to check.") var file: String?
    @Option(help: "text, json or sarif.") var format: Format = .text
    @Flag(help: "Let warnings count as errors.") var strict = false

    func run() throws {
        let path = try file ?? options.catalog ?? options.configuration().catalogPath
        let report = CatalogReader.withFiles(try options.registry()).read(path: path)
        switch options.json ? .json : format {
        case .json:
            Output.json([
                "file": .string(path), "valid": .bool(!report.hasErrors),
                "findings": .array(report.diagnostics.map { $0.json(file: path) }),
            ])
        case .sarif: Output.json(report.sarif(file: path))
        case .text:
            for diagnostic in report.diagnostics {
                print(diagnostic.text(file: path, paint: paint))
                let excerpt = diagnostic.excerpt(of: report.text)
                if !excerpt.isEmpty { print(Terminal.output.paint(excerpt, .quiet)) }
            }
            if let catalog = report.catalog {
                Output.diagnostic(
                    "\(path): \(counted(catalog.meetingTypes.count, "meeting type")), \(counted(catalog.providers.count, "provider")), \(counted(report.diagnostics.count, "warning"))"
                )
            }
        }
        if report.diagnostics.contains(where: { $0.code == .unreadable }) { throw Exit.usage }
        if report.hasErrors || (strict && !report.diagnostics.isEmpty) { throw Exit.refused }
    }

    private func paint(_ word: String, _ severity: Diagnostic.Severity) -> String {
        Terminal.output.paint(word, severity == .error ? .bad : .warn)
    }
}

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "schema", abstract: "Print the JSON Schema of the catalogue, for editors.")

    @OptionGroup var options: Options
    @Flag(help: "List every key with its meaning, to read.") var reference = false

    func run() throws {
        let registry = try options.registry()
        if reference { print(CatalogReference.text(registry)) } else { Output.json(CatalogSchema.json(registry)) }
    }
}
