import Foundation
import ProviderSandbox
import TestPostgreSQL
import Testing
import UsherCore

/// Servers that share nothing but a PostgreSQL.
@Suite(.timeLimit(.minutes(90)))
struct ManyServersTests {
    @Test("of twenty who want the same time at two servers, one gets it")
    func oneSlot() async throws {
        let (site, ports, servers) = try await start(2)
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask {
                    try await Site.letIn { try await site.book(at: "2027-04-01T10:00:00Z", key: "k\(number)", port: ports[number % 2]) }
                        .status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.count { $0 == 201 } == 1 && statuses.count { $0 == 409 } == 19, "\(statuses)")
        await stop(site, servers)
    }

    @Test("two hundred callers with one idempotency key at two servers get one booking, and the same answer")
    func oneKey() async throws {
        let (site, ports, servers) = try await start(2)
        let answers = try await withThrowingTaskGroup(of: JSON.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await Site.letIn { try await site.book(at: "2027-04-01T10:00:00Z", key: "one", port: ports[number % 2]) }.json
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(answers.map { $0["id"]?.string }).count == 1 && answers[0]["id"]?.string != nil)
        // But for the room, which comes meanwhile.
        for field in ["start", "end", "owner", "status", "createdAt", "joinPage", "managePage", "attendees"] {
            #expect(Set(answers.map { "\($0[field] ?? .null)" }).count == 1, "\(field)")
        }
        await stop(site, servers)
    }

