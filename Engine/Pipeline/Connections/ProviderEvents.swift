import Logging
import UsherCore
import UsherStore

/// What services tell of their own accord. A forged, stale or foreign word changes nothing, and a true one said twice changes no more.
package struct ProviderEvents: Sendable {
    private let context: EngineContext

    package init(_ context: EngineContext) { self.context = context }

    package enum Answer: Sendable {
        /// No secret is configured, so nothing can be believed.
        case notConfigured
        case refused
        case challenge(JSON)
        case done
    }

    /// The addresses that services send to, and the modules that read them.
    package var paths: [(path: EventPath, module: any EventfulProvider.Type)] {
        context.registry.modules.compactMap { $0 as? any EventfulProvider.Type }.flatMap { module in
            module.eventPaths.map { ($0, module) }
        }
    }

    /// Takes one delivery: the app whose secret fits has sent it. Owners of one organisation may have entered the same app.
    package func receive(_ delivery: EventDelivery, _ path: EventPath, _ module: any EventfulProvider.Type) async throws -> Answer {
        guard module.mayBeSigned(delivery) else { return try await hasApps(path, module) ? .refused : .notConfigured }
        let apps = try await self.apps(path, module)
        guard !apps.isEmpty else { return .notConfigured }
        var isTrue = false
        for app in apps {
            switch module.read(delivery, secret: app.secret) {
            case .refused: continue
            case .challenge(let answer): return .challenge(answer)
            case .ignored: isTrue = true
            case .event(let event):
                isTrue = true
                try await apply(event, from: app)
            }
        }
        return isTrue ? .done : .refused
    }

    /// An app that can sign events, and whom it has a say about.
    private struct Sender: Sendable {
        var clientID: String
        var secret: Secret
        /// Whose own app it is; `nil` where it is the site's.
        var owner: String?
    }

    /// Every app of the service: the shared one, those that the catalogue names, those of owners' organisations.
    private func apps(_ path: EventPath, _ module: any EventfulProvider.Type) async throws -> [Sender] {
        try await sitesOwn(path, module) + storedApps(module).compactMap { sender($0, path) }
    }

    /// Whether anybody can sign at all; nothing is unsealed for that.
    private func hasApps(_ path: EventPath, _ module: any EventfulProvider.Type) async throws -> Bool {
        if !sitesOwn(path, module).isEmpty { return true }
        return try await !storedApps(module).isEmpty
    }

    private func entries(_ module: any EventfulProvider.Type) -> [ProviderEntry] {
        context.catalog.current.providers.filter { module.eventModules.contains($0.module) }
    }

    private func sitesOwn(_ path: EventPath, _ module: any EventfulProvider.Type) -> [Sender] {
        let environment = context.settings.variables
        let shared = module.eventModules.compactMap { context.registry.descriptor($0)?.credentialPrefix }
        return (shared + entries(module).compactMap(\.credentials)).compactMap { prefix in
            path.secrets.lazy.compactMap { environment["\(prefix)_\($0)"] }.first.map {
                Sender(clientID: environment["\(prefix)_CLIENT_ID"]?.reveal() ?? "", secret: $0, owner: nil)
            }
        }
    }

    private func storedApps(_ module: any EventfulProvider.Type) async throws -> [StoredApp] {
        let names = Set(entries(module).map(\.name))
        return try await context.store.read { try $0.apps() }.filter { names.contains($0.provider) }
    }

    /// One app that cannot be read must not keep the others from being heard.
    private func sender(_ app: StoredApp, _ path: EventPath) -> Sender? {
        do throws(UsherError) {
            let credentials = try app.credentials(context.vault)
            return path.secrets.lazy.compactMap { credentials[$0] }.first.map {
                Sender(clientID: app.clientID, secret: $0, owner: app.ownerID)
            }
        } catch {
            context.logger.error(
                "an owner's own app cannot be read",
                metadata: ["owner": "\(app.ownerID)", "provider": "\(app.provider)", "error": "\(error.message)"])
            return nil
        }
    }

    /// - Parameter sender: it has a say about itself alone, and an owner's own app about that owner alone.
    private func apply(_ event: ProviderEvent, from sender: Sender) async throws {
        switch event {
        case .deauthorized(let clientID, _, _, _) where clientID != sender.clientID:
            context.logger.warning(
                "an app told of another one's connections, and was not heard", metadata: ["app": "\(sender.clientID)"])
        case .deauthorized(let clientID, let accountID, let at, let keepsData):
            let count = try await Connections(context).deauthorized(
                clientID: clientID, accountID: accountID, before: at, owner: sender.owner, keepsData: keepsData)
            context.logger.notice("an account was disconnected at the provider", metadata: ["connections": "\(count)"])
        case .roomTouched(let id): try await touched(id, of: sender.owner)
        }
    }

    /// Has the rooms looked at that the provider calls by this `id`.
    /// - Parameter owner: whose rooms alone are meant, where one is given.
    package func touched(_ id: String, of owner: String? = nil) async throws {
        let now = context.now
        try await context.store.write { tx in
            for found in try tx.rooms(roomID: id) {
                // As it is once nobody else is at the booking.
                guard let booking = try tx.wholeBooking(found.bookingID), owner == nil || booking.terms.owner.id == owner,
                    var room = try tx.rooms(of: booking.id).first(where: { $0.generation == found.generation }), room.state == .live
                else { continue }
                room.checkAt = now
                try tx.save(room)
                try tx.enqueue(followUps(of: .roomsTouched(booking, newest: try tx.rooms(of: booking.id).last), now: now), now: now)
            }
        }
    }
}
