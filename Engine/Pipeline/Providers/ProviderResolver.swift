import UsherCore
import UsherStore

extension EngineContext {
    func observed(_ provider: String) -> any Transport {
        ObservedTransport(inner: transport, provider: provider, meters: meters, logger: logger, environment: environment)
    }
}

/// The portable side of the provider seam: finds the module, gives it its settings and credentials, sets its deadline.
package struct ProviderResolver: Sendable {
    let context: EngineContext

    package init(_ context: EngineContext) { self.context = context }

    /// What keeps a provider from being asked for an owner's room now.
    package func readinessProblem(_ entry: ProviderEntry, _ accounts: OwnerAccounts) -> Problem? {
        if let problem = readinessProblem(entry, accounts.app(entry.name)) { return problem }
        guard let module = context.registry.module(entry.module) as? any ConnectableProvider.Type else { return nil }
        guard let connection = accounts.connection(entry.name) else {
            return ProviderError.notConnected(module.consent.name).problem
        }
        guard isOfPresentApp(connection, entry, accounts) else { return ProviderError.otherApp(module.consent.name).problem }
        return connection.health == .reauthorize ? connection.problem ?? ProviderError.reauthorize(module.consent.name).problem : nil
    }

    /// A grant belongs to the app that asked for it: the owner's own, or the site's.
    private func isOfPresentApp(_ connection: StoredConnection, _ entry: ProviderEntry, _ accounts: OwnerAccounts) -> Bool {
        connection.clientID == accounts.app(entry.name)?.clientID || connection.clientID == context.siteClientID(entry)
    }

    /// What keeps a provider from being asked at all, on this site.
    /// - Parameter app: the owner's own, in place of the site's.
    package func readinessProblem(_ entry: ProviderEntry, _ app: StoredApp? = nil) -> Problem? {
        guard let descriptor = context.registry.descriptor(entry.module) else {
            return Problem(
                .providerRemoved, "This Usher has no module '\(entry.module)'.",
                remedy: "Run an Usher that has it, or choose another provider.")
        }
        if app != nil { return nil }
        let prefix = context.registry.prefix(entry)
        let missing = descriptor.credentials.map { "\(prefix)_\($0)" }.filter { context.settings.variables[$0] == nil }
        guard missing.isEmpty else {
            return Problem(
                .notConnected, "The provider '\(entry.name)' has no credentials.",
                remedy:
                    "The admin sets \(missing.joined(separator: ", ")) in the environment and starts Usher again; `usher doctor` then checks them."
            )
        }
        return nil
    }

    /// The module that a room is of, with what it needs for one piece of work: what another module says of it means nothing.
    package func call(
        _ room: RoomRecord, owner: String, deadline: Instant
    ) async throws(ProviderError) -> (module: any Provider.Type, call: ProviderContext) {
        if let present = otherModule(of: room) {
            throw ProviderError(
                .providerRemoved, retry: .never,
                "The room is of the module '\(room.module)', and the provider '\(room.provider)' is '\(present)' in meeting-types.yaml by now.",
                remedy: "Give the new module a provider of another name, and this one its module back: the room is looked after again then."
            )
        }
        return try await call(room.provider, owner: owner, deadline: deadline)
    }

    /// The module that a room's provider has by now, where it is not the one that the room was asked of.
    package func otherModule(of room: RoomRecord) -> String? {
        context.catalog.current.provider(room.provider).map(\.module).flatMap { $0 == room.module ? nil : $0 }
    }

    /// Whether a module makes rooms without asking anybody: of them nothing stands anywhere.
    package func standsNowhere(_ module: String) -> Bool {
        context.registry.descriptor(module)?.connection == ProviderDescriptor.Connection.none
    }

    /// The module of a provider, with what it needs for one piece of work for an owner: their connection too, where it has one.
    package func call(
        _ provider: String, owner: String, deadline: Instant
    ) async throws(ProviderError) -> (module: any Provider.Type, call: ProviderContext) {
        guard let entry = context.catalog.current.provider(provider),
            let connectable = context.registry.module(entry.module) as? any ConnectableProvider.Type
        else { return try call(provider, deadline: deadline) }
        let accounts: OwnerAccounts
        do { accounts = try await context.store.read { try context.accounts(of: owner, $0) } } catch {
            throw ProviderError(
                .unavailable, retry: .backoff, "The connection could not be read from the database.",
                remedy: ProviderError.triedAgain, cause: "\(error)")
        }
        if let problem = readinessProblem(entry, accounts.app(provider)) {
            throw ProviderError(problem.code, retry: .never, problem.message, remedy: problem.remedy)
        }
        guard let stored = accounts.connection(provider) else { throw .notConnected(connectable.consent.name) }
        // A grant belongs to the app that asked for it.
        let app = accounts.app(provider).flatMap { $0.clientID == stored.clientID ? $0 : nil }
        var (module, call) = try call(provider, app: app, deadline: deadline)
        guard call.credentials["CLIENT_ID"]?.reveal() == stored.clientID else { throw ProviderError.otherApp(connectable.consent.name) }
        call.connection = OwnerConnection(stored: stored, refresher: context.refresher, module: connectable, call: call)
        return (module, call)
    }

    /// The module of a provider, with what it needs for one piece of work.
    /// - Parameter app: an owner's own, in place of the site's.
    package func call(
        _ provider: String, app: StoredApp? = nil, deadline: Instant
    ) throws(ProviderError) -> (module: any Provider.Type, call: ProviderContext) {
        guard let entry = context.catalog.current.provider(provider) else {
            throw ProviderError(
                .providerRemoved, retry: .never, "The provider '\(provider)' does not stand in meeting-types.yaml any more.",
                remedy: "Put it back under providers:, then retry the booking.")
        }
        if let problem = readinessProblem(entry, app) {
            throw ProviderError(problem.code, retry: .never, problem.message, remedy: problem.remedy)
        }
        guard let module = context.registry.module(entry.module) else {
            throw ProviderError(
                .providerRemoved, retry: .never, "This Usher has no module '\(entry.module)'.", remedy: "Run an Usher that has it.")
        }
        let descriptor = module.descriptor
        let environment = context.settings.variables
        let prefix = context.registry.prefix(entry)
        let names = descriptor.credentials + descriptor.optionalCredentials
        var credentials: [String: Secret] = [:]
        for name in names { credentials[name] = environment["\(prefix)_\(name)"] }
        if let app {
            do { credentials.merge(try app.credentials(context.vault).filter { names.contains($0.key) }) { $1 } } catch {
                throw ProviderError(
                    .reauthorize, retry: .never, "The own app for '\(provider)' cannot be read.", remedy: "Enter it once more.",
                    cause: error.message)
            }
        }
        let endpoints = descriptor.endpoints.compactMap { name in environment[name].map { (name, $0.reveal()) } }
        return (
            module,
            ProviderContext(
                provider: provider, settings: entry.settings, credentials: credentials,
                endpoints: Dictionary(uniqueKeysWithValues: endpoints), transport: context.observed(provider), tokens: context.tokens,
                deadline: deadline, environment: context.environment)
        )
    }

    func isRepeatable(_ module: String) -> Bool {
        if case .repeatable? = context.registry.descriptor(module)?.creation { true } else { false }
    }

    /// When an empty list says that a create made nothing: after the provider's own delay, and what the clock of the process that looks
    /// may be ahead of the one that created.
    func settled(_ room: RoomRecord) -> Instant { listed(room) + EngineSettings.clockSkew }

    /// When to look for a room again that was not found: as soon as it may be listed, and once more when an empty list counts.
    func nextLook(for room: RoomRecord, now: Instant) -> Instant { now < listed(room) ? listed(room) : settled(room) }

    /// When the provider lists it at the latest, by the clock of the process that created it.
    private func listed(_ room: RoomRecord) -> Instant {
        guard case .lookup(let settles)? = context.registry.descriptor(room.module)?.creation else { return room.requestDeadline }
        return room.requestDeadline + settles
    }

    /// The account that hosts an owner's meetings at a provider; empty where the module has no hosts.
    /// - Parameter connection: the owner's at that provider.
    func host(_ link: Terms.Link, _ owner: Owner, _ connection: StoredConnection?) -> String {
        if context.registry.descriptor(link.module)?.connection == .owner { return connection?.account.id ?? "" }
        guard context.registry.descriptor(link.module)?.capabilities.contains(.host) == true else { return "" }
        return owner.hosts[link.provider] ?? owner.email
    }

    func request(_ room: RoomRecord, for booking: Booking) -> RoomRequest {
        RoomRequest(
            key: room.key, title: booking.title, description: booking.description, start: booking.start, end: booking.end,
            timeZone: booking.terms.owner.timeZone, host: room.host, options: booking.terms.type.meeting)
    }
}
