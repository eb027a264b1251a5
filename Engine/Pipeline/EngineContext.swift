import Logging
import Synchronization
import UsherCore
import UsherMail
import UsherStore
import UsherVault

/// Everything the engine works with. Each part is a seam: a run in a test differs from a run in production by these values alone.
package struct EngineContext: Sendable {
    /// The database behind everything.
    package var store: Store
    /// Seals secrets and signs states.
    package var vault: Vault
    /// The catalogue in force.
    package var catalog: CatalogHolder
    /// The provider modules.
    package var registry: ProviderRegistry
    /// The way to the providers.
    package var transport: any Transport
    /// The way to the mail system.
    package var mailer: any Mailer
    /// The way to webhooks' receivers: a refused address is ``TransportError/notSent(_:)``.
    package var receivers: any Transport
    /// Writes mails.
    package var renderer: MailRenderer
    /// Clock, ids and randomness.
    package var environment: Environment
    /// What the admin configures outside of the catalogue.
    package var settings: EngineSettings
    /// Where log lines go.
    package var logger: Logger
    /// The tokens that processes share.
    package var tokens: any TokenCache
    /// What this process counts and times.
    package let meters = Meters()
    /// Whether callers are crowding in.
    package let pressure: LoadSignal
    /// Tells whoever waits for a booking.
    package let changes = Changes()
    /// Whether providers do what they are asked.
    package let health: ProviderHealth
    /// Renews owners' grants.
    let refresher: TokenRefresher
    /// Lets time pass while the database cannot be written.
    package var pause: @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    /// Lets time pass between two looks of a loop; returns at once where the task is cancelled.
    package var sleep: @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    /// This process, in claims and heartbeats.
    package var processID: String

    /// - Parameters:
    ///   - receivers: the way to the programs that are told of events.
    ///   - environment: clock, ids and randomness, which tests move by hand.
    package init(
        store: Store, vault: Vault, catalog: CatalogHolder, registry: ProviderRegistry, transport: any Transport, mailer: any Mailer,
        receivers: any Transport, renderer: MailRenderer, environment: Environment, settings: EngineSettings, logger: Logger
    ) {
        self.store = store
        self.vault = vault
        self.catalog = catalog
        self.registry = registry
        self.transport = transport
        self.mailer = mailer
        self.receivers = receivers
        self.renderer = renderer
        self.environment = environment
        self.settings = settings
        self.logger = logger
        processID = environment.id("ps_")
        pressure = LoadSignal(now: environment.now)
        health = ProviderHealth(store: store)
        refresher = TokenRefresher(
            store: store, vault: vault, environment: environment, processID: processID, logger: logger, meters: meters)
        tokens = SharedTokens(store: store, vault: vault, environment: environment, processID: processID)
    }

    /// Where owners sign in: what may stand where others read.
    package var ownersPage: String { settings.publicURL + "/owners/me" }
    /// The time by this process's clock.
    package var now: Instant { environment.now() }
}

/// What the admin configures outside of the catalogue.
package struct EngineSettings: Sendable {
    /// What links in mail start with, without a slash at its end.
    package var publicURL: String
    /// Environment values that modules ask for, by whole name.
    package var variables: [String: Secret]
    /// `USHER_WEBHOOK_ALLOW_PRIVATE`
    package var allowsPrivateReceivers: Bool

    /// Takes each property as it is.
    package init(publicURL: String, variables: [String: Secret], allowsPrivateReceivers: Bool = false) {
        self.allowsPrivateReceivers = allowsPrivateReceivers
        self.publicURL = publicURL
        self.variables = variables
    }

    /// How long a claim lasts without being renewed.
    package static let claimLength = Duration.seconds(60)
    /// How long one piece of work may take; shorter than the claim, so that nothing is sent after it has ended.
    package static let workLength = Duration.seconds(40)
    /// The clocks of two servers differ by this much at most.
    package static let clockSkew = Duration.seconds(10)
}

/// The catalogue in force; a reload replaces it whole.
package final class CatalogHolder: Sendable {
    private let value: Mutex<Catalog>
    /// Holds a first catalogue.
    package init(_ catalog: Catalog) { value = Mutex(catalog) }
    /// The catalogue in force at this moment.
    package var current: Catalog {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
