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

    /// Takes one delivery: the app whose secret fits has sent it.
    package func receive(_ delivery: EventDelivery, _ path: EventPath, _ module: any EventfulProvider.Type) async throws -> Answer {
        let apps = try await self.apps(path, module)
        guard !apps.isEmpty else { return .notConfigured }
        for app in apps {
            switch module.read(delivery, secret: app.secret) {
            case .refused: continue
            case .challenge(let answer): return .challenge(answer)
            case .ignored: return .done
            case .event(let event):
                try await apply(event, from: app.clientID)
                return .done
            }
        }
        return .refused
    }

    /// Every app of that module, by what it signs with: the shared one, those that the catalogue names, those of owners'
    /// organisations.
    private func apps(_ path: EventPath, _ module: any EventfulProvider.Type) async throws -> [(clientID: String, secret: Secret)] {
        let descriptor = module.descriptor
        let entries = context.catalog.current.providers.filter { $0.module == descriptor.id }
        let environment = context.settings.environment
        let ours = ([descriptor.credentialPrefix] + entries.compactMap(\.credentials)).compactMap { prefix in
            path.secrets.lazy.compactMap { environment["\(prefix)_\($0)"] }.first.map {
                (environment["\(prefix)_CLIENT_ID"]?.reveal() ?? "", $0)
            }
        }
        let names = Set(entries.map(\.name))
        let theirs = try await context.store.read { try $0.apps() }.filter { names.contains($0.provider) }.compactMap { app in
            let credentials = try app.credentials(context.vault)
            return path.secrets.lazy.compactMap { credentials[$0] }.first.map { (app.clientID, $0) }
        }
        return ours + theirs
    }

    /// - Parameter sender: the app whose secret fitted; it has a say about itself alone.
    private func apply(_ event: ProviderEvent, from sender: String) async throws {
        switch event {
        case .deauthorized(let clientID, _, _) where clientID != sender:
            context.logger.warning("an app told of another one's connections, and was not heard", metadata: ["app": "\(sender)"])
        case .deauthorized(let clientID, let accountID, let at):
            let count = try await Connections(context).deauthorized(clientID: clientID, accountID: accountID, before: at)
            context.logger.notice("an account was disconnected at the provider", metadata: ["connections": "\(count)"])
        case .roomTouched(let id): try await touched(id)
        }
    }

    /// Has the rooms looked at that bear the provider's `id`.
    package func touched(_ id: String) async throws {
        let now = context.now
        try await context.store.write { tx in
            for var room in try tx.rooms(roomID: id) where room.state == .live {
                room.checkAt = now
                try tx.save(room)
                try tx.poke(kind: ProvisionStep.kind, subject: room.bookingID, due: now)
            }
        }
    }
}
