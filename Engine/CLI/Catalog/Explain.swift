import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore

struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show which provider a booking would get, and why.")

    @OptionGroup var options: Options
    @Argument(help: "The meeting type.") var type: String
    @Option(help: "The owner's id.") var owner: String
    @Option(help: "The provider that a booking request would name.") var provider: String?

    func run() async throws {
        let resolution = try await options.withRuntime(adopting: false) { runtime in
            let catalog = runtime.context.catalog.current
            guard let meetingType = catalog.meetingType(type) else {
                let near = nearest(type, catalog.meetingTypes.map(\.id)).map { " Did you mean '\($0)'?" } ?? ""
                throw UsherError(.notFound, "No meeting type is called '\(type)'.\(near)")
            }
            guard let stored = try await runtime.context.store.read({ try $0.owner(owner, in: catalog) }) else {
                throw UsherError(.notFound, "No owner is called '\(owner)'; `usher owner list` shows them.")
            }
            return try catalog.resolve(
                meetingType, owner: stored.owner, requested: provider, problem: Provisioner(runtime.context).obstacle)
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

extension Resolution {
    /// As `GET /v1/resolve` answers it.
    var json: JSON {
        let steps = trace.map { step -> JSON in
            [
                "rule": .string(step.rule.rawValue), "provider": JSON(step.provider), "outcome": .string(step.outcome.rawValue),
                "detail": .string(step.detail),
            ]
        }
        return [
            "provider": .string(provider), "module": .string(module), "because": .string(because.rawValue),
            "usable": .bool(self.problem == nil), "problem": problem?.json ?? .null, "trace": .array(steps),
        ]
    }
}
