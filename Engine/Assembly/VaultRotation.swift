import UsherCore
import UsherPipeline
import UsherStore
import UsherVault

/// Brings every stored secret under the newest key, while servers run: each value is replaced only where it is still the one that was read.
package struct VaultRotation: Sendable {
    private let runtime: Runtime
    private static let batch = 200

    package init(_ runtime: Runtime) { self.runtime = runtime }

    /// - Returns: how many values were sealed anew.
    package func run() async throws -> Int {
        let vault = runtime.context.vault
        let prefix = vault.newestPrefix
        var count = 0
        while true {
            let done = try await runtime.context.store.write { tx in
                try tx.reseal(notUnder: prefix, limit: Self.batch) { sealed, context in
                    try vault.seal(try vault.open(sealed, context: context), context: context)
                }
            }
            if done == 0 { return count }
            count += done
        }
    }
}
