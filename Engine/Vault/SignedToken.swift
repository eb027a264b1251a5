import Crypto
import CryptoExtras
import Foundation
import UsherCore

/// A JSON Web Token in its compact form, read but not believed: ``isSigned(by:)`` says whether its issuer wrote it.
/// Source: https://datatracker.ietf.org/doc/html/rfc7519 and https://datatracker.ietf.org/doc/html/rfc7515#section-7.1
package struct SignedToken: Sendable {
    /// What its issuer says.
    package let claims: JSON
    /// The name of the key that signed it, where it names one.
    package let keyID: String?
    private let algorithm: String
    private let signed: Data
    private let signature: Data

    /// Longer ones are not read.
    private static let longest = 100_000

    /// `nil` for what is no signed token, or asks for extensions that nobody here knows.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.longest, parts.count == 3, let head = bytes(base64URL: parts[0]),
            let body = bytes(base64URL: parts[1]),
            let signature = bytes(base64URL: parts[2]), let header = try? JSON(parsing: head), let claims = try? JSON(parsing: body),
            let algorithm = header["alg"]?.string, header["crit"] == nil, claims.members != nil
        else { return nil }
        self.claims = claims
        self.algorithm = algorithm
        self.signature = Data(signature)
        keyID = header["kid"]?.string
        signed = Data("\(parts[0]).\(parts[1])".utf8)
    }

    /// Whether the holder of a key has signed it. The key's type decides which algorithm the token must name, so that `none` and a
    /// secret made of a public key lead nowhere (https://datatracker.ietf.org/doc/html/rfc8725#section-3.1).
    package func isSigned(by key: PublishedKeys.Key) -> Bool {
        switch key {
        case .rsa(let key):
            algorithm == "RS256" && key.isValidSignature(.init(rawRepresentation: signature), for: signed, padding: .insecurePKCS1v1_5)
        case .p256(let key):
            algorithm == "ES256"
                && ((try? P256.Signing.ECDSASignature(rawRepresentation: signature)).map { key.isValidSignature($0, for: signed) } ?? false)
        }
    }
}

/// The keys that an issuer publishes, by their names.
/// Source: https://datatracker.ietf.org/doc/html/rfc7517#section-5
package struct PublishedKeys: Sendable {
    /// A key of RS256 or ES256.
    package enum Key: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
    }
    private let keys: [(id: String?, key: Key)]

    /// - Parameter json: a key set. Keys for other uses, and of kinds that are not known here, are passed over.
    package init(_ json: JSON) {
        keys = (json["keys"]?.array ?? []).compactMap { entry in
            guard entry["use"]?.string ?? "sig" == "sig" else { return nil }
            return Self.key(entry).map { (entry["kid"]?.string, $0) }
        }
    }

    /// Whether there is none that can be used.
    package var isEmpty: Bool { keys.isEmpty }

    /// The key of that name. A token may leave the name out only where there is no choice.
    package func key(_ id: String?) -> Key? {
        guard let id else { return keys.count == 1 ? keys[0].key : nil }
        return keys.first { $0.id == id }?.key
    }

    private static func key(_ entry: JSON) -> Key? {
        func part(_ name: String) -> [UInt8]? { entry[name]?.string.flatMap { bytes(base64URL: $0) } }
        switch (entry["kty"]?.string, entry["crv"]?.string) {
        case ("RSA", _):
            guard let modulus = part("n"), let exponent = part("e") else { return nil }
            return (try? _RSA.Signing.PublicKey(n: modulus, e: exponent)).map(Key.rsa)
        case ("EC", "P-256"):
            guard let x = part("x"), let y = part("y") else { return nil }
            return (try? P256.Signing.PublicKey(rawRepresentation: x + y)).map(Key.p256)
        default: return nil
        }
    }
}
