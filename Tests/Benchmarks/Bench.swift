import Foundation
import ProviderSandbox
import UsherCore

/// Measures what the README says. All figures of one run come from one machine and one build, alternated and as medians.
@main
struct Bench {
    static let rounds = 5

    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == "sandbox" { return try await serveSandbox() }
        let wanted = Set(CommandLine.arguments.dropFirst())
        func run(_ name: String, _ body: () async throws -> Void) async throws {
            guard wanted.isEmpty || wanted.contains(name) else { return }
            print("\n== \(name)")
            try await body()
            fflush(nil)
        }
        try await run("catalogue", CatalogueBench.run)
        try await run("mail", MailBench.run)
        try await run("slots") { SlotBench.run() }
        try await run("slots-served", SlotServerBench.run)
        try await run("accept", AcceptBench.run)
        try await run("cpu", CPUBench.run)
        if wanted.contains("cpu-once") { try await CPUBench.once() }
        if wanted.contains("latency-once") { try await LatencyBench.once() }
        if wanted.contains("bloat-once"), let url = Rig.databaseURL {
            try await BloatBench.once(url, jobs: wanted.compactMap { Int($0) }.first ?? 100_000)
        }
        if wanted.contains("servers-once") { try await ServersBench.once(wanted.compactMap { Int($0) }.first ?? 1) }
        try await run("memory", MemoryBench.run)
        try await run("overload", OverloadBench.run)
    }

    /// The Zoom stand-in in a process of its own: prints its port, and serves until it is killed.
    private static func serveSandbox() async throws {
        var account = ZoomSandbox.Account()
        account.takesAnyHost = true
        account.dailyLimit = .max
        let delay = CommandLine.arguments.dropFirst(2).first.flatMap { Int64($0) } ?? 0
        let late: ZoomSandbox.Fault? = delay > 0 ? .late(.milliseconds(delay)) : nil
        let zoom = ZoomSandbox(account, now: Environment.system.now) { method, _ in method == "POST" ? late : nil }
        try await SandboxServer(zoom: zoom) { port in
            print(port)
            fflush(nil)
        }.run()
    }

    static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    static func text(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
}
