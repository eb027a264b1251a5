import ArgumentParser
import Foundation
import ProviderSandbox
import UsherAssembly
import UsherCatalog
import UsherCore
import UsherMail
import UsherPipeline
import UsherStore

struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch a booking become a room and a mail, on sandboxed providers and a local mailbox.")

    @Option(help: "Where the demo keeps its files; what an earlier demo left there is removed.") var folder = "usher-demo"
    @Flag(help: "End when the story is told.") var once = false

    func run() async throws {
        let port = try FreePort.find(preferred: 8_080)
        let zoom = ZoomSandbox(account, now: Surroundings.system.now)
        let key = "usher_" + Surroundings.system.code(bits: 160)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let sandboxPort = try FreePort.find(preferred: 8_090)
            let google = GoogleSandbox(now: Surroundings.system.now)
            google.change { account in
                account.redirectURLs = ["http://localhost:\(port)/auth/google/callback"]
                account.users.append("ana.private@example.org")
            }
            let microsoft = MicrosoftSandbox(now: Surroundings.system.now)
            microsoft.change { $0.redirectURLs = ["http://localhost:\(port)/auth/microsoft/callback"] }
            zoom.change { $0.userApp.redirectURLs = ["http://localhost:\(port)/auth/zoom/video/callback"] }
            let runtime = try await open(port: port, sandbox: sandboxPort, key: key)
            group.addTask {
                try await SandboxServer(
                    zoom: zoom, google: google, microsoft: microsoft, port: sandboxPort,
                    onRemoval: { email in await tell(runtime, zoom.deauthorization(of: email), port) }
                ).run()
            }
            let (ready, isReady) = AsyncStream<Int>.makeStream()
            group.addTask { try await Serving(runtime).run(watching: nil) { isReady.yield($0) } }
            for await _ in ready.prefix(1) {
                try await DemoStory(runtime, folder: folder, zoom: zoom, key: key, port: port, sandbox: sandboxPort).tell(staysOpen: !once)
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

    private var account: ZoomSandbox.Account {
        var account = ZoomSandbox.Account()
        account.users = [ZoomSandbox.User("ana@northwind.example"), ZoomSandbox.User("ana.private@example.org")]
        return account
    }

    /// Nothing of the caller's environment comes in, so the demo can reach nobody real.
    private func open(port: Int, sandbox: Int, key: String) async throws -> Runtime {
        let files = FileManager.default
        // Only a folder that a demo made may be cleared.
        let marker = "\(folder)/.usher-demo"
        let content = (try? files.contentsOfDirectory(atPath: folder)) ?? []
        guard content.isEmpty || files.fileExists(atPath: marker) else {
            throw UsherError(.configuration, "The folder \(folder) holds other files: name one for the demo alone with --folder.")
        }
        for name in ["usher.sqlite", "usher.sqlite-wal", "usher.sqlite-shm", "usher.sqlite.key", "mail", "usher.sqlite-processes"]
        where files.fileExists(atPath: "\(folder)/\(name)") {
            try files.removeItem(atPath: "\(folder)/\(name)")
        }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: marker))
        let configuration = try Configuration(environment: [
            "DATABASE_URL": "sqlite:\(folder)/usher.sqlite", "USHER_MAILDIR": "\(folder)/mail", "USHER_PORT": "\(port)",
            "USHER_PUBLIC_URL": "http://localhost:\(port)", "USHER_API_KEY": key, "ZOOM_S2S_ACCOUNT_ID": "sandbox-account",
            "ZOOM_S2S_CLIENT_ID": "sandbox-client", "ZOOM_S2S_CLIENT_SECRET": "sandbox-secret", "ZOOM_CLIENT_ID": "sandbox-zoom-client",
            "GOOGLE_CLIENT_ID": "sandbox-google-client", "GOOGLE_CLIENT_SECRET": "sandbox-google-secret",
            "GOOGLE_API_URL": "http://127.0.0.1:\(sandbox)/google", "GOOGLE_AUTH_URL": "http://127.0.0.1:\(sandbox)/google/o",
            "GOOGLE_TOKEN_URL": "http://127.0.0.1:\(sandbox)/google/token", "ZOOM_CLIENT_SECRET": "sandbox-zoom-secret",
            "MICROSOFT_CLIENT_ID": "sandbox-microsoft-client", "MICROSOFT_CLIENT_SECRET": "sandbox-microsoft-secret",
            "MICROSOFT_GRAPH_URL": "http://127.0.0.1:\(sandbox)/microsoft/v1.0",
            "MICROSOFT_LOGIN_URL": "http://127.0.0.1:\(sandbox)/microsoft",
            "ZOOM_DEAUTH_SECRET": "sandbox-zoom-deauth",
            "ZOOM_API_URL": "http://127.0.0.1:\(sandbox)/v2", "ZOOM_OAUTH_URL": "http://127.0.0.1:\(sandbox)/oauth",
        ])
        let registry = try ProviderRegistry(Program.providers)
        guard let catalog = CatalogReader(registry).read(Array(DemoStory.catalog.utf8)).catalog else {
            throw UsherError(.internalError, "The demo's catalogue has errors.")
        }
        return try await Runtime.open(configuration, catalog: catalog, registry: registry)
    }
}
