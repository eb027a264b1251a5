import Foundation
import ProviderSandbox
import TestPostgreSQL
import Testing
import UsherCore

/// Servers whose PostgreSQL gives its place to a standby, or is out of reach.
@Suite(.timeLimit(.minutes(15)))
struct FailoverTests {
    @Test("a standby that commits together takes over under load: no booking is lost, and none has two rooms")
    func synchronous() async throws {
        let primary = try PostgreSQLServer(settings: ["synchronous_standby_names=*", "synchronous_commit=local"])
        let standby = try PostgreSQLServer(standbyOf: primary)
        let name = PostgreSQLServer.database(of: try primary.newDatabase())
        try primary.sql("ALTER ROLE usher SET synchronous_commit = 'on'")
        let site = try await Site(databaseURL: PostgreSQLServer.url(name, at: [primary, standby]))
        let ports = [site.port, try FreeTestPort.find()]
        var servers: [Command] = []
        for port in ports { servers.append(try await site.serve(environment: ["USHER_PORT": "\(port)"])) }
        let accepted = AcceptedBookings()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 { group.addTask { try await accepted.callAgainAndAgain(site, caller, port: ports[caller % 2]) } }
            try await Task.sleep(for: .seconds(2))
            try primary.control("-m immediate stop")
            let before = accepted.all.count
            try standby.control("-w promote")
            try standby.sql("ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()")
            try await Task.sleep(for: .seconds(4))
            #expect(accepted.all.count > before, "the servers have found the new primary by themselves")
            accepted.end()
            try await group.waitForAll()
        }
        try await accepted.check(site)
        await stop(site, servers)
    }

    @Test("a standby that lags takes over: what it had not is lost, bookings go on, and what vanished leaves no room behind")
    func asynchronous() async throws {
        let primary = try PostgreSQLServer()
        let name = PostgreSQLServer.database(of: try primary.newDatabase())
        let standby = try PostgreSQLServer(standbyOf: primary)
        let site = try await Site(databaseURL: PostgreSQLServer.url(name, at: [primary, standby]))
        let server = try await site.serve()
        let kept = try #require(try await site.book("open", at: "2027-04-01T10:00:00Z").json["id"]?.string)
        _ = try await site.booking(kept, within: .seconds(60), Site.isDone)
        try standby.control("-m fast stop")
        // Its terms, too, are known to the server alone from now on.
        let lost = try #require(try await site.book("consultation", at: "2027-04-02T10:00:00Z").json["id"]?.string)
        _ = try await site.booking(lost, within: .seconds(60), Site.isDone)
        let vanished = site.zoom.meetings.filter { $0.start == Instant(rfc3339: "2027-04-02T10:00:00Z") }.map { "\($0.id)" }
        try primary.control("-m immediate stop")
        try standby.control("-w restart")
        try standby.control("-w promote")
        var again = try? await site.book("consultation", at: "2027-04-02T10:00:00Z", key: "again")
        for _ in 0..<100 where again?.status != 201 {
            try await Task.sleep(for: .milliseconds(100))
            again = try? await site.book("consultation", at: "2027-04-02T10:00:00Z", key: "again")
        }
        let id = try #require(again?.json["id"]?.string)
        #expect(Site.isDone(try await site.booking(id, within: .seconds(60), Site.isDone)))
        #expect(try await site.call("GET", "/v1/bookings/\(lost)").status == 404)
        #expect(try await site.call("GET", "/v1/bookings/\(kept)").status == 200)
        // Its room stands, with nobody to look after it, until a person removes it.
        #expect(site.zoom.meetings.count == 3)
        let listed = try await site.usher("rooms", "--json").finish()
        let rooms = try JSON(parsing: listed.output)["rooms"]?.array
        #expect(rooms?.compactMap { $0["id"]?.string } == vanished, "\(listed)")
        #expect(rooms?.first?["start"] == "2027-04-02T10:00:00Z")
        let unasked = try await site.usher("rooms", "--remove-all").finish()
        #expect(unasked.code == 1 && unasked.errors.contains("--yes") && site.zoom.meetings.count == 3, "\(unasked)")
        let removed = try await site.usher("rooms", "--remove-all", "--yes").finish()
        #expect(removed.code == 0 && site.zoom.meetings.count == 2, "\(removed)")
        #expect(!site.zoom.meetings.contains { ["\($0.id)"] == vanished })
        // On a database that no server works on, such rooms may be those of another one.
        let key = try #require(rooms?.first?["key"]?.string)
        site.zoom.makeForeign(host: "ana@northwind.example", agenda: "[usher:\(key)]", start: Environment.system.now() + .days(3))
        server.kill()
        let unserved = try await site.usher("rooms", "--remove-all", "--yes").finish()
        #expect(unserved.code == 1 && unserved.errors.contains("--without-server") && site.zoom.meetings.count == 3, "\(unserved)")
        let told = try await site.usher("rooms", "--remove-all", "--yes", "--without-server").finish()
        #expect(told.code == 0 && site.zoom.meetings.count == 2, "\(told)")
        await stop(site, [])
    }

    @Test(
        "a server that is cut off from its database takes no work, another goes on, and it comes back by itself",
        .enabled(if: Wire.isPossible))
    func cutOff() async throws {
        let wire = try Wire()
        let postgres = try PostgreSQLServer(in: (wire.name, wire.address))
        let name = PostgreSQLServer.database(of: try postgres.newDatabase())
        let far = "postgres://usher@\(wire.address)/\(name)?sslmode=disable"
        let site = try await Site(databaseURL: postgres.url(name))
        let other = try FreeTestPort.find()
        let cut = try await site.serve(environment: ["USHER_PORT": "\(other)", "DATABASE_URL": far])
        let near = try await site.serve()
        let accepted = AcceptedBookings()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask { try await accepted.callAgainAndAgain(site, caller, port: caller % 2 == 0 ? site.port : other) }
            }
            try await Task.sleep(for: .seconds(2))
            try wire.set("down")
            let began = ContinuousClock.now
            // Its session's lock is free once the server has noticed.
            while !near.errorText.contains("took over from processes that died"), ContinuousClock.now - began < .seconds(60) {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(ContinuousClock.now - began < .seconds(20))
            let before = accepted.all.count
            if isSoak { try await Task.sleep(until: began + .seconds(90)) }
            let goesOn = ContinuousClock.now + .seconds(20)
            while accepted.all.count == before, ContinuousClock.now < goesOn { try await Task.sleep(for: .milliseconds(50)) }
            #expect(accepted.all.count > before, "the other server goes on")
            try wire.set("up")
            try await Task.sleep(for: .seconds(1))
            accepted.end()
            try await group.waitForAll()
        }
        var answer = try? await site.call("GET", "/health/ready", port: other)
        for _ in 0..<300 where answer?.status != 200 {
            try await Task.sleep(for: .milliseconds(100))
            answer = try? await site.call("GET", "/health/ready", port: other)
        }
        #expect(answer?.status == 200, "it is back")
        try await accepted.check(site)
        await stop(site, [cut, near])
    }

    private func stop(_ site: Site, _ servers: [Command]) async {
        for server in servers { server.kill() }
        await site.close()
    }
}

/// A network of its own, and a wire to it that can be cut.
private final class Wire {
    let name = "usher\(getpid())"
    let address = "10.213.77.2"
    private var outside: String { name + "a" }

    /// Only root may make one, and not in every container.
    static let isPossible = getuid() == 0 && run("ip netns add usher-probe && ip netns del usher-probe")

    init() throws {
        for command in [
            "ip netns add \(name)", "ip link add \(outside) type veth peer name \(name)b", "ip link set \(name)b netns \(name)",
            "ip addr add 10.213.77.1/24 dev \(outside)", "ip link set \(outside) up",
            "ip netns exec \(name) ip addr add \(address)/24 dev \(name)b",
            "ip netns exec \(name) ip link set \(name)b up",
        ] {
            guard Self.run(command) else { throw UsherError(.internalError, command) }
        }
    }

    deinit {
        _ = Self.run("ip link del \(outside)")
        _ = Self.run("ip netns del \(name)")
    }

    func set(_ state: String) throws { #expect(Self.run("ip link set \(outside) \(state)")) }

    private static func run(_ command: String) -> Bool { system("(\(command)) >/dev/null 2>&1") == 0 }
}
