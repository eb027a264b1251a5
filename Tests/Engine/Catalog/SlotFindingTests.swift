import TestValues
import Testing
import UsherCatalog
import UsherCore

/// What `usher check` says of hours, slots and hosts.
@Suite(.timeLimit(.minutes(1)))
struct SlotFindingTests {
    private static let head = """
        version: 1
        site: { name: N, from: n@n.example, time-zone: Europe/Berlin, default-provider: room }
        providers: { room: { module: link, url: "https://meet.example/{code}" } }
        owners:
          ana: { name: Ana, email: ana@n.example, schedule: day }
          bo: { name: Bo, email: bo@n.example }

        """
    private static let type = "meeting-types: { visit: { title: V, duration: 30m, slots: { schedule: day } } }"
    private static let day = "schedules: { day: { weekly: { mon-fri: [\"09:00-17:00\"] } } }\n"

    private func findings(_ text: String) throws -> [String] {
        CatalogReader(try ProviderRegistry(TestCatalog.modules)).read(Array((Self.head + text).utf8)).diagnostics.map {
            "\($0.line):\($0.column) \($0.message)"
        }
    }

    @Test("hours, slots and hosts that are right give no finding")
    func right() throws {
        #expect(
            try findings(
                """
                schedules:
                  day:
                    time-zone: Europe/Berlin
                    weekly: { mon-thu: ["09:00-12:30", "12:30-17:00"], sat-sun: ["22:00-02:00"], fri: ["20:00-24:00"] }
                    except: { 2026-12-24: [], 2026-12-27..2027-01-03: ["10:00-12:00"] }
                meeting-types:
                  visit: { title: V, duration: 30m, hosts: { ana: 2, bo: 1 }, slots: { schedule: day, notice: 0m, buffer: { after: 10m }, step: 10m } }
                """) == [])
    }

    @Test(
        "what is wrong with hours is said once, with its place",
        arguments: [
            ("{ weekly: { mon: [\"9:00-17:00\"] } }", "are no hours"),
            ("{ weekly: { mon: [\"09:00-12:00\", \"11:00-13:00\"] } }", "overlap"),
            ("{ weekly: { mon: [\"22:00-02:00\"], tue: [\"01:00-09:00\"] } }", "the hours of mon pass midnight into those of tue"),
            ("{ weekly: { monday: [] } }", "is no day"), ("{ weekly: { mon-tue: [], tue: [] } }", "stands twice"),
            ("{ weekly: {}, except: { 2026-02-30: [] } }", "is no date"),
            ("{ weekly: {}, except: { 2026-12-01..2026-12-05: [], 2026-12-03: [] } }", "stands in"),
            (
                "{ weekly: { mon-sun: [\"09:00-17:00\"] }, except: { 2026-12-09: [\"20:00-10:00\"] } }",
                "pass midnight into those of 2026-12-10"
            ),
            ("{ weekly: {}, except: { 2026-12-05..2026-12-01: [] } }", "ends before it begins"),
        ])
    func hours(_ schedule: String, _ message: String) throws {
        let found = try findings("schedules: { day: \(schedule) }\n" + Self.type)
        #expect(found.count == 1 && found[0].contains(message), "\(found)")
        #expect(found[0].hasPrefix("7:"))
    }

    @Test(
        "what is wrong with slots and hosts is said once",
        arguments: [
            ("slots: { schedule: dey }", "did you mean 'day'"), ("slots: { schedule: day, hold: 2h }", "from 1m to 1h"),
            ("slots: { schedule: day, horizon: 36h }", "whole days"), ("slots: { schedule: day, limits: { day: 0 } }", "from 1 to 1000"),
            ("hosts: [eve]", "names the owner 'eve'"), ("hosts: []", "is an empty list"), ("hosts: {}", "is empty"),
            ("hosts: { ana: 0 }", "from 1 to 1000"), ("hosts: [bo, bo], slots: {}", "stands twice"), ("hosts: ana", "must be a list"),
            ("slots: { schedule: day, buffer: { after: 10m } }", "20m are lost until the next slot"),
        ])
    func slots(_ keys: String, _ message: String) throws {
        let found = try findings(Self.day + "meeting-types: { visit: { title: V, duration: 30m, \(keys) } }")
        #expect(found.contains { $0.contains(message) }, "\(found)")
        #expect(found.count == (keys.contains("bo, bo") ? 2 : 1), "\(found)")
    }

    @Test("a host who stands in the file needs hours")
    func hostWithoutHours() throws {
        let found = try findings(Self.day + "meeting-types: { visit: { title: V, duration: 30m, hosts: [ana, bo], slots: {} } }")
        #expect(found.count == 1 && found[0].contains("'bo' has no hours"))
    }
}
