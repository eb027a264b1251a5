import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

/// Brings every stored secret under the newest key, while servers run: each value is replaced only where it is still the one that was read.
package struct VaultRotation: Sendable {
    private let runtime: Runtime
    private static let batch = 200

    package init(_ runtime: Runtime) { self.runtime = runtime }

    /// - Parameter progress: called with how many values were sealed anew so far.
    /// - Returns: how many values were sealed anew.
    package func run(_ progress: (Int) -> Void = { _ in }) async throws -> Int {
        let vault = runtime.context.vault
        let prefix = vault.newestPrefix
        var total = 0
        // A server that had not heard of the new key may have written behind the cursor: until a whole round finds nothing.
        while true {
            let done = try await round(vault, prefix) { progress(total + $0) }
            if done == 0 { return total }
            total += done
        }
    }

    private func round(_ vault: Vault, _ prefix: String, _ progress: (Int) -> Void) async throws -> Int {
        var (cursor, total) = (ResealCursor(), 0)
        while true {
            let from = cursor
            let (count, isGoingOn, reached) = try await runtime.context.store.write { tx in
                var cursor = from
                let done = try tx.reseal(notUnder: prefix, limit: Self.batch, after: &cursor) { sealed, context in
                    try vault.seal(try vault.open(sealed, context: context), context: context)
                }
                return (done.count, done.isGoingOn, cursor)
            }
            guard isGoingOn else { return total }
            total += count
            progress(total)
            cursor = reached
        }
    }
}
