import ArgumentParser
import Foundation
import UsherAssembly
import UsherAvailability
import UsherCore
import UsherPipeline
import UsherStore

struct Slots: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what can be booked, or why a time cannot.")

    @OptionGroup var options: Options
    @Argument(help: "The meeting type.") var type: String
    @Option(help: "The owner's id; the type's hosts where it is not given.") var owner: String?
    @Option(help: "The first day, 2026-12-01; today where it is not given.") var from: String?
    @Option(help: "How many days, at most 31.") var days = 7
    @Option(help: "The zone in which days begin and times are shown; the site's where it is not given.") var timeZone: String?
    @Option(help: "Where the type offers more than one.") var duration: String?
    @Option(help: "A start, 2026-12-01T10:00, or with an offset: say host by host why it can be booked or cannot.") var explain: String?

    func validate() throws {
        guard (1...31).contains(days) else { throw ValidationError("--days must be 1 to 31.") }
        if let from, CalendarDate(from) == nil { throw ValidationError("--from '\(from)' is no date: write 2026-12-01.") }
        if let timeZone, TimeZone(iana: timeZone) == nil {
            throw ValidationError("--time-zone '\(timeZone)' is not a time zone: write an IANA name such as Europe/Berlin.")
        }
        if let explain, WrittenTime(explain) == nil { throw ValidationError("--explain '\(explain)' is no time: write 2026-12-01T10:00.") }
    }

    func run() async throws {
        try await options.withRuntime(adopting: false, looking: true) { runtime in
            let zone = TimeZone(iana: timeZone ?? runtime.context.catalog.current.site.timeZone) ?? .gmt
            let service = SlotService(runtime.context)
            let question = SlotService.Question(meetingType: type, owner: owner, duration: duration)
            let now = runtime.context.now
            if let explain { return try await self.explain(question, try start(explain, zone), service, zone) }
            let first = from.flatMap { CalendarDate($0) } ?? CalendarDate(WallTime(now, in: zone))
            let offer = try await service.slots(
                question, from: first.beginning(in: zone), to: (first + Int64(days)).beginning(in: zone), timeZone: zone)
            if options.json {
                return Output.json(["items": .array(offer.slots.map(\.json)), "calendars": .array(offer.calendars.map(\.json))])
            }
            if (first + Int64(days)).beginning(in: zone) <= now { return print("These days are over.") }
            show(offer.slots, zone)
            for host in offer.calendars where host.state != .fresh {
                Output.diagnostic("\(host.owner): a calendar is \(host.state.rawValue); `usher owner calendars \(host.owner)` says more.")
            }
        }
    }

    private func start(_ text: String, _ zone: TimeZone) throws -> Instant {
        switch WrittenTime(text) {
        case .instant(let instant)?: return instant
        case .wall(let wall)?:
            switch WallTimeMeaning(wall, in: zone) {
            case .once(let instant), .twice(earlier: let instant, later: _): return instant
            case .skipped: throw UsherError(.validationFailed, "The clocks in \(zone.identifier) skip \(wall.text): choose another time.")
            }
        case nil: throw UsherError(.validationFailed, "'\(text)' is no time: write 2026-12-01T10:00.")
        }
    }

    /// A line a day.
    private func show(_ slots: [SlotService.Slot], _ zone: TimeZone) {
        if slots.isEmpty { print("Nothing is free in these days. `usher slots \(type) --explain START` says why.") }
        let byDay = Dictionary(grouping: slots) { CalendarDate(WallTime($0.start, in: zone)) }
        let many = slots.contains { $0.free > 1 }
        for (day, slots) in byDay.sorted(by: { $0.key < $1.key }) {
            let times = slots.map { slot in
                WallTime(slot.start, in: zone).text.dropFirst(11).prefix(5) + (many ? " (\(slot.free))" : "")
            }
            print("\(Self.weekdays[day.weekday - 1]) \(day.text)  \(times.joined(separator: " "))")
        }
        print("Times in \(zone.identifier)\(many ? "; in brackets how many hosts are free" : "").")
    }

    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    private func explain(_ question: SlotService.Question, _ start: Instant, _ service: SlotService, _ zone: TimeZone) async throws {
        let hosts = try await service.explain(question, start: start)
        let isFree = hosts.contains { $0.reasons.isEmpty }
        if options.json {
            Output.json(["start": .string(start.rfc3339), "free": .bool(isFree), "hosts": .array(hosts.map(\.json))])
        } else {
            print("\(type) at \(start.rfc3339(in: zone)): \(isFree ? "can be booked" : "cannot be booked")")
            Output.table(
                hosts.map { host in
                    let reasons = host.reasons.map { "\($0.inWords) [\($0.rawValue)]" }.joined(separator: ", ")
                    return ["  \(host.owner)", reasons.isEmpty ? "is free" : reasons]
                })
        }
        if !isFree { throw Exit.refused }
    }
}
