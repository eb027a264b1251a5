import Crypto
import Foundation
import UsherCore

/// HMAC-SHA256 in lower-case hex.
public func hmacSHA256Hex(_ bytes: [UInt8], key: Secret) -> String {
    HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: Data(key.reveal().utf8)))
        .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

/// A JSON Web Token signed with HS256 (RFC 7515, RFC 7519).
public func jsonWebToken(_ claims: JSON, key: Secret) -> String {
    let header: JSON = ["alg": "HS256", "typ": "JWT"]
    let signed = [header.bytes, claims.bytes].map { base64URL($0) }.joined(separator: ".")
    let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: Data(key.reveal().utf8)))
    return signed + "." + base64URL(Array(code))
}

/// The claims of a JSON Web Token that came straight from the one who made it, over TLS; its signature is not looked at.
public func tokenClaims(_ token: Secret) -> JSON? {
    let parts = token.reveal().split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    return bytes(base64URL: parts[1]).flatMap { try? JSON(parsing: $0) }
}

/// SHA-256 in base64url: the same for the same bytes.
public func digest(_ bytes: [UInt8]) -> String { base64URL(Array(SHA256.hash(data: bytes))) }
