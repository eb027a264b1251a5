import ArgumentParser
import Foundation
import UsherAssembly
import UsherCatalog
import UsherCore

/// The first start: asks, writes a catalogue and a configuration, and says how to go on.
struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a first catalogue and a configuration, by asking or from options.",
        discussion: "At a terminal it asks for what no option says; elsewhere --name, --from, --owner and --provider are required.")

    @Option(help: "What the site is called.") var name: String?
    @Option(help: "The address that its mail comes from.") var from: String?
    @Option(help: "Who hosts: \"Ana Ruiz <ana@northwind.example>\".") var owner: String?
    @Option(help: "The site's zone; this machine's where it is not given.") var timeZone: String?
    @Option(help: "The site's language.") var language: String?
    @Option(help: "A module, such as zoom or jitsi, or the https:// address of rooms of your own.") var provider: String?
    @Option(name: .customLong("public-url"), help: "Where people reach the server.") var publicURL: String?
    @Option(help: "As in SMTP_URL.") var smtp: String?
    @Option(help: "As in DATABASE_URL.") var database: String?
    @Option(help: "Where the two files are written.") var folder = "."
    @Flag(help: "Answer in JSON.") var json = false

    func run() async throws {
        let registry = try ProviderRegistry(ProviderModules.known)
        var site = FirstSite(folder: URL(fileURLWithPath: folder).standardizedFileURL.path, registry: registry)
        for path in [site.catalogPath, site.environmentPath] where FileManager.default.fileExists(atPath: path) {
            throw UsherError(.configuration, "\(path) is there already, and nothing was written: choose another --folder, or move it away.")
        }
        try answer(&site)
        try check(site)
        do { try FileManager.default.createDirectory(atPath: site.folder, withIntermediateDirectories: true) } catch {
            throw UsherError(.configuration, "The folder \(site.folder) cannot be made: check its owner and mode.")
        }
        let key = "usher_" + Environment.system.code(bits: 160)
        let vaultKey = Data(Environment.system.random(32)).base64EncodedString()
        try NewFile.write(site.catalog, to: site.catalogPath, mode: 0o644)
        do {
            try NewFile.write(site.environment(key: key, vaultKey: vaultKey), to: site.environmentPath, mode: 0o600)
        } catch {
            unlink(site.catalogPath)
            throw error
        }
        tell(site)
    }

    private func answer(_ site: inout FirstSite) throws {
        let given: [String: String?] = [
            "--name": name, "--from": from, "--owner": owner, "--time-zone": timeZone, "--language": language, "--provider": provider,
            "--public-url": publicURL, "--smtp": smtp, "--database": database,
        ]
        let asks = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
        var findings: [UsherError.Finding] = []
        for question in FirstQuestion.all {
            if let text = given[question.option] ?? nil {
                if let trouble = question.take(text.trimmingBlanks, &site) { findings.append(.init(question.option, trouble)) }
            } else if asks {
                try ask(question, &site)
            } else if question.preset(site) == nil {
                findings.append(.init(question.option, question.text))
            }
        }
        guard findings.isEmpty else {
            throw UsherError(.validationFailed, "Nothing was written, because answers are missing or wrong.", findings: findings)
        }
    }

    /// Asks until the answer will do.
    private func ask(_ question: FirstQuestion, _ site: inout FirstSite) throws {
        while true {
            let preset = question.preset(site)
            let shown = preset.map { $0.isEmpty ? " [none]" : " [\($0)]" } ?? ""
            FileHandle.standardError.write(Data("\(question.text)\(shown): ".utf8))
            guard let line = readLine() else { throw UsherError(.validationFailed, "The answers ended, and nothing was written.") }
            let text = line.trimmingBlanks
            guard let trouble = question.take(text.isEmpty ? preset ?? "" : text, &site) else { return }
            Output.diagnostic("  " + trouble)
        }
    }

    /// What is written must be what the other commands take.
    private func check(_ site: FirstSite) throws {
        let report = CatalogReader(site.registry).read(Array(site.catalog.utf8))
        if let error = report.diagnostics.first(where: { $0.severity == .error }) {
            throw UsherError(.validationFailed, "Nothing was written: \(error.message)")
        }
        let sample = ["USHER_PUBLIC_URL": site.publicURL, "USHER_VAULT_KEYS": String(repeating: "0", count: 64)]
        _ = try Configuration(environment: sample, registry: site.registry)
    }

    private func tell(_ site: FirstSite) {
        let next = ["export USHER_CONFIG='\(site.environmentPath)'", "usher doctor", "usher serve"]
        guard !json else {
            return Output.json([
                "catalogue": .string(site.catalogPath), "configuration": .string(site.environmentPath),
                "next": .array(next.map(JSON.string)),
            ])
        }
        print("Written: \(site.catalogPath), and \(site.environmentPath), which holds the admin's key. Next:")
        for line in next { print("  " + line) }
    }
}

/// A file that was not there before.
enum NewFile {
    /// - Throws: ``UsherError`` where it is there, or cannot be written; then there is none.
    static func write(_ text: String, to path: String, mode: mode_t) throws {
        let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw UsherError(.configuration, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
        let bytes = Array(text.utf8)
        let isWritten = Foundation.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten else {
            unlink(path)
            throw UsherError(.configuration, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
    }
}
