import Foundation
import Testing
import UsherCore

/// What an operator watches.
@Suite(.timeLimit(.minutes(3)))
struct WatchingTests {
    private static let folder =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/.packaging/watching/"

    @Test("every series that rules and dashboard ask for is one that /metrics shows", arguments: ["alerts.yaml", "grafana.json"])
    func census(file: String) async throws {
        let site = try await Site()
        let server = try await site.serve(environment: ["USHER_WEBHOOK_ALLOW_PRIVATE": "true"])
        _ = try await site.call("POST", "/v1/webhooks", body: #"{"url": "http://127.0.0.1:1/"}"#)
        let id = try #require(try await site.book(at: "2027-06-01T10:00:00Z").json["id"]?.string)
        _ = try await site.booking(id, Site.isDone)
        let shown = try await site.browse("/metrics", headers: [("Authorization", "Bearer \(site.key)")]).page
        let names = Set(shown.matches(of: /# TYPE (usher_[a-z_]+)/).map { String($0.1) })
        let text = try String(contentsOfFile: Self.folder + file, encoding: .utf8)
        let asked = Set(text.matches(of: /usher_[a-z_]+/).map { String($0.0.replacing(/_bucket$/, with: "")) })
        #expect(asked.count >= 5)
        #expect(asked.isSubset(of: names), "\(asked.subtracting(names).sorted()) of \(names.sorted())")
        if file.hasSuffix(".json") { _ = try JSON(parsing: text) }
        server.kill()
        await site.close()
    }

    @Test("status says who works, what waits and what needs somebody, whether a server runs or not")
    func status() async throws {
        let site = try await Site()
        let none = try await site.usher("status").finish()
        #expect(none.code == 2 && none.errors.contains("There is no database"))
        let server = try await site.serve()
        let quiet = try await site.usher("status", "--json").finish()
        let look = try JSON(parsing: quiet.output)
        #expect(quiet.code == 0 && look["servers"]?.array?.count == 1 && look["needs"] == .array([]), "\(quiet.output)\(quiet.errors)")
        let id = try #require(try await site.book("mine", at: "2027-06-01T10:00:00Z").json["id"]?.string)
        _ = try await site.booking(id) { $0["meeting"]?["status"] == "blocked" }
        let needy = try await site.usher("status").finish()
        #expect(needy.code == 1 && needy.output.contains("LOOK") && needy.output.contains(id), "\(needy.output)")
        server.terminate()
        _ = await server.finish()
        let after = try await site.usher("status").finish()
        #expect(after.code == 1 && after.output.contains("No server runs"))
        let watching = try site.usher("status", "--watch")
        #expect(await watching.line { $0.contains("No server runs") } != nil)
        watching.kill()
        await site.close()
    }
}
