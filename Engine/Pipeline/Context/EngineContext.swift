import Logging
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
    /// Where it is known from when somebody is busy, beside bookings.
    package let calendars: CalendarAccess
    /// What reads when owners are busy.
    package var busySources: [any BusySource.Type] { calendars.sources }
    /// The times that calendar files beside the catalogue close.
    package var closures: Closures { calendars.closures }
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
    /// How often who may call, over all servers.
    package let limits: RateLimits
    /// What hosts have spent of their day's budgets.
    package let budgets: ProviderBudgets
    /// Renews owners' grants.
    let refresher: TokenRefresher
    /// Lets time pass while the database cannot be written.
    package var pause: @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    /// Lets time pass between two looks of a loop; returns at once where the task is cancelled.
    package var sleep: @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    /// This process, in claims and heartbeats.
    package var processID: String

    /// The ways out of the process, and who writes the mails that take them.
    package struct Channels: Sendable {
        package var transport: any Transport
        package var receivers: any Transport
        package var calendars: CalendarAccess
        package var mailer: any Mailer
        package var renderer: MailRenderer

        /// - Parameters:
        ///   - transport: the way to the providers.
        ///   - receivers: the way to webhooks' receivers.
        ///   - calendars: the way to owners' calendars.
        package init(
            transport: any Transport, receivers: any Transport, calendars: CalendarAccess = CalendarAccess(), mailer: any Mailer,
            renderer: MailRenderer
        ) {
            self.calendars = calendars
            self.transport = transport
            self.receivers = receivers
            self.mailer = mailer
            self.renderer = renderer
        }
    }

    /// - Parameter environment: clock, ids and randomness, which tests move by hand.
    package init(
        store: Store, vault: Vault, catalog: CatalogHolder, registry: ProviderRegistry, channels: Channels, environment: Environment,
        settings: EngineSettings, logger: Logger
    ) {
        calendars = channels.calendars
        self.store = store
        self.vault = vault
        self.catalog = catalog
        self.registry = registry
        transport = channels.transport
        receivers = channels.receivers
        mailer = channels.mailer
        renderer = channels.renderer
        self.environment = environment
        self.settings = settings
        self.logger = logger
        processID = environment.id("ps_")
        pressure = LoadSignal(now: environment.now)
        health = ProviderHealth(store: store)
        limits = RateLimits(store: store, now: environment.now)
        budgets = ProviderBudgets(store: store, now: environment.now)
        refresher = TokenRefresher(
            store: store, vault: vault, environment: environment, processID: processID, logger: logger, meters: meters)
        tokens = SharedTokens(store: store, vault: vault, environment: environment, processID: processID)
    }

    /// Where owners sign in: what may stand where others read.
    package var ownersPage: String { settings.publicURL + "/owners/me" }
    /// The time by this process's clock.
    package var now: Instant { environment.now() }
}
