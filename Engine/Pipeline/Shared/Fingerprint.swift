import Foundation
import UsherCore
import UsherVault

/// Ids drawn from content.
enum Fingerprint {
    private static let known = Memo<Terms, String>(limit: 10_000)

    /// The id under which terms are kept: equal terms have equal ids.
    static func of(_ terms: Terms) throws -> String {
        try known.value(terms) {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            return "tm_" + Vault.hash(try encoder.encode(terms))
        }
    }
}
