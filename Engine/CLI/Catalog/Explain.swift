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
        let (resolution, json, health) = try await options.withRuntime(adopting: false, looking: true) { runtime in
            let resolution = try await runtime.service.resolve(type, owner: owner, requested: provider)
            let health = try await runtime.context.health.all().words(of: resolution.provider)
            return (resolution, try await runtime.service.explained(resolution).json, health)
        }
        if options.json { Output.json(json) } else { show(resolution, health) }
        if resolution.problem != nil { throw Exit.refused }
    }

    private func show(_ resolution: Resolution, _ health: String) {
        print("\(type) for \(owner): \(resolution.provider) (module \(resolution.module)), because \(resolution.because.rawValue)")
        Output.table(resolution.trace.map { ["  \($0.rule.rawValue)", $0.provider ?? "-", $0.outcome.rawValue, $0.detail] })
        if resolution.problem == nil { print("  \(resolution.provider): \(health)") }
        if let problem = resolution.problem { print("  problem: \(problem.message)\n  remedy: \(problem.remedy)") }
    }
}
