import Foundation
import Logging
import ProviderSandbox
import TestValues
import UsherAssembly
import UsherCatalog
import UsherCore
import UsherMail
import UsherPipeline
import UsherSQLite
import UsherStore
import UsherVault
import Zoom

/// A catalogue, a database in memory, a sandboxed Zoom and a mail recorder, put together under a clock that stands still.
package struct TestEngine: Sendable {
    package let clock: VirtualClock
    package let seed: Seed
    package let zoom: ZoomSandbox
    package let google: GoogleSandbox
    package let microsoft: MicrosoftSandbox
    package let mailer: MailRecorder
    package let receiver: TestReceiver
    package let context: EngineContext
    package let service: BookingService
    package let worker: Worker

    package static var account: ZoomSandbox.Account {
        var account = ZoomSandbox.Account()
        account.users = [ZoomSandbox.User("ana@northwind.example"), ZoomSandbox.User("tom@northwind.example")]
        account.userApp.redirectURLs = ["https://usher.example/auth/zoom/video/callback"]
        return account
    }

    package static let variables: [String: Secret] = [
        "ZOOM_S2S_ACCOUNT_ID": Secret("sandbox-account"), "ZOOM_S2S_CLIENT_ID": Secret("sandbox-client"),
        "ZOOM_S2S_CLIENT_SECRET": Secret("sandbox-secret"), "ZOOM_API_URL": Secret(SandboxTransport.zoomAPIURL),
        "ZOOM_OAUTH_URL": Secret(SandboxTransport.zoomOAuthURL), "ZOOM_CLIENT_ID": Secret("sandbox-zoom-client"),
        "GOOGLE_CLIENT_ID": Secret("sandbox-google-client"), "GOOGLE_CLIENT_SECRET": Secret("sandbox-google-secret"),
        "GOOGLE_API_URL": Secret(SandboxTransport.googleAPIURL), "GOOGLE_AUTH_URL": Secret(SandboxTransport.googleAuthURL),
        "GOOGLE_TOKEN_URL": Secret(SandboxTransport.googleTokenURL), "MICROSOFT_CLIENT_ID": Secret("sandbox-microsoft-client"),
        "MICROSOFT_CLIENT_SECRET": Secret("sandbox-microsoft-secret"),
        "MICROSOFT_GRAPH_URL": Secret(SandboxTransport.microsoftGraphURL),
        "MICROSOFT_LOGIN_URL": Secret(SandboxTransport.microsoftLoginURL),
        "ZOOM_CLIENT_SECRET": Secret("sandbox-zoom-secret"), "ZOOM_DEAUTH_SECRET": Secret("sandbox-zoom-deauth"),
    ]

    /// - Parameters:
    ///   - transport: wraps the way to the sandbox.
    ///   - database: an empty one; by default SQLite in memory.
    package init(
        seed: UInt64 = 1, catalog text: String = TestCatalog.text, account: ZoomSandbox.Account = account,
        variables: [String: Secret] = variables,
        mail: @escaping @Sendable (OutgoingMail) -> DeliveryOutcome = { _ in .accepted },
        transport: (SandboxTransport) -> any Transport = { $0 }, calendars: (any Transport)? = nil,
        closures: Closures = Closures(), database: (any Database)? = nil
    ) async throws {
        let clock = VirtualClock()
        self.clock = clock
        self.seed = Seed(seed)
        zoom = ZoomSandbox(account, now: { clock.now })
        google = GoogleSandbox(now: { clock.now })
        microsoft = MicrosoftSandbox(now: { clock.now })
        microsoft.change { $0.redirectURLs = ["https://usher.example/auth/microsoft/callback"] }
        google.change { $0.redirectURLs = ["https://usher.example/auth/google/callback"] }
        mailer = MailRecorder(outcome: mail)
        receiver = TestReceiver()
        let catalog = try TestCatalog.read(text)
        let made = if let database { database } else { try await TestDatabase.make() }
        context = try Self.context(
            database: made,
            transport: transport(SandboxTransport(zoom: zoom, google: google, microsoft: microsoft) { clock.advance(by: $0) }),
            mailer: mailer, receivers: receiver, calendars: calendars, closures: closures,
            clock: clock,
            seed: self.seed, catalog: catalog, variables: variables)
        service = BookingService(context)
        worker = Worker(context)
        try await context.store.migrate()
        try await context.store.write { [context] in try context.follow(catalog.owners, $0) }
    }

    package static func context(
        database: any Database, transport: any Transport, mailer: any Mailer, receivers: any Transport = TestReceiver(),
        calendars: (any Transport)? = nil, closures: Closures = Closures(), clock: VirtualClock, seed: Seed, catalog: Catalog,
        variables: [String: Secret] = variables,
        renderer: MailRenderer? = nil,
        skew: @escaping @Sendable () -> Duration = { .zero }
    ) throws -> EngineContext {
        var context = EngineContext(
            store: Store(database), vault: try Vault(keys: [Array(repeating: 7, count: 32)]), catalog: CatalogHolder(catalog),
            registry: try ProviderRegistry(TestCatalog.modules),
            channels: .init(
                transport: transport, receivers: receivers,
                calendars: CalendarAccess(sources: builtInBusySources, transport: calendars, closures: closures),
                mailer: mailer, renderer: try renderer ?? MailRenderer()),
            environment: .virtual(clock, seed, skew: skew),
            settings: EngineSettings(publicURL: "https://usher.example", variables: variables),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        context.pause = { clock.advance(by: $0) }
        return context
    }

    package static func request(
        _ type: String = "consultation", owner: String = "ana", at start: String = "2026-12-01T10:00:00Z", provider: String? = nil
    ) -> BookingRequest {
        BookingRequest(
            meetingType: type, owner: owner, start: start,
            attendees: [.init(name: "Bo Li", email: "bo@example.org", timeZone: "America/New_York", language: "en")], provider: provider)
    }

    /// Makes a booking and does all that is due.
    package func booked(
        _ type: String = "consultation", owner: String = "ana", at start: String = "2026-12-01T10:00:00Z"
    ) async throws -> BookingView {
        let id = try await service.book(Self.request(type, owner: owner, at: start)).value.booking.id
        _ = try await worker.pump()
        return try await service.view(id)
    }

    /// Goes the way of a browser to Zoom's consent page and back.
    /// - Parameter user: who agrees there; `nil` declines.
    package func connect(
        _ owner: String = "ana", as user: String? = "ana@northwind.example", browser: String = "browser", returning: String? = nil,
        after wait: Duration = .zero
    ) async throws -> Consents.Outcome {
        let consents = Consents(context)
        let begun = try await consents.begin(owner: owner, provider: "zoom", returnTo: "").value
        let url = try await consents.start(begun.id, browser: Secret(browser))
        clock.advance(by: wait)
        return try await back(zoom.decide(String(url.split(separator: "?", maxSplits: 1)[1]), user: user), browser: returning ?? browser)
    }

    /// The same at Google's.
    /// - Parameter scopes: beside what rooms need.
    package func connectGoogle(
        _ owner: String = "ana", as user: String? = "ana@northwind.example", scopes: [String] = []
    ) async throws -> Consents.Outcome {
        let consents = Consents(context)
        let begun = try await consents.begin(owner: owner, provider: "meet", returnTo: "", scopes: scopes).value
        let url = try await consents.start(begun.id, browser: Secret("browser"))
        return try await back(google.decide(String(url.split(separator: "?", maxSplits: 1)[1]), user: user), service: "google")
    }

    /// The same at Microsoft's.
    package func connectMicrosoft(_ owner: String = "ana", as user: String? = "ana@northwind.example") async throws -> Consents.Outcome {
        let consents = Consents(context)
        let begun = try await consents.begin(owner: owner, provider: "teams", returnTo: "").value
        let url = try await consents.start(begun.id, browser: Secret("browser"))
        return try await back(microsoft.decide(String(url.split(separator: "?", maxSplits: 1)[1]), user: user), service: "microsoft")
    }

    /// The browser arrives at an address that the service sent it to.
    package func back(_ url: String, browser: String = "browser", service: String = "zoom") async throws -> Consents.Outcome {
        let query = url.split(separator: "?", maxSplits: 1).last.map(String.init) ?? ""
        var fields: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { fields[parts[0]] = parts[1].removingPercentEncoding }
        }
        return try await Consents(context).finish(
            service: service, state: fields["state"], code: fields["code"], error: fields["error"].map { ($0, "") },
            browser: Secret(browser))
    }

    /// Moves the clock on and does all that comes due on the way.
    package func run(for duration: Duration) async throws {
        let end = clock.now + duration
        while true {
            guard let due = try await worker.pump(), due <= end else { break }
            clock.advance(to: due)
        }
        clock.advance(to: end)
        _ = try await worker.pump()
    }
}
