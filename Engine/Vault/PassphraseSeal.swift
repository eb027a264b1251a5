import Crypto
import CryptoExtras
import Foundation
import UsherCore

/// Seals a text under a passphrase: AES-256-GCM under a key that scrypt derives (RFC 7914; N = 2^17, r = 8, p = 1, as
/// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html asks).
package enum PassphraseSeal {
    private static let prefix = "scrypt17."

    private static func key(_ passphrase: Secret, salt: Data) throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: Data(passphrase.reveal().utf8), salt: salt, outputByteCount: 32, rounds: 1 << 17, blockSize: 8, parallelism: 1,
            maxMemory: 256 << 20)
    }

    /// - Parameter salt: 16 random bytes.
    package static func seal(_ text: String, under passphrase: Secret, salt: [UInt8]) throws -> String {
        let box = try AES.GCM.seal(Data(text.utf8), using: try key(passphrase, salt: Data(salt)))
        guard let combined = box.combined else { throw UsherError(.internalError, "AES-GCM gave no sealed value") }
        return prefix + Data(salt).base64EncodedString() + "." + combined.base64EncodedString()
    }

    /// - Throws: ``ErrorCode/validationFailed`` for another passphrase than it was sealed under.
    package static func open(_ sealed: String, under passphrase: Secret) throws -> String {
        let parts = sealed.split(separator: ".")
        guard sealed.hasPrefix(prefix), parts.count == 3, let salt = Data(base64Encoded: String(parts[1])),
            let data = Data(base64Encoded: String(parts[2])), let box = try? AES.GCM.SealedBox(combined: data),
            let plain = try? AES.GCM.open(box, using: try key(passphrase, salt: salt))
        else { throw UsherError(.validationFailed, "The passphrase does not open the keys in this backup.") }
        return String(decoding: plain, as: UTF8.self)
    }
}
