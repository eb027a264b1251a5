import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore

extension OwnerCommand {
    struct Calendars: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The calendars that say when an owner is busy.")
        @OptionGroup var options: Options
        @Argument(help: "The owner's id.") var id: String

        func run() async throws {
            let calendars = try await options.withRuntime(adopting: false, looking: true) { runtime in
                _ = try await OwnerService(runtime.context).owner(id)
                return try await CalendarService(runtime.context).list(of: id)
            }
            if options.json { return Output.json(["items": .array(calendars.map(\.json)), "nextCursor": nil]) }
            guard !calendars.isEmpty else { return print("\(id) has connected no calendar.") }
            Output.table(
                [["ID", "KIND", "NAME", "ACCOUNT", "COUNTS", "STATE", "AS OF"]]
                    + calendars.map {
                        [
                            $0.calendar.id, $0.calendar.kind, $0.calendar.name.isEmpty ? "-" : $0.calendar.name, $0.calendar.account,
                            $0.calendar.counts ? "yes" : "no", $0.state.rawValue, $0.calendar.asOf?.rfc3339 ?? "-",
                        ]
                    }, hasHeader: true)
            for shown in calendars {
                if let problem = shown.calendar.problem { Output.diagnostic("\(shown.calendar.id): \(problem.message) \(problem.remedy)") }
            }
        }
    }
}
