import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show which provider a booking would get, and why.")

    @OptionGroup var options: Options
    @Argument(help: "The meeting type.") var type: String
    @Option(help: "The owner's id.") var owner: String
    @Option(help: "The provider that a booking request would name.") var provider: String?

    func run() async throws {
        let resolution = try await options.withRuntime(adopting: false) { runtime in
            try await runtime.desk.resolve(type, owner: owner, requested: provider)
        }
        if options.json { Output.json(resolution.json) } else { show(resolution) }
        if resolution.problem != nil { throw Exit.refused }
    }

    private func show(_ resolution: Resolution) {
        print("\(type) for \(owner): \(resolution.provider) (module \(resolution.module)), because \(resolution.because.rawValue)")
        Output.table(resolution.trace.map { ["  \($0.rule.rawValue)", $0.provider ?? "-", $0.outcome.rawValue, $0.detail] })
        if let problem = resolution.problem { print("  remedy: \(problem.remedy)") }
    }
}
