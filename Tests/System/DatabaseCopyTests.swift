import Foundation
import ProviderSandbox
import TestPostgreSQL
import Testing
import UsherCore

@Suite(.timeLimit(.minutes(5)))
struct DatabaseCopyTests {
    @Test("an installation moves to PostgreSQL and back, whole: bookings, links and sealed secrets")
    func thereAndBack() async throws {
        let site = try await Site()
        let server = try await site.serve()
        let id = try #require(try await site.book(at: "2027-04-01T10:00:00Z").json["id"]?.string)
        let before = try await site.booking(id, Site.isDone)
        let address = try PostgreSQLServer.shared().newDatabase()
        let served = try await site.usher("db", "copy", "sqlite:usher.sqlite", address).finish()
        #expect(served.code != 0 && served.errors.contains("stop it first"))
        let fresh = try await site.usher(
            "release",
            environment: ["DATABASE_URL": address, "USHER_VAULT_KEYS": Data(Environment.system.random(32)).base64EncodedString()]
        ).finish()
        #expect(fresh.errors.contains("Nothing is held"), "what was refused has left nothing: \(fresh.errors)")
        server.terminate()
        _ = await server.finish()

        let copied = try await site.usher("db", "copy", "sqlite:usher.sqlite", address, "--json").finish()
        #expect(copied.code == 0, "\(copied.errors)")
        #expect(try JSON(parsing: copied.output)["rows"]?.int ?? 0 > 5)
        let former = try await site.usher("booking", "list").finish()
        #expect(former.errors.contains("usher release"), "nothing leaves the former database any more")
        let again = try await site.usher("db", "copy", "sqlite:usher.sqlite", address).finish()
        #expect(again.code != 0 && again.errors.contains("is not empty"))

        let keys = try String(contentsOfFile: site.folder + "/usher.sqlite.key", encoding: .utf8)
            .split(whereSeparator: \.isNewline).joined(separator: ",")
        let moved = try await site.serve(environment: ["DATABASE_URL": address, "USHER_VAULT_KEYS": keys])
        #expect(try await site.booking(id) { _ in true } == before)
        #expect(try await site.browse(before["joinPage"]?.string ?? "").status == 200)
        let second = try #require(try await site.book(at: "2027-04-02T10:00:00Z").json["id"]?.string)
        _ = try await site.booking(second, Site.isDone)
        // Killed, it leaves its entry behind, and is none the less not at work any more.
        moved.kill()

        let back = try await site.usher("db", "copy", address, "sqlite:back.sqlite").finish()
        #expect(back.code == 0 && back.output.contains("copied and compared"), "\(back.errors)")
        try FileManager.default.copyItem(atPath: site.folder + "/usher.sqlite.key", toPath: site.folder + "/back.sqlite.key")
        let last = try await site.serve(environment: ["DATABASE_URL": "sqlite:back.sqlite"])
        #expect(try await site.booking(id) { _ in true } == before)
        #expect(Site.isDone(try await site.booking(second) { _ in true }))
        #expect(site.zoom.meetings.count == 2)
        last.kill()
        await site.close()
    }

    @Test(
        "what is no address is refused with what an address looks like",
        arguments: [["db", "copy", "x", "y"], ["db", "copy", "sqlite:no.sqlite", "sqlite:b.sqlite"]])
    func wrongAddresses(arguments: [String]) async throws {
        let site = try await Site()
        let result = try await site.usher(arguments: arguments).finish()
        #expect(result.code == 2, "\(result.errors)")
        #expect(result.errors.contains("DATABASE_URL must be") || result.errors.contains("There is no database"))
        await site.close()
    }
}