    @Test("who has asked one server for enough sign-in links is refused by the other as well")
    func oneLimit() async throws {
        let (site, ports, servers) = try await start(2)
        func ask(_ port: Int) async throws -> Int {
            try await site.call(
                "POST", "/owners/signin", body: "email=nobody@example.org",
                headers: [("Content-Type", "application/x-www-form-urlencoded")], port: port
            ).status
        }
        for _ in 0..<10 { #expect(try await ask(ports[0]) == 200) }
        var taken = 0
        while try await ask(ports[1]) == 200, taken < 9 {
            taken += 1
            try await Task.sleep(for: .seconds(1))
        }
        #expect(taken < 9, "the other server has heard nothing")
        await stop(site, servers)
    }

    /// Two pools that share their hosts, with the weights the other way round.
    private static let pools =
        Site.catalog.replacing(
            "owners:\n",
            with: """
                schedules: { day: { weekly: { mon-sun: ["06:00-20:00"] } } }
                owners:
                  bo: { name: Bo Li, email: bo@northwind.example, schedule: day }
                  cy: { name: Cy Roe, email: cy@northwind.example, schedule: day }

                """
        ).appending(
            """

              one: { title: One, duration: 30m, provider: room, hosts: { bo: 3, cy: 1 }, slots: { horizon: 1000d } }
              two: { title: Two, duration: 30m, provider: room, hosts: { bo: 1, cy: 3 }, slots: { horizon: 1000d } }
            """)

    private func start(pools count: Int) async throws -> (Site, [Int], [Command]) {
        let site = try await Site(catalog: Self.pools, server: try .shared())
        var (ports, servers): ([Int], [Command]) = ([], [])
        for number in 0..<count {
            ports.append(number == 0 ? site.port : try FreeTestPort.find())
            servers.append(try await site.serve(environment: ["USHER_PORT": "\(ports[number])"]))
        }
        return (site, ports, servers)
    }

    private func answers(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Int) async throws -> [Int] {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<count { group.addTask { try await body(number) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("of many who book one hold at two servers, and one who releases it, one is told yes")
    func oneHold() async throws {
        let (site, ports, servers) = try await start(pools: 2)
        for round in 0..<6 {
            let start = "2027-04-0\(1 + round)T10:00:00Z"
            let held = try await site.call("POST", "/v1/holds", body: #"{"meetingType": "one", "start": "\#(start)"}"#)
            let id = try #require(held.json["id"]?.string)
            let statuses = try await answers(9) { number in
                if number == 4 { return try await Site.letIn { try await site.call("DELETE", "/v1/holds/\(id)", port: ports[0]) }.status }
                let body = #"{"hold": "\#(id)", "attendees": [{"email": "bo@example.org"}]}"#
                return try await Site.letIn { try await site.call("POST", "/v1/bookings", body: body, port: ports[number % 2]) }.status
            }
            #expect(statuses.count { $0 == 201 || $0 == 204 } == 1, "\(statuses)")
            #expect(statuses.allSatisfy { [201, 204, 404, 409].contains($0) }, "\(statuses)")
        }
        await stop(site, servers)
    }

    @Test("pools that share hosts do not lock each other at two servers, and a slot goes to as many as there are hosts")
    func crossingPools() async throws {
        let (site, ports, servers) = try await start(pools: 2)
        let statuses = try await answers(24) { number in
            let body =
                #"{"meetingType": "\#(number % 2 == 0 ? "one" : "two")", "start": "2027-04-01T10:00:00Z", "attendees": [{"email": "bo@example.org"}]}"#
            return try await Site.letIn { try await site.call("POST", "/v1/bookings", body: body, port: ports[number / 2 % 2]) }.status
        }
        #expect(statuses.count { $0 == 201 } == 2 && statuses.count { $0 == 409 } == 22, "\(statuses)")
        await stop(site, servers)
    }

    @Test("a caller holds no more than twenty times, however many servers it asks at once")
    func manyHolds() async throws {
        let (site, ports, servers) = try await start(pools: 2)
        let statuses = try await answers(30) { number in
            let start = "2027-04-0\(1 + number % 9)T\(10 + number / 9):00:00Z"
            let body = #"{"meetingType": "one", "start": "\#(start)"}"#
            return try await Site.letIn { try await site.call("POST", "/v1/holds", body: body, port: ports[number % 2]) }.status
        }
        #expect(statuses.count { $0 == 201 } == 20, "\(statuses)")
        await stop(site, servers)
    }

    @Test("killed, stopped, cut off, and beside a database that restarts, servers lose no booking and make no room twice")
    func faults() async throws {
        let postgres = try PostgreSQLServer()
        let site = try await Site(server: postgres)
        let ports = [site.port, try FreeTestPort.find(), try FreeTestPort.find()]
        let accepted = AcceptedBookings()
        var servers: [Command] = []
        for port in ports { servers.append(try await site.serve(environment: ["USHER_PORT": "\(port)"])) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            let pause = isSoak ? Swift.Duration.milliseconds(400) : .zero
            for caller in 0..<6 {
                group.addTask { try await accepted.callAgainAndAgain(site, caller, port: ports[caller % 3], pause: pause) }
            }
            for round in 0..<(isSoak ? 100 : 6) {
                try await Task.sleep(for: .milliseconds(Int.random(in: 200...900)))
                let index = round % 3
                servers[index].kill()
                if round % 3 == 1 { try postgres.cutConnections(to: site.environment["DATABASE_URL"] ?? "") }
                if round % 6 == 2 { try postgres.control("-m fast restart -w") }
                if round % 6 == 5 { try postgres.control("-m immediate restart -w") }
                servers[index] = try await site.serve(environment: ["USHER_PORT": "\(ports[index])"])
                if round % 3 == 0 {
                    let stopped = servers[(index + 1) % 3]
                    stopped.signal(SIGSTOP)
                    try await Task.sleep(for: .seconds(isSoak && round == 0 ? 120 : 3))
                    stopped.signal(SIGCONT)
                }
            }
            try await Task.sleep(for: .seconds(1))
            accepted.end()
            try await group.waitForAll()
        }
        try await accepted.check(site, callers: 6)
        #expect(accepted.all.count > 6)
        await stop(site, servers)
    }

    @Test("servers whose clocks are three minutes apart take nobody for dead, do nothing twice, and are on time")
    func clocks() async throws {
        let postgres = try PostgreSQLServer.shared()
        let site = try await Site(server: postgres)
        let other = try FreeTestPort.find()
        let early = try await site.serve(environment: Command.clock(shiftedBy: -90).merging(["USHER_PORT": "\(site.port)"]) { $1 })
        let late = try await site.serve(environment: Command.clock(shiftedBy: 90).merging(["USHER_PORT": "\(other)"]) { $1 })
        for shift in [-90, 90] {
            let told = try await site.usher("doctor", environment: Command.clock(shiftedBy: shift)).finish().output
            #expect(told.contains(shift < 0 ? "s behind the server's" : "s ahead of the server's"))
        }
        // Those that are refused come again, and so wait.
        for _ in 0..<8 { site.zoom.inject(.perSecondLimit) }
        let accepted = AcceptedBookings()
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask { try await accepted.callAgainAndAgain(site, caller, port: caller % 2 == 0 ? site.port : other) }
            }
            try await Task.sleep(for: .seconds(3))
            accepted.end()
            try await group.waitForAll()
        }
        try await accepted.check(site)
        #expect(
            ContinuousClock.now - began < .seconds(30), "early: \(early.errorText.suffix(2_000))\nlate: \(late.errorText.suffix(2_000))")
        #expect(!(early.errorText + late.errorText).contains("took over"))
        let mails = try site.received().filter { $0.recipient.hasPrefix("caller-") }
        #expect(Set(mails.map(\.recipient)).count == mails.count, "each mail once")
        await stop(site, [early, late])
    }

    @Test("a server that is killed has its work taken over within two seconds")
    func takenOver() async throws {
        let (site, ports, servers) = try await start(2)
        // Killed right after its answer: the room and both mails are still to be made.
        let id = try #require(try await site.book(at: "2027-04-01T10:00:00Z").json["id"]?.string)
        servers[0].kill()
        let killed = ContinuousClock.now
        while !servers[1].errorText.contains("took over from processes that died") {
            #expect(ContinuousClock.now - killed < .seconds(10))
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(ContinuousClock.now - killed < .seconds(2.5))
        // The killed one may have called the provider: the time of its call, the delay of lists and the tolerance for clocks pass first.
        let booking = try await site.booking(id, within: .seconds(180), port: ports[1], Site.isDone)
        #expect(Site.isDone(booking) && site.zoom.meetings.count == 1)
        await stop(site, [servers[1]])
    }

    @Test("the catalogue is the installation's: who has an older file takes the newer one over, until the file is saved anew")
    func catalogues() async throws {
        let site = try await Site(server: try .shared())
        let (ours, theirs) = (site.folder + "/meeting-types.yaml", site.folder + "/newer.yaml")
        // Eve has come, and Ana bears another name.
        let newer = Site.catalog.replacing("Ana Ruiz", with: "Ana Gil").replacing(
            "  ana: {", with: "  eve: { name: Eve Doe, email: eve@northwind.example, time-zone: Europe/Madrid }\n  ana: {"
        ).appending("\n  extra: { title: \"One more\", duration: 15m }\n")
        func types(_ port: Int) async throws -> Set<String> {
            Set(try await site.call("GET", "/v1/meeting-types", port: port).json["items"]?.array?.compactMap { $0["id"]?.string } ?? [])
        }
        func wait(_ port: Int, for has: Bool) async throws -> Bool {
            for _ in 0..<100 {
                if try await types(port).contains("extra") == has { return true }
                try await Task.sleep(for: .milliseconds(100))
            }
            return false
        }
        var first = try await site.serve()
        #expect(try await !types(site.port).contains("extra"))
        try newer.write(toFile: theirs, atomically: true, encoding: .utf8)
        let other = try FreeTestPort.find()
        let second = try await site.serve(environment: ["USHER_PORT": "\(other)", "USHER_CATALOG": theirs])
        #expect(try await types(other).contains("extra"))
        #expect(try await wait(site.port, for: true), "the first server follows")
        // Started again with its old file, it neither takes the new owner out nor brings the old types back.
        first.terminate()
        _ = await first.finish()
        first = try await site.serve()
        #expect(try await types(site.port).contains("extra"))
        #expect(first.errorText.contains("older than what other servers"))
        // Nor does a command that is given the old file.
        _ = try await site.usher("owner", "link", "ana").finish()
        #expect(try await site.call("GET", "/v1/owners/ana", port: other).json["name"] == "Ana Gil")
        #expect(try await site.call("GET", "/v1/owners/eve", port: other).status == 200)
        // Saved anew, it is meant.
        try Site.catalog.write(toFile: ours, atomically: true, encoding: .utf8)
        #expect(try await wait(site.port, for: false))
        #expect(try await wait(other, for: false))
        await stop(site, [first, second])
    }

    @Test("doctor tells what endangers the promises at a server, and who works there")
    func doctor() async throws {
        let (site, _, servers) = try await start(1)
        let result = try await site.usher("doctor", "--json").finish()
        let late = try await site.usher("doctor", environment: Command.clock(shiftedBy: 90)).finish()
        let findings = try JSON(parsing: result.output).array ?? []
        func has(_ area: String, _ text: String, ok: Bool) -> Bool {
            findings.contains { $0["area"]?.string == area && $0["ok"]?.bool == ok && $0["finding"]?.string?.contains(text) == true }
        }
        #expect(has("database", "PostgreSQL 15", ok: true) && has("database", "clock and the server's agree", ok: true))
        #expect(late.output.contains("s ahead of the server's"))
        #expect(has("database", "fsync is off", ok: false), "the tests' server is quick and careless")
        #expect(has("servers", "(", ok: true))
        #expect(!result.output.contains(site.environment["USHER_VAULT_KEYS"] ?? "-"))
        await stop(site, servers)
    }

    private func start(_ count: Int) async throws -> (Site, [Int], [Command]) {
        let site = try await Site(server: try .shared())
        var (ports, servers): ([Int], [Command]) = ([], [])
        for number in 0..<count {
            let port = number == 0 ? site.port : try FreeTestPort.find()
            ports.append(port)
            servers.append(try await site.serve(environment: ["USHER_PORT": "\(port)"]))
        }
        return (site, ports, servers)
    }

    private func stop(_ site: Site, _ servers: [Command]) async {
        for server in servers { server.kill() }
        await site.close()
    }
}
