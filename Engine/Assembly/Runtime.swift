import Calendars
import Foundation
import Logging
import UsherCatalog
import UsherCore
import UsherMail
import UsherPipeline
import UsherSQLite
import UsherStore
import UsherVault
import UsherWeb

/// The engine put together from a configuration: the one place where seams meet their implementations.
package struct Runtime: Sendable {
    /// What it was opened with.
    package let configuration: Configuration
    /// The provider modules.
    package let registry: ProviderRegistry
    /// Everything that the pipelines work with.
    package let context: EngineContext
    /// The way in for bookings.
    package let service: BookingService
    private let transport: HTTPTransport

    /// Opens the database, the vault and the mail. The catalogue is this process's own until it is adopted.
    /// - Parameter looking: makes no file: where there is no database, one in memory takes its place.
    /// - Throws: ``UsherError`` that says which part cannot be opened and how to mend it.
    package static func open(
        _ configuration: Configuration, catalog: Catalog, registry: ProviderRegistry, looking: Bool = false,
        environment: Environment = .system,
        logger: Logger = Logger(label: "usher")
    ) async throws -> Runtime {
        let isEmpty = looking && !configuration.database.exists
        let store = isEmpty ? try await emptyStore() : try await store(configuration, settles: !looking)
        // Servers of one database agree on the time by its clock.
        let environment = Environment(now: store.database.clock ?? environment.now, random: environment.random)
        let vault = isEmpty ? try Vault(keys: [environment.random(32)]) : try await vault(configuration, store, environment)
        let renderer = try MailRenderer(configuration.look(catalog.site))
        let mailbox: Maildir? = if case .maildir(let folder) = configuration.mail, !looking { try Maildir(folder: folder) } else { nil }
        // Last, because it must be shut down: nothing above may fail after it.
        let transport = HTTPTransport(now: environment.now)
        var context = EngineContext(
            store: store, vault: vault, catalog: CatalogHolder(catalog), registry: registry,
            channels: channels(configuration, transport, renderer, environment, isHeld: { [store] in store.isHeld }),
            environment: environment,
            settings: EngineSettings(
                publicURL: configuration.publicURL, variables: configuration.values,
                allowsPrivateReceivers: configuration.allowsPrivateReceivers, openID: configuration.openID), logger: logger)
        if !looking { context.mailer = mailbox ?? mailer(configuration, context) }
        context.closures.put(configuration.closures(catalog))
        return Runtime(
            configuration: configuration, registry: registry, context: context, service: BookingService(context), transport: transport)
    }

    /// The ways out: none while the installation is held.
    private static func channels(
        _ configuration: Configuration, _ transport: HTTPTransport, _ renderer: MailRenderer, _ environment: Environment,
        isHeld: @escaping @Sendable () -> Bool
    ) -> EngineContext.Channels {
        let receivers = PublicTransport(
            now: environment.now, allowsPrivate: configuration.allowsPrivateReceivers, variable: "USHER_WEBHOOK_ALLOW_PRIVATE")
        let calendars = PublicTransport(
            now: environment.now, allowsPrivate: configuration.allowsPrivateCalendars, variable: "USHER_CALENDAR_ALLOW_PRIVATE",
            bodyLimit: CalendarText.longest)
        return .init(
            transport: HeldTransport(inner: transport, isHeld: isHeld), receivers: HeldTransport(inner: receivers, isHeld: isHeld),
            calendars: CalendarAccess(
                sources: builtInBusySources, transport: HeldTransport(inner: calendars, isHeld: isHeld), closures: .ofFiles),
            mailer: NoMailer(), renderer: renderer)
    }

    /// Puts the file's catalogue in force for the whole installation, or takes over what other servers have put in force since.
    package func adopt(_ file: InstallationCatalogue.File, path: String) async throws {
        switch try await InstallationCatalogue(context).settle(file) {
        case .file: try putInForce(file.catalog, digest: file.digest)
        case .newer(let present):
            context.logger.warning(
                "the catalogue's file is older than what other servers have put in force, and theirs is used; save the file anew to put it in force",
                metadata: ["file": "\(path)"])
            try takeOver(present)
        }
    }

    /// Takes over what another server has put in force.
    package func followOthers() async throws {
        guard let present = try await InstallationCatalogue(context).other(than: context.catalog.digest) else { return }
        try takeOver(present)
        context.logger.notice("a catalogue that another server put in force is used")
    }

    /// Puts the installation's catalogue in the place of this process's own.
    package func takeOver(_ present: StoredCatalogue) throws {
        guard let catalog = CatalogReader.withFiles(registry).read(Array(present.text.utf8)).catalog else {
            throw UsherError(
                .configuration, "The catalogue that other servers have put in force cannot be read by this Usher: run the same version.")
        }
        try putInForce(catalog, digest: present.digest)
    }

    private func putInForce(_ catalog: Catalog, digest: String) throws {
        try context.renderer.adopt(configuration.look(catalog.site))
        context.closures.put(configuration.closures(catalog))
        context.catalog.put(catalog, digest: digest)
    }

    /// Puts a catalogue in force that has no file.
    package func adopt(_ catalog: Catalog) async throws {
        try await context.store.write { [context] in try context.follow(catalog.owners, $0) }
        try putInForce(catalog, digest: "")
    }

    /// Closes the connections and the database.
    package func close() async {
        do {
            try await transport.shutdown()
            try await context.store.database.close()
        } catch { context.logger.warning("not everything could be closed", metadata: ["error": "\(error)"]) }
    }

    private static func emptyStore() async throws -> Store {
        let store = Store(try SQLiteDatabase())
        try await store.migrate()
        return store
    }

    /// Where the vault's key lies unless `USHER_VAULT_KEYS` holds it: beside the database's file.
    package static func vaultKeyFile(_ configuration: Configuration) -> String { (configuration.database.path ?? "usher") + ".key" }

    /// The database, its schema current.
    /// - Parameter settles: whether a database that lies elsewhere than before is held; not by those who only look.
    package static func store(_ configuration: Configuration, settles: Bool = true) async throws -> Store {
        let store = Store(try configuration.database.open())
        try await store.keepBeforeMigration(beside: configuration.database.path)
        try await store.migrate()
        guard settles else {
            try await store.refreshInstallation()
            return store
        }
        let environment = Environment.system
        try await store.settle(place: try await store.database.place(), now: environment.now(), random: environment.random)
        return store
    }

    /// The database as it is, for a look: nothing is brought up to date, and nothing is held.
    package static func storeAsItIs(_ configuration: Configuration) async throws -> Store {
        let store = Store(try configuration.database.open())
        let present = try await store.schemaVersion()
        guard present == Schema.migrations.count else {
            try await store.database.close()
            throw UsherError(
                .configuration,
                "The database is of schema version \(present), and this Usher works with \(Schema.migrations.count): use the Usher that runs on it, or start this one first."
            )
        }
        return store
    }

    private static func mailer(_ configuration: Configuration, _ context: EngineContext) -> any Mailer {
        guard case .smtp(let relays) = configuration.mail else { return NoMailer() }
        return RelayChoice(
            relays.map { ($0.senders, SMTPMailer($0, token: MailTokens($0, configuration, context)?.source)) })
    }

    /// The vault, once it is certain that it opens what is stored: under another key, nothing would work and nothing would say why.
    package static func vault(_ configuration: Configuration, _ store: Store, _ environment: Environment) async throws -> Vault {
        let samples = try await store.read { try $0.sealedSamples() }
        let path = vaultKeyFile(configuration)
        if configuration.vaultKeys == nil, !samples.isEmpty, !FileManager.default.fileExists(atPath: path) {
            throw UsherError(
                .configuration,
                "The key file \(path) is missing, and the database holds secrets that were sealed under it: put it back from your backup, or set USHER_VAULT_KEYS."
            )
        }
        let random = environment.random
        let vault =
            if let keys = configuration.vaultKeys {
                try Vault(keys: try VaultKeys.parse(keys))
            } else {
                // A rotation in another process adds a key to the file.
                try Vault(keys: try VaultKeys.file(at: path, random: random), reload: { try VaultKeys.file(at: path, random: random) })
            }
        for sample in samples { _ = try vault.open(sample.sealed, context: sample.context) }
        return vault
    }
}

/// For commands that only look: they send nothing.
private struct NoMailer: Mailer {
    func deliver(_ mail: OutgoingMail, within limit: Duration) async -> DeliveryOutcome { .later("this command sends no mail") }
}

extension Configuration {
    /// Where paths in the catalogue start.
    package var catalogFolder: String { URL(fileURLWithPath: catalogPath).deletingLastPathComponent().path }

    /// How the site's mail looks: what is broken was a finding, and is Usher's own here.
    func look(_ site: Site) -> MailLook { MailLook.read(folder: catalogFolder, logo: site.logo, templates: site.templates).look }
}

extension CatalogReader {
    /// A reader that looks at the logo and the templates, too.
    package static func withFiles(_ registry: ProviderRegistry) -> CatalogReader {
        CatalogReader(
            registry,
            siteCheck: { folder, logo, templates in
                let pages = templates.map { PageTemplate.read("\(folder)/\($0)").findings } ?? []
                let others = Set(PageTemplate.allCases.map(\.file))
                return MailLook.read(folder: folder, logo: logo, templates: templates, others: others).findings.map { ($0.key, $0.message) }
                    + pages.map { ("templates", $0) }
            }, closureCheck: { folder, path in ClosureFile(folder: folder, path: path).problem })
    }
}
