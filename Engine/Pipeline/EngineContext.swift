import Logging
import Synchronization
import UsherCore
import UsherMail
import UsherStore
import UsherVault

/// Everything the engine works with. Each part is a seam: a run in a test differs from a run in production by these values alone.
package struct EngineContext: Sendable {
    package var store: Store
    package var vault: Vault
    package var catalog: CatalogHolder
    package var registry: ProviderRegistry
    package var transport: any Transport
    package var mailer: any Mailer
    /// The way to webhooks' receivers: a refused address is ``TransportError/notSent(_:)``.
    package var receivers: any Transport
    package var renderer: MailRenderer
    package var surroundings: Surroundings
    package var settings: EngineSettings
    package var logger: Logger
    /// The tokens that processes share.
    package var tokens: any TokenCache
    /// What this process counts and times.
    package let meters = Meters()
    /// Whether callers are crowding in.
    package let pressure: Pressure
    /// Tells whoever waits for a booking.
    package let changes = Changes()
    /// Whether providers do what they are asked.
    package let health: ProviderHealth
    /// Renews owners' grants.
    let keeper: GrantKeeper
    /// Lets time pass while the database cannot be written.
    package var pause: @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    /// Lets time pass between two looks of a loop; returns at once where the task is cancelled.
    package var sleep: @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    /// This process, in claims and heartbeats.
    package var processID: String

    package init(
        store: Store, vault: Vault, catalog: CatalogHolder, registry: ProviderRegistry, transport: any Transport, mailer: any Mailer,
        receivers: any Transport, renderer: MailRenderer, surroundings: Surroundings, settings: EngineSettings, logger: Logger
    ) {
        self.store = store
        self.vault = vault
        self.catalog = catalog
        self.registry = registry
        self.transport = transport
        self.mailer = mailer
        self.receivers = receivers
        self.renderer = renderer
        self.surroundings = surroundings
        self.settings = settings
        self.logger = logger
        processID = surroundings.id("ps_")
        pressure = Pressure(now: surroundings.now)
        health = ProviderHealth(store: store)
        keeper = GrantKeeper(store: store, vault: vault, surroundings: surroundings, processID: processID, logger: logger, meters: meters)
        tokens = SharedTokens(store: store, vault: vault, surroundings: surroundings, processID: processID)
    }

    /// Where owners sign in: what may stand where others read.
    package var ownersPage: String { settings.publicURL + "/owners/me" }
    package var now: Instant { surroundings.now() }
}

/// What the admin configures outside of the catalogue.
package struct EngineSettings: Sendable {
    /// What links in mail start with, without a slash at its end.
    package var publicURL: String
    /// Environment values that modules ask for, by whole name.
    package var environment: [String: Secret]
    /// `USHER_WEBHOOK_ALLOW_PRIVATE`
    package var allowsPrivateReceivers: Bool

    package init(publicURL: String, environment: [String: Secret], allowsPrivateReceivers: Bool = false) {
        self.allowsPrivateReceivers = allowsPrivateReceivers
        self.publicURL = publicURL
        self.environment = environment
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
    package init(_ catalog: Catalog) { value = Mutex(catalog) }
    package var current: Catalog {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
