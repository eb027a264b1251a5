import ArgumentParser
import Foundation
import Logging
import Synchronization
import UsherAssembly
import UsherCore
import UsherPipeline

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the server: API, pages, workers.")

    @OptionGroup var options: Options
    @Option(help: "Pieces of work at the same time; 0 leaves them to other processes.") var workers = 32

    @Option(help: "Requests that are worked on at the same time; more are told to come again.") var requests = 32

    func validate() throws {
        guard (1...10_000).contains(requests) else { throw ValidationError("--requests must be 1 to 10000.") }
        guard (0...256).contains(workers) else { throw ValidationError("--workers must be 0 to 256.") }
    }

    func run() async throws {
        // Which catalogue is in force, and so whose owners are, is decided below.
        try await options.withRuntime(adopting: false) { runtime in
            let configuration = runtime.configuration
            LogOutput.settings.withLock { $0 = (configuration.logStyle, .info) }
            if configuration.adminKey == nil, try await APIKeys(runtime.context).countAlive() == 0 {
                Output.diagnostic("warning: there is no API key, so every API call is refused: make one with `usher key create`.")
            }
            try await Serving(runtime).run(watching: configuration.catalogPath, workers: workers, requests: requests) { port in
                let place = "http://\(configuration.host):\(port)"
                switch configuration.logStyle {
                case .text: Output.diagnostic("usher: listening on \(place), links begin with \(configuration.publicURL)")
                case .json:
                    runtime.context.logger.notice(
                        "listening", metadata: ["address": "\(place)", "public-url": "\(configuration.publicURL)"])
                }
            }
        }
    }
}

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look at everything that Usher needs, and say how to mend it.")

    @OptionGroup var options: Options
    @Flag(help: "First mend what can be mended without harm: files that others can read, folders that are missing.") var fix = false

    func run() async throws {
        if fix {
            mend(FileFault.ofConfiguration(ProcessInfo.processInfo.environment))
            mend(FileFault.all(try options.configuration()))
        }
        let findings = await Doctor(try options.configuration(), try options.registry()).examine()
        if options.json {
            Output.json(
                .array(
                    findings.map {
                        ["area": .string($0.area), "ok": .bool($0.isFine), "finding": .string($0.text), "remedy": .string($0.remedy)]
                    }))
        } else {
            for finding in findings {
                print("\(finding.isFine ? "ok   " : "WRONG") \(finding.area): \(finding.text)")
                if !finding.isFine { print("      remedy: \(finding.remedy)") }
            }
        }
        if findings.contains(where: { !$0.isFine }) { throw Exit.refused }
    }

    /// What cannot be mended is said, and the rest is looked at all the same.
    private func mend(_ faults: [FileFault]) {
        for fault in faults {
            do throws(UsherError) {
                try fault.repair()
                Output.diagnostic("mended: \(fault.text): \(fault.command)")
            } catch { Output.problem(error) }
        }
    }
}
