import Synchronization
import UsherCore
import UsherStore

/// Calls that providers count against an account's budget of the day, which begins at 00:00 UTC.
///
/// Each process counts by itself, and adds what it counted to the database when its heart beats: no booking waits for it, and what was
/// counted since the last beat of a process that dies is lost, and what an unclear commit saved may count twice. So nothing is refused by
/// it: what a day still allows the provider knows.
package final class ProviderBudgets: Sendable {
    private struct Account: Hashable {
        var day: Int64
        var provider: String
        var account: String
    }
    private let store: Store
    private let now: @Sendable () -> Instant
    private let unsaved = Mutex<[Account: Int64]>([:])

    /// - Parameter now: a clock on which the servers agree.
    package init(store: Store, now: @escaping @Sendable () -> Instant) {
        self.store = store
        self.now = now
    }

    private var today: Int64 { now().seconds / 86_400 }

    /// Counts a call.
    /// - Parameter account: the host; calls without one are nobody's.
    package func spend(_ provider: String, account: String) {
        guard !account.isEmpty else { return }
        let key = Account(day: today, provider: provider, account: account)
        unsaved.withLock { $0[key, default: 0] += 1 }
    }

    /// Adds what was counted to what all servers have.
    package func save() async throws {
        let day = today
        let taken = unsaved.withLock { unsaved in
            defer { unsaved = [:] }
            return unsaved.filter { $0.key.day == day }
        }
        guard !taken.isEmpty else { return }
        do { try await store.write { try $0.add(Self.calls(taken), day: day) } } catch {
            unsaved.withLock { $0.merge(taken, uniquingKeysWith: +) }
            throw error
        }
    }

    /// What was spent today by all servers, the busiest account first. Of other servers, without their last seconds.
    package func spent() async throws -> [ProviderCalls] {
        let day = today
        let mine = Self.calls(unsaved.withLock { $0.filter { $0.key.day == day } })
        var spent = try await store.read { try $0.providerCalls(day: day) }
        for one in mine {
            if let index = spent.firstIndex(where: { ($0.provider, $0.account) == (one.provider, one.account) }) {
                spent[index].calls += one.calls
            } else {
                spent.append(one)
            }
        }
        return spent.sorted { ($1.calls, $0.provider, $0.account) < ($0.calls, $1.provider, $1.account) }
    }

    private static func calls(_ counted: [Account: Int64]) -> [ProviderCalls] {
        counted.map { ProviderCalls(provider: $0.key.provider, account: $0.key.account, calls: $0.value) }
    }
}
