import Foundation
import ServiceLifecycle
import UsherCore
import UsherPipeline

/// Tells the service manager how the server is: that it listens, that it stops, and for its watchdog, that it works.
/// Source: https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
struct ServiceManager: Sendable {
    private let socketPath: String
    /// Without a sign for so long, the manager starts the server anew; `nil` where it does not watch.
    let patience: Duration?

    /// `nil` where no manager listens.
    init?(_ environment: [String: String] = ProcessInfo.processInfo.environment) {
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@"), path.utf8.count < Self.longestPath else {
            return nil
        }
        socketPath = path
        let isOurs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        patience = isOurs ? environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { .microseconds($0) } : nil
    }

    private static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path)

    /// Says `READY=1`, `STOPPING=1` or `WATCHDOG=1`. A manager that does not listen is no reason to stop.
    func tell(_ state: String) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A name without a file begins with a zero.
        let path = Array(socketPath.utf8).map { $0 == UInt8(ascii: "@") && socketPath.hasPrefix("@") ? 0 : $0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(descriptor, state, state.utf8.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }
}

/// Feeds the manager's watchdog for as long as the process gets on with its tasks. It asks nobody: a database that is away, or takes its
/// time, is no reason to start anew.
struct Watchdog: Service {
    let manager: ServiceManager
    let context: EngineContext

    func run() async throws {
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown { await feed() }
        } onGracefulShutdown: {
            manager.tell("STOPPING=1")
        }
    }

    private func feed() async {
        while !Task.isCancelled {
            if manager.patience != nil { manager.tell("WATCHDOG=1") }
            await context.sleep(manager.patience.map { .microseconds($0.microseconds / 2) } ?? .hours(1))
        }
    }
}
