import ArgumentParser
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore

struct BookingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "booking", abstract: "Show, move, cancel or retry bookings.",
        subcommands: [List.self, Show.self, Cancel.self, Reschedule.self, Retry.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Bookings to come, earliest first.")
        @OptionGroup var options: Options
        @Option(help: "Of this owner only.") var owner: String?
        @Option(help: "At most so many.") var limit = 50

        func validate() throws {
            guard (1...1_000).contains(limit) else { throw ValidationError("--limit must be 1 to 1000.") }
        }

        @Flag(help: "Past ones too.") var all = false

        func run() async throws {
            let views = try await options.withRuntime(adopting: false, looking: true) { runtime in
                var filter = BookingService.Filter()
                filter.owner = owner
                if !all { filter.from = runtime.context.now }
                return try await runtime.service.page(filter, after: nil, limit: limit).views
            }
            if options.json { return Output.json(["items": .array(views.map { $0.json }), "nextCursor": nil]) }
            Output.table(
                [["ID", "START", "STATUS", "MEETING", "OWNER", "TITLE"]]
                    + views.map { view in
                        let booking = view.booking
                        return [
                            booking.id, booking.start.inZone(booking.terms.owner.timeZone), booking.status.rawValue,
                            booking.meeting.status.rawValue,
                            booking.terms.owner.id, booking.title,
                        ]
                    }, hasHeader: true)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "One booking, with all that happened to it.")
        @OptionGroup var options: Options
        @Argument(help: "The booking's id.") var id: String

        func run() async throws {
            let (view, timeline) = try await options.withRuntime(adopting: false, looking: true) { runtime in
                let view = try await runtime.service.view(id)
                return (view, try await runtime.context.store.read { try $0.timeline(of: id) })
            }
            if options.json { return Output.json(view.json) }
            Output.booking(view)
            Output.table(timeline.map { ["  \($0.at.rfc3339)", $0.event, $0.detail] })
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Cancel a booking, its room and tell everyone.")
        @OptionGroup var options: Options
        @Argument(help: "The booking's id.") var id: String
        @Option(help: "How long to wait for what follows.") var wait = "30s"

        func run() async throws {
            try await options.withRuntime { runtime in
                _ = try await runtime.service.cancel(id)
                let driver = BookingDriver(runtime)
                try await driver.report(try await driver.drive(id, within: options.patience(wait)), options)
            }
        }
    }

    struct Reschedule: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Move a booking; the room and its link stay the same.")
        @OptionGroup var options: Options
        @Argument(help: "The booking's id.") var id: String
        @Option(help: "The new start, written as for `usher book`.") var at: String
        @Option(help: "The zone of --at; the booking's where it is not given.") var timeZone: String?
        @Option(help: "earlier or later, where the clocks show the time twice.") var disambiguation: String?
        @Flag(help: "As for `usher book`.") var anyTime = false
        @Option(help: "How long to wait for what follows.") var wait = "30s"

        func run() async throws {
            try await options.withRuntime { runtime in
                let which = disambiguation.flatMap(BookingRequest.Disambiguation.init)
                guard disambiguation == nil || which != nil else {
                    throw UsherError(.validationFailed, "--disambiguation must be earlier or later.")
                }
                _ = try await runtime.service.reschedule(
                    id, to: at, timeZone: timeZone, disambiguation: which, anyTime: anyTime)
                let driver = BookingDriver(runtime)
                try await driver.report(try await driver.drive(id, within: options.patience(wait)), options)
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Try again at once what failed, is blocked or waits.")
        @OptionGroup var options: Options
        @Argument(help: "The booking's id.") var id: String
        @Option(help: "How long to wait for what follows.") var wait = "30s"

        func run() async throws {
            try await options.withRuntime { runtime in
                _ = try await runtime.service.retry(id)
                let driver = BookingDriver(runtime)
                try await driver.report(try await driver.drive(id, within: options.patience(wait)), options)
            }
        }
    }
}
