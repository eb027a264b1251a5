import Crypto
import Foundation
import UsherCore

/// Seals secrets with AES-256-GCM under a versioned key, bound to what they belong to.
///
/// A sealed value reads `v1.{key id}.{base64 of nonce, ciphertext, tag}`. Opened under another `context` than it was
/// sealed with, it is refused.
package struct Vault: Sendable {
    private struct Key: Sendable {
        var id: String
        var key: SymmetricKey
    }
    /// Newest first: the first one seals, all of them open.
    private let keys: [Key]

    /// - Parameter keys: 32 bytes each, newest first.
    package init(keys: [[UInt8]]) throws(UsherError) {
        guard !keys.isEmpty, keys.allSatisfy({ $0.count == 32 }) else {
            throw UsherError(.configuration, "USHER_VAULT_KEYS must hold keys of 32 bytes each; make one with: openssl rand -base64 32")
        }
        self.keys = keys.map { bytes in Key(id: String(Vault.hash(bytes).prefix(8)), key: SymmetricKey(data: bytes)) }
    }

    package func seal(_ text: String, context: String) throws -> String {
        let box = try AES.GCM.seal(Data(text.utf8), using: keys[0].key, authenticating: Data(context.utf8))
        guard let combined = box.combined else { throw UsherError(.internalError, "AES-GCM gave no sealed value") }
        return "v1.\(keys[0].id).\(combined.base64EncodedString())"
    }

    package func open(_ sealed: String, context: String) throws(UsherError) -> String {
        let parts = sealed.split(separator: ".")
        guard parts.count == 3, parts[0] == "v1", let data = Data(base64Encoded: String(parts[2])) else {
            throw UsherError(.internalError, "A stored secret is damaged.")
        }
        guard let key = keys.first(where: { $0.id == parts[1] }) else {
            throw UsherError(
                .configuration,
                "A stored secret was sealed under the key \(parts[1]), which is not among USHER_VAULT_KEYS (\(keys.map(\.id).joined(separator: ", "))): add it again, behind the newer ones."
            )
        }
        do {
            let box = try AES.GCM.SealedBox(combined: data)
            return String(decoding: try AES.GCM.open(box, using: key.key, authenticating: Data(context.utf8)), as: UTF8.self)
        } catch { throw UsherError(.internalError, "A stored secret is damaged or belongs to something else.") }
    }

    /// SHA-256 in base32: what a random token is found by.
    package static func hash(_ bytes: some Sequence<UInt8>) -> String { base32(Array(SHA256.hash(data: Data(bytes)))) }
}
