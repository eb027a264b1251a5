import Foundation
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

/// The pictures of the admin's overview.
struct AdminCharts {
    let tallies: [BookingTally]
    let waits: [BookingWait]
    let waiting: [(kind: String, count: Int64, oldest: Instant)]
    let today: CalendarDate
    let now: Instant
    let catalog: Catalog
    let connections: [(provider: String, health: StoredConnection.Health, count: Int64)]
    /// With what each may spend a day; `nil` for any number.
    let spenders: [(provider: String, account: String, calls: Int, most: Int?)]

    /// Days before and after today whose meetings are counted.
    static let (before, after) = (Int64(7), Int64(14))
    /// Meetings to come whose guests' waiting is looked at.
    static let mostWaits = 200
    /// Accounts whose calls are shown.
    static let mostSpenders = 6

    var all: [ChartPart] { [days, providers, waitsChart, queues, budgets, health] }

    private var days: ChartPart {
        let zone = TimeZone(iana: AdminTime.zone) ?? .gmt
        let byDay = Dictionary(grouping: tallies) { CalendarDate(WallTime($0.start, in: zone)) }
        let columns = (-Self.before..<Self.after).map { offset -> ChartPart.Column in
            let day = today + offset
            let (held, cancelled) = (count(byDay[day]) { $0.status == .confirmed }, count(byDay[day]) { $0.status == .cancelled })
            return .init(
                name: String(day.text.dropFirst(5)),
                parts: [(.good, Double(held), "\(held) confirmed"), (.idle, Double(cancelled), "\(cancelled) cancelled")])
        }
        return ChartPart("Meetings a day, from a week ago on", columns, namesEvery: 3)
    }

    private var providers: ChartPart {
        let byProvider = Dictionary(grouping: tallies.filter { $0.status == .confirmed }, by: \.provider)
        let columns = byProvider.sorted { $0.key < $1.key }.map { provider, all -> ChartPart.Column in
            let (ready, bad) = (count(all) { $0.meeting == .ready }, count(all) { [.failed, .blocked].contains($0.meeting) })
            let rest = count(all) { _ in true } - ready - bad
            return .init(
                name: catalog.title(of: provider),
                parts: [
                    (.good, Double(ready), "\(ready) with a room"), (.idle, Double(rest), "\(rest) on their way"),
                    (.bad, Double(bad), "\(bad) with a problem"),
                ])
        }
        return ChartPart("Rooms of these meetings, by provider", columns)
    }

    /// The median and the slowest twentieth.
    private var waitsChart: ChartPart {
        func column(_ name: String, _ waits: [Duration], _ share: Double) -> ChartPart.Column? {
            let sorted = waits.sorted()
            guard !sorted.isEmpty else { return nil }
            let value = sorted[max(Int((Double(sorted.count) * share).rounded(.up)) - 1, 0)]
            let seconds = Double(value.microseconds) / 1_000_000
            return .init(name: name, parts: [(seconds < 60 ? .good : .warn, seconds, "\(Int(seconds.rounded(.up))) s")])
        }
        let (rooms, mails) = (waits.compactMap(\.room), waits.compactMap(\.mail))
        let columns = [
            column("room, half", rooms, 0.5), column("room, 95 %", rooms, 0.95), column("mail, half", mails, 0.5),
            column("mail, 95 %", mails, 0.95),
        ]
        return ChartPart("From booking to room and to first mail, of the next meetings", columns.compactMap(\.self), unit: " s")
    }

    private var queues: ChartPart {
        let columns = waiting.sorted { $0.kind < $1.kind }.map { kind, count, oldest -> ChartPart.Column in
            let age = max((now - oldest).wholeSeconds, 0)
            return .init(name: kind, parts: [(age < 60 ? .good : .warn, Double(age), "\(count) due, the oldest for \(age) s")])
        }
        return ChartPart("How long the oldest work of each kind is due", columns, unit: " s")
    }

    private var budgets: ChartPart {
        let columns = spenders.map { spender -> ChartPart.Column in
            let share = spender.most.map { Double(spender.calls) / Double($0) } ?? 0
            let words = spender.most.map { "\(spender.calls) of \($0)" } ?? "\(spender.calls)"
            return .init(
                name: String(spender.account.prefix { $0 != "@" }),
                parts: [
                    (
                        share < 0.8 ? .good : share < 1 ? .warn : .bad, Double(spender.calls),
                        "\(words) at \(catalog.title(of: spender.provider))"
                    )
                ])
        }
        return ChartPart("Rooms made and moved today by this server, the busiest hosts (a service's day begins at 00:00 UTC)", columns)
    }

    private var health: ChartPart {
        let columns = Dictionary(grouping: connections, by: \.provider).sorted { $0.key < $1.key }.map {
            provider, all -> ChartPart.Column in
            let well = all.filter { $0.health == .ok }.reduce(0) { $0 + $1.count }
            let rest = all.reduce(0) { $0 + $1.count } - well
            return .init(
                name: catalog.title(of: provider),
                parts: [(.good, Double(well), "\(well) connected"), (.bad, Double(rest), "\(rest) need their owner")])
        }
        return ChartPart("Owners' connections, by provider", columns)
    }

    private func count(_ tallies: [BookingTally]?, _ isMeant: (BookingTally) -> Bool) -> Int64 {
        (tallies ?? []).filter(isMeant).reduce(0) { $0 + $1.count }
    }
}
