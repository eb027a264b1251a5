import Foundation
import ProviderSandbox
import UsherAssembly
import UsherCatalog
import UsherCore

/// The site that the demo shows: a catalogue, a folder, and sandboxed accounts in place of every real one.
struct DemoSite {
    let catalog: Catalog
    /// Of the caller's own file: calendars and templates lie beside it.
    private let path: String?
    /// Where its files are kept.
    let folder: String
    let port: Int
    /// What its links begin with.
    let address: String
    /// Where the stand-ins listen.
    let sandbox: Int
    /// Opens the API.
    let key = "usher_" + Environment.system.code(bits: 160)
    private let host: String
    private let registry: ProviderRegistry

    /// What a module's credentials are at the stand-ins, by the name after the prefix.
    private static let accounts: [String: [String: String]] = [
        "zoom-s2s": ["ACCOUNT_ID": "sandbox-account", "CLIENT_ID": "sandbox-client", "CLIENT_SECRET": "sandbox-secret"],
        "zoom": ["CLIENT_ID": "sandbox-zoom-client", "CLIENT_SECRET": "sandbox-zoom-secret", "DEAUTH_SECRET": "sandbox-zoom-deauth"],
        "google-meet": ["CLIENT_ID": "sandbox-google-client", "CLIENT_SECRET": "sandbox-google-secret"],
        "microsoft-teams": ["CLIENT_ID": "sandbox-microsoft-client", "CLIENT_SECRET": "sandbox-microsoft-secret"],
    ]

    /// - Parameter path: a catalogue of the caller's own, in place of the demo's.
    /// - Throws: ``UsherError`` for one that the demo cannot show; findings end the command after they were printed.
    init(path: String?, folder: String) throws {
        let registry = try ProviderRegistry(ProviderModules.known)
        self.registry = registry
        // Where it listens is the caller's to say; whom it reaches is not.
        let own = ProcessInfo.processInfo.environment.filter { ["USHER_HOST", "USHER_PORT", "USHER_PUBLIC_URL"].contains($0.key) }
        let listening = try Configuration(environment: own, registry: registry)
        host = listening.host
        port = own["USHER_PORT"] == nil ? try FreePort.find(preferred: 8_080) : listening.port
        address = own["USHER_PUBLIC_URL"] == nil ? "http://localhost:\(port)" : listening.publicURL
        sandbox = try FreePort.find(preferred: 8_090)
        self.folder = folder
        self.path = path
        catalog = try path.map { try Options.catalog(at: $0, CatalogReader.withFiles(registry)).catalog } ?? Self.own(registry)
        if let entry = catalog.providers.first(where: { !Self.isSafe($0.module, registry) }) {
            throw UsherError(
                .configuration,
                "The demo has no stand-in for the module '\(entry.module)' of the provider '\(entry.name)', and calls nobody real. Show it a copy of the file without it."
            )
        }
        if catalog.owners.isEmpty {
            throw UsherError(.configuration, "The catalogue has no owners: the demo books with the first of them. Add one to it.")
        }
    }

    /// Whether a module calls a stand-in, or nobody.
    private static func isSafe(_ module: String, _ registry: ProviderRegistry) -> Bool {
        accounts[module] != nil || registry.module(module) is any AddressProvider.Type
    }

    private static func own(_ registry: ProviderRegistry) throws -> Catalog {
        guard let catalog = CatalogReader(registry).read(Array(DemoStory.catalog.utf8)).catalog else {
            throw UsherError(.internalError, "The demo's catalogue has errors.")
        }
        return catalog
    }

    /// Zoom's stand-in: its account knows every owner of the catalogue and every host that the file names.
    func zoom() -> ZoomSandbox {
        var account = ZoomSandbox.Account()
        account.takesAnyHost = true
        account.users = (catalog.owners.map(\.email) + ["ana.private@example.org"]).map { ZoomSandbox.User($0) }
        account.userApp.redirectURLs = ["\(address)/auth/zoom/video/callback"]
        return ZoomSandbox(account, now: Environment.system.now)
    }

    func google() -> GoogleSandbox {
        let google = GoogleSandbox(now: Environment.system.now)
        google.change { account in
            account.redirectURLs = ["\(address)/auth/google/callback"]
            account.users.append("ana.private@example.org")
        }
        return google
    }

    func microsoft() -> MicrosoftSandbox {
        let microsoft = MicrosoftSandbox(now: Environment.system.now)
        microsoft.change { $0.redirectURLs = ["\(address)/auth/microsoft/callback"] }
        return microsoft
    }

    /// Opens the engine in a folder cleared of an earlier demo. Of the caller's environment only where it listens comes in, so it
    /// can reach nobody real.
    /// - Parameter database: an empty one of the caller's, in place of a file.
    func open(database: String?) async throws -> Runtime {
        try clear()
        let stand = "http://127.0.0.1:\(sandbox)"
        var environment = [
            "DATABASE_URL": database ?? "sqlite:\(folder)/usher.sqlite", "USHER_MAILDIR": "\(folder)/mail", "USHER_PORT": "\(port)",
            "USHER_HOST": host, "USHER_PUBLIC_URL": address, "USHER_API_KEY": key,
            "ZOOM_API_URL": "\(stand)/v2", "ZOOM_OAUTH_URL": "\(stand)/oauth", "GOOGLE_API_URL": "\(stand)/google",
            "GOOGLE_AUTH_URL": "\(stand)/google/o", "GOOGLE_TOKEN_URL": "\(stand)/google/token",
            "MIROTALK_URL": "https://mirotalk.sandbox", "MICROSOFT_GRAPH_URL": "\(stand)/microsoft/v1.0",
            "MICROSOFT_LOGIN_URL": "\(stand)/microsoft",
        ]
        if let path { environment["USHER_CATALOG"] = path }
        if database != nil { environment["USHER_VAULT_KEYS"] = Data(Environment.system.random(32)).base64EncodedString() }
        for entry in catalog.providers {
            for (name, value) in Self.accounts[entry.module] ?? [:] { environment["\(registry.prefix(entry))_\(name)"] = value }
        }
        return try await Runtime.open(try Configuration(environment: environment, registry: registry), catalog: catalog, registry: registry)
    }

    private func clear() throws {
        let files = FileManager.default
        // Only a folder that a demo made may be cleared.
        let marker = "\(folder)/.usher-demo"
        let content: [String]
        do { content = files.fileExists(atPath: folder) ? try files.contentsOfDirectory(atPath: folder) : [] } catch {
            throw UsherError(.configuration, "The folder \(folder) cannot be read: name one for the demo alone with --folder.")
        }
        guard content.isEmpty || files.fileExists(atPath: marker) else {
            throw UsherError(.configuration, "The folder \(folder) holds other files: name one for the demo alone with --folder.")
        }
        for name in ["usher.sqlite", "usher.sqlite-wal", "usher.sqlite-shm", "usher.sqlite.key", "mail", "usher.sqlite-processes"]
        where files.fileExists(atPath: "\(folder)/\(name)") {
            try files.removeItem(atPath: "\(folder)/\(name)")
        }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: marker))
    }
}
