import Synchronization
import UsherCore
import UsherStore

/// Whether each provider does what it is asked: one state for pages, commands and metrics, drawn from the last calls and the last
/// preflight. What concerns one owner, one host or one booking is none of it.
package final class ProviderHealth: Sendable {
    private let store: Store
    /// As the database has it, looked at with every heartbeat: where all is well, a success costs no statement.
    private let failing = Mutex<Set<String>>([])

    init(store: Store) { self.store = store }

    /// Reads what other processes have written.
    package func refresh() async throws {
        let names = try await store.read { Set(try $0.failingProviders().map(\.provider)) }
        failing.withLock { $0 = names }
    }

    /// The providers that fail now; all others work.
    package func all() async throws -> [FailingProvider] { try await store.read { try $0.failingProviders() } }

    /// A call has done what it was to do.
    func works(_ provider: String, _ tx: Tx) throws {
        guard failing.withLock({ $0.contains(provider) }) else { return }
        try tx.providerWorks(provider)
        failing.withLock { _ = $0.remove(provider) }
    }

    /// A call has failed, if what went wrong concerns the provider as a whole.
    func failed(_ provider: String, _ error: ProviderError, _ connection: ProviderDescriptor.Connection?, _ tx: Tx, now: Instant) throws {
        guard Self.concernsAll(error.code, connection) else { return }
        try tx.providerFailed(provider, error.problem, now: now)
        failing.withLock { _ = $0.insert(provider) }
    }

    /// What a preflight found: problems, or none.
    package func examined(_ provider: String, _ problem: Problem?, now: Instant) async throws {
        try await store.write { tx in
            if let problem { try tx.providerFailed(provider, problem, now: now) } else { try tx.providerWorks(provider) }
        }
        failing.withLock { failing in
            if problem == nil { failing.remove(provider) } else { failing.insert(provider) }
        }
    }

    /// Where each owner has an account of their own, its connection has a health of its own.
    private static func concernsAll(_ code: ErrorCode, _ connection: ProviderDescriptor.Connection?) -> Bool {
        switch code {
        case .unavailable, .providerRemoved: true
        case .notConnected, .reauthorize, .missingScope, .plan: connection != .owner
        default: false
        }
    }
}

extension [FailingProvider] {
    /// How one provider is.
    package func health(of provider: String) -> ProviderState { ProviderState(failing: first { $0.provider == provider }) }

    /// The same for people.
    package func words(of provider: String) -> String { first { $0.provider == provider }?.words ?? "works" }
}

extension FailingProvider {

    /// For people: `failing since 2026-12-01T10:00:00Z (10 calls): Zoom refuses …`.
    package var words: String {
        "failing since \(since.rfc3339) (\(failures) call\(failures == 1 ? "" : "s")): \(problem.message) \(problem.remedy)"
    }
}

/// How a provider is, by the last calls and the last look at its set-up.
package struct ProviderState: JSONObject {
    /// `nil` while it works.
    package var failing: FailingProvider?

    /// As generated clients know it.
    package static let schemaName = "ProviderHealth"
    /// For descriptions.
    package static let about = "By the last calls and the last look at the set-up."
    /// The state, and what is wrong.
    package static let fields: [JSONField<ProviderState>] = [
        .init("state", "Whether it works.", .among("works", "failing")) {
            $0.failing == nil ? "works" : "failing"
        },
        .init("since", "Of the first failure in a row; null while it works.") { $0.failing?.since },
        .init("failures", "Calls in a row.") { Int64($0.failing?.failures ?? 0) },
        .init("problem", "What the last failure was; null while it works.") { $0.failing?.problem },
    ]
}
