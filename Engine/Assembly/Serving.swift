import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import UnixSignals
import UsherCatalog
import UsherCore
import UsherPipeline
import UsherStore
import UsherWeb

/// The server with its workers, until it is told to stop: what runs finishes or is handed back.
package struct Serving: Sendable {
    private let runtime: Runtime

    package init(_ runtime: Runtime) { self.runtime = runtime }

    /// - Parameters:
    ///   - watching: the catalogue's file, reloaded when it changes; `nil` for none.
    ///   - requests: worked on at the same time; more are told to come again.
    ///   - workers: pieces of work at the same time; 0 leaves all work to other processes.
    package func run(watching path: String?, workers: Int = 32, requests: Int = 32, onReady: @escaping @Sendable (Int) -> Void) async throws
    {
        let context = runtime.context
        let watch = path.map { CatalogWatch(runtime, path: $0) }
        if let watch {
            try await watch.adopt()
        } else {
            try await runtime.adopt(context.catalog.current)
        }
        try await Heartbeat(context).join()
        let now = context.now
        try await context.store.write { try $0.enqueue([ScheduledJob(.prune, due: now)], now: now) }
        let configuration = runtime.configuration
        let loop = WorkLoop(context, concurrency: workers)
        let web = WebServer(
            context, service: BookingService(context, starter: loop), settings: settings(path, requests),
            serverLogger: quiet(context.logger))
        try await context.store.renewPlace(random: context.environment.random)
        var services: [any Service] = [Workers(loop: loop), PlaceRenewal(context: context)]
        if let watch { services.append(Watching(watch: watch)) }
        let manager = ServiceManager()
        let isListening = Listening()
        services.append(
            web.application { port in
                isListening.begin()
                manager?.tell("READY=1")
                onReady(port)
            })
        // What comes last is told first to stop.
        services.append(Leaving(readiness: web.readiness))
        if let manager { services.append(Watchdog(manager: manager, context: context)) }
        let group = ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(context.logger)))
        do { try await group.run() } catch {
            guard !isListening.hasBegun, !(error is CancellationError) else { throw error }
            throw UsherError(
                .configuration,
                "The server cannot listen on \(configuration.host):\(configuration.port): \(reason(error)). Set USHER_PORT to a port that is free, or USHER_HOST to an address of this machine."
            )
        }
    }

    private func settings(_ path: String?, _ requests: Int) -> WebSettings {
        let configuration = runtime.configuration
        var settings = WebSettings(
            host: configuration.host, port: configuration.port, adminKey: configuration.adminKey,
            returnOrigins: configuration.returnOrigins)
        settings.requestLimit = requests
        settings.looks = PageLooks(folder: configuration.catalogFolder)
        settings.proxies = configuration.proxies
        if let path {
            settings.catalogFindings = { [registry = runtime.registry] in
                let report = CatalogReader.withFiles(registry).read(path: path)
                return report.diagnostics.map { CatalogFinding($0.text(file: path), excerpt: $0.excerpt(of: report.text)) }
            }
        }
        return settings
    }

    /// The system's words, without those of the library around them.
    private func reason(_ error: any Error) -> String { (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)" }

    /// The libraries' own words about connections that end are of no use to an admin.
    private func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = .critical
        return logger
    }
}

private struct Workers: Service {
    let loop: WorkLoop
    func run() async throws {
        await withGracefulShutdownHandler {
            await loop.run()
        } onGracefulShutdown: {
            loop.stop()
        }
    }
}

/// Every hour the database's place bears another mark: an older copy that is put in its stead is noticed.
private struct PlaceRenewal: Service {
    let context: EngineContext
    private static let interval = Duration.hours(1)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await context.sleep(Self.interval)
                guard !Task.isCancelled else { return }
                do { try await context.store.renewPlace(random: context.environment.random) } catch {
                    context.logger.warning("the mark beside the database could not be renewed", metadata: ["error": "\(error)"])
                }
            }
        }
    }
}

private struct Watching: Service {
    let watch: CatalogWatch
    func run() async throws { await cancelWhenGracefulShutdown { await watch.run() } }
}

/// Before the server takes no more callers, balancers hear of it.
private struct Leaving: Service {
    let readiness: Readiness
    func run() async throws {
        try await gracefulShutdown()
        await readiness.leave()
    }
}

/// Whether connections have been taken: until then, what fails is the address.
private final class Listening: Sendable {
    private let state = Mutex(false)
    var hasBegun: Bool { state.withLock { $0 } }
    func begin() { state.withLock { $0 = true } }
}
