import Foundation
import TestSupport
import Testing
import UsherCore

/// One after the other: each looks for a port that is free.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct DemoTests {
    @Test("the demo tells its story and ends")
    func demo() async throws {
        let site = try await Site()
        let told = try await site.usher("demo", "--once").finish()
        #expect(told.code == 0, "\(told.errors)")
        #expect(told.output.contains("https://zoom.sandbox.example/j/"))
        #expect(told.errors.isEmpty)
        await site.close()
    }

    @Test("the demo shows a catalogue of one's own, its accounts sandboxed, as JSON where that is asked for")
    func ownDemo() async throws {
        let site = try await Site()
        let told = try await site.usher("demo", "--once", "--json", "--catalog", "meeting-types.yaml").finish()
        #expect(told.code == 0, "\(told.errors)")
        let shown = try JSON(parsing: told.output)
        #expect(shown["booking"]?["meeting"]?["status"]?.string == "ready")
        #expect(shown["booking"]?["meeting"]?["joinUrl"]?.string?.hasPrefix("https://") == true)
        await site.close()
    }

    @Test("the demo takes a file whose rooms are links to a server of one's own")
    func demoWithLinks() async throws {
        let site = try await Site()
        let catalog = """
            version: 1
            site: { name: A, from: "A <a@a.example>", time-zone: Europe/Berlin, default-provider: rooms }
            providers: { rooms: { module: mirotalk, url: "https://rooms.a.example" } }
            owners: { ana: { name: Ana, email: ana@a.example } }
            meeting-types: { talk: { title: Talk, duration: 30m } }
            """
        try Data(catalog.utf8).write(to: URL(fileURLWithPath: site.folder + "/rooms.yaml"))
        let told = try await site.usher("demo", "--once", "--catalog", "rooms.yaml").finish()
        #expect(told.code == 0, "\(told.errors)")
        #expect(told.output.contains("https://rooms.a.example/join/"), "\(told.output)")
        await site.close()
    }
}
