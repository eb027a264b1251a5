import Crypto
import Foundation
import Synchronization
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
    private let ring: Ring

    private final class Ring: Sendable {
        let keys: Mutex<[Key]>
        let reload: (@Sendable () throws -> [[UInt8]])?

        init(_ keys: [Key], _ reload: (@Sendable () throws -> [[UInt8]])?) {
            self.keys = Mutex(keys)
            self.reload = reload
        }
    }

    /// - Parameters:
    ///   - keys: 32 bytes each, newest first.
    ///   - reload: reads them again when a value was sealed under one that is not known: another process may have added it.
    package init(keys: [[UInt8]], reload: (@Sendable () throws -> [[UInt8]])? = nil) throws(UsherError) {
        ring = Ring(try Self.named(keys), reload)
    }

    private static func named(_ keys: [[UInt8]]) throws(UsherError) -> [Key] {
        guard !keys.isEmpty, keys.allSatisfy({ $0.count == 32 }) else {
            throw UsherError(
                .configuration,
                "The vault's keys (USHER_VAULT_KEYS or USHER_VAULT_KEYS_FILE) must be of 32 bytes each; make one with: openssl rand -base64 32"
            )
        }
        return keys.map { bytes in Key(id: String(Vault.hash(bytes).prefix(8)), key: SymmetricKey(data: bytes)) }
    }

    private var newest: Key { ring.keys.withLock { $0[0] } }

    /// The keys' ids, newest first: what tells them apart, and nothing of them.
    package var keyIDs: [String] { ring.keys.withLock { $0.map(\.id) } }

    /// What every value begins with that is sealed under the newest key.
    package var newestPrefix: String { "v1.\(newest.id)." }

    package func seal(_ text: String, context: String) throws -> String {
        let key = newest
        let box = try AES.GCM.seal(Data(text.utf8), using: key.key, authenticating: Data(context.utf8))
        guard let combined = box.combined else { throw UsherError(.internalError, "AES-GCM gave no sealed value") }
        return "v1.\(key.id).\(combined.base64EncodedString())"
    }

    package func open(_ sealed: String, context: String) throws(UsherError) -> String {
        let dot = UInt8(ascii: ".")
        guard sealed.hasPrefix("v1."), let end = sealed.utf8.dropFirst(3).firstIndex(of: dot),
            let data = Data(base64Encoded: String(sealed[end...].dropFirst()))
        else { throw UsherError(.internalError, "A stored secret is damaged.") }
        let id = String(sealed[..<end].dropFirst(3))
        guard let key = try key(id) else {
            let known = ring.keys.withLock { $0.map(\.id) }.joined(separator: ", ")
            throw UsherError(
                .configuration,
                "A stored secret was sealed under the key \(id), which is not among the vault's keys (\(known)), of USHER_VAULT_KEYS or USHER_VAULT_KEYS_FILE: add it again, behind the newer ones."
            )
        }
        do {
            let box = try AES.GCM.SealedBox(combined: data)
            return String(decoding: try AES.GCM.open(box, using: key.key, authenticating: Data(context.utf8)), as: UTF8.self)
        } catch { throw UsherError(.internalError, "A stored secret is damaged or belongs to something else.") }
    }

    private func key(_ id: String) throws(UsherError) -> Key? {
        if let known = ring.keys.withLock({ $0.first { $0.id == id } }) { return known }
        guard let reload = ring.reload else { return nil }
        let keys: [[UInt8]]
        do { keys = try reload() } catch {
            throw error as? UsherError ?? UsherError(.configuration, "The vault's keys cannot be read: \(error)")
        }
        let named = try Self.named(keys)
        ring.keys.withLock { $0 = named }
        return named.first { $0.id == id }
    }

    /// SHA-256 in base32: what a random token is found by.
    package static func hash(_ bytes: some Sequence<UInt8>) -> String { base32(Array(SHA256.hash(data: Data(bytes)))) }
}

extension Vault {
    /// A signature of `text` for one `purpose` (HMAC-SHA256 under a key derived from the newest one).
    package func sign(_ text: String, purpose: String) -> String { Self.signature(text, purpose, newest.key) }

    /// Whether `signature` was made by ``sign(_:purpose:)`` under any of the keys; takes the same time whatever differs.
    package func verify(_ signature: String, of text: String, purpose: String) -> Bool {
        ring.keys.withLock { keys in
            keys.reduce(false) { found, key in
                constantTimeEqual(Array(Self.signature(text, purpose, key.key).utf8), Array(signature.utf8)) || found
            }
        }
    }

    private static func signature(_ text: String, _ purpose: String, _ key: SymmetricKey) -> String {
        let derived = HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Data("usher sign \(purpose)".utf8), outputByteCount: 32)
        return base32(Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: derived)))
    }

    /// A name for `text` that nobody can make without `secret`: 128 bits of HMAC-SHA256, in base32.
    package static func code(_ text: String, secret: String) -> String {
        let key = SymmetricKey(data: Data(secret.utf8))
        return base32(Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key).prefix(16)))
    }

    /// The challenge of a PKCE verifier, method S256 (RFC 7636 §4.2).
    package static func challenge(_ verifier: String) -> String {
        base64URL(SHA256.hash(data: Data(verifier.utf8)))
    }
}
