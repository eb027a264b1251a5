import ArgumentParser
import Foundation
import ProviderSandbox
import UsherAssembly
import UsherCore
import UsherPipeline

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch a booking become a room and a mail, on sandboxed providers and a local mailbox.",
        discussion:
            "Of the configuration USHER_HOST, USHER_PORT and USHER_PUBLIC_URL alone are read; without USHER_PORT a free port is taken.")

    @Option(help: "Show this catalogue, with sandboxed accounts in place of its own; the demo's own where none is given.")
    var catalog: String?
    @Flag(help: "Print the booking in JSON in place of the story.") var json = false
    @Option(help: "Where the demo keeps its files; what an earlier demo left there is removed.") var folder = "usher-demo"
    @Flag(help: "End when the story is told.") var once = false
    @Option(help: "An empty database, as in DATABASE_URL; a file in the folder where none is given.") var database: String?

    func run() async throws {
        let site = try DemoSite(path: catalog, folder: folder)
        let zoom = site.zoom()
        let runtime = try await site.open(database: database)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await SandboxServer(
                    zoom: zoom, google: site.google(), microsoft: site.microsoft(), port: site.sandbox,
                    onRemoval: { email in await tell(runtime, zoom.deauthorization(of: email), site.port) }
                ).run()
            }
            let (ready, isReady) = AsyncStream<Int>.makeStream()
            group.addTask {
                defer { isReady.finish() }
                try await Serving(runtime).run(watching: nil) { isReady.yield($0) }
            }
            for await _ in ready.prefix(1) {
                let story = try await DemoStory(runtime, site, zoom)
                if json { try await story.print() } else { try await story.tell(staysOpen: !once) }
            }
            if !once { for try await _ in group { break } }
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
            await runtime.close()
        }
    }

    /// Sends what Zoom would send.
    private func tell(_ runtime: Runtime, _ event: (headers: [(name: String, value: String)], body: [UInt8]), _ port: Int) async {
        let request = HTTPRequest(
            "POST", "http://127.0.0.1:\(port)/auth/zoom/deauthorize", headers: event.headers, body: event.body,
            deadline: runtime.context.now + .seconds(3))
        do throws(TransportError) { _ = try await runtime.context.transport.send(request) } catch {
            Output.diagnostic("The sandbox could not tell the server: \(error.reason)")
        }
    }
}
