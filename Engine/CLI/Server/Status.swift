import ArgumentParser
import Foundation
import UsherAssembly
import UsherCore
import UsherPipeline
import UsherStore

/// How the installation does, at a look. It reads the database alone, so it works whether a server runs or not.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how the installation does: servers, work that waits, mail, what needs somebody.",
        discussion: "Exits with 1 where something needs somebody.")

    @OptionGroup var options: Options
    @Flag(help: "Look again every two seconds, until it is stopped.") var watch = false

    private static let interval = Duration.seconds(2)

    func run() async throws {
        let configuration = try options.configuration()
        guard configuration.database.exists else {
            throw UsherError(.configuration, "There is no database at \(configuration.database.name) yet: `usher serve` makes it.")
        }
        let store = try await Runtime.storeAsItIs(configuration)
        do {
            var look = try await Look(store, now: Environment.system.now())
            while watch {
                // Home, and the rest cleared: the screen is written over.
                if isatty(STDOUT_FILENO) == 1, !options.json { print("\u{1B}[H\u{1B}[J", terminator: "") }
                show(look)
                try await Task.sleep(for: Self.interval)
                look = try await Look(store, now: Environment.system.now())
            }
            try await store.database.close()
            show(look)
            if look.needsSomebody { throw Exit.refused }
        } catch {
            try? await store.database.close()
            throw error
        }
    }

    private func show(_ look: Look) {
        if options.json { Output.line(look.json.serialized) } else { Output.line(look.text) }
    }
}

/// What one look has found.
private struct Look {
    private let now: Instant
    private let hold: Installation.Hold?
    private let isInPlace: Bool
    private let servers: [StoredProcess]
    private let waiting: [(kind: String, count: Int64, oldest: Instant)]
    private let working: [(kind: String, count: Int64)]
    private let stuck: [(kind: String, count: Int64)]
    private let mail: Instant?
    private let webhook: Instant?
    private let troubled: [Booking]
    private let failing: [FailingProvider]
    private let connections: [StoredConnection]

    private static let shown = 20
    /// Of a server that lives is heard twice in this time.
    private static let heartbeat = Duration.seconds(10)
    /// Work that has waited for longer than this waits for somebody.
    private static let patience = Duration.minutes(2)

    init(_ store: Store, now: Instant) async throws {
        self.now = now
        hold = try await store.refreshInstallation().hold
        (isInPlace, servers) = (try await store.isInPlace(), try await store.livingServers(now: now, trusting: Self.heartbeat))
        (waiting, working, stuck, mail, webhook, troubled, failing, connections) = try await store.read { tx in
            (
                try tx.waitingJobs(now: now), try tx.workingJobs(), try tx.troubledKinds(), try tx.oldestUnsentMail(),
                try tx.oldestWaitingDelivery(), try tx.bookingsInTrouble(from: now, limit: Self.shown + 1),
                try tx.failingProviders(), try tx.connections(limit: 1_000).filter { $0.health != .ok }
            )
        }
    }

    /// In sentences, the gravest first.
    private var needs: [String] {
        var needs: [String] = []
        if hold != nil { needs.append("It was restored or copied, or held by hand, and nothing leaves: `usher release`.") }
        if hold == nil, !isInPlace {
            needs.append(
                "The database lies elsewhere than before, as a copy does: the server that starts on it holds it; see `usher release`.")
        }
        if servers.isEmpty { needs.append("No server runs: `usher serve`.") }
        let old = waiting.filter { now - $0.oldest > Self.patience }
        if !servers.isEmpty, hold == nil {
            needs += old.map { "\($0.kind): the oldest of \($0.count) has waited for \(seconds($0.oldest)) s." }
        }
        needs += stuck.map { "\($0.kind): \(counted(Int($0.count), "job")) tried three times in vain; /admin shows them." }
        needs += failing.map { "\($0.provider) fails since \($0.since.rfc3339): \($0.problem.message) \($0.problem.remedy)" }
        needs += connections.map {
            "\($0.ownerID), \($0.provider): \($0.problem?.message ?? $0.health.rawValue) \($0.problem?.remedy ?? "")"
        }
        needs += troubled.prefix(Self.shown).map { booking in
            "\(booking.id), \(booking.start.rfc3339): \(booking.meeting.problem?.message ?? "") \(booking.meeting.problem?.remedy ?? "")"
        }
        if troubled.count > Self.shown { needs.append("… and more bookings to come with a problem; /admin shows them.") }
        return needs
    }

    var needsSomebody: Bool { !needs.isEmpty }

    private func seconds(_ instant: Instant?) -> Int64 { instant.map { (now - $0).wholeSeconds } ?? 0 }

    private var kinds: [(kind: String, due: Int64, oldest: Int64, working: Int64)] {
        Set(waiting.map(\.kind) + working.map(\.kind)).sorted().map { kind in
            let due = waiting.first { $0.kind == kind }
            return (kind, due?.count ?? 0, seconds(due?.oldest), working.first { $0.kind == kind }?.count ?? 0)
        }
    }

    var text: String {
        var lines = ["\(now.rfc3339)  \(needs.isEmpty ? "all is well" : "\(counted(needs.count, "thing")) to look at")"]
        lines += servers.map { "server   \($0.host), Usher \($0.version), heartbeat \(seconds($0.heartbeat)) s ago" }
        lines.append("mail     oldest that has not left: \(seconds(mail)) s")
        lines.append("events   oldest that is still to be told: \(seconds(webhook)) s")
        lines += kinds.map { "work     \($0.kind): \($0.due) due, the oldest for \($0.oldest) s; \($0.working) being done" }
        lines += needs.map { "LOOK     \($0)" }
        return lines.joined(separator: "\n")
    }

    var json: JSON {
        [
            "at": .string(now.rfc3339), "held": .bool(hold != nil),
            "servers": .array(
                servers.map {
                    ["host": .string($0.host), "version": .string($0.version), "heartbeatSeconds": .int(seconds($0.heartbeat))]
                }),
            "mailLagSeconds": .int(seconds(mail)), "webhookLagSeconds": .int(seconds(webhook)),
            "work": .array(
                kinds.map {
                    ["kind": .string($0.kind), "due": .int($0.due), "oldestSeconds": .int($0.oldest), "working": .int($0.working)]
                }),
            "needs": .array(needs.map(JSON.string)),
        ]
    }
}
