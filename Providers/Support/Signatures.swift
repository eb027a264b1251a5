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
    let signed = [header.bytes, claims.bytes].map(base64URL).joined(separator: ".")
    let code = HMAC<SHA256>.authenticationCode(for: Array(signed.utf8), using: SymmetricKey(data: Data(key.reveal().utf8)))
    return signed + "." + base64URL(Array(code))
}

/// Base64 for URLs, without padding (RFC 4648 §5).
public func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}

/// The claims of a JSON Web Token that came straight from the one who made it, over TLS; its signature is not looked at.
public func tokenClaims(_ token: Secret) -> JSON? {
    let parts = token.reveal().split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3 else { return nil }
    let plain = String(parts[1]).replacing("-", with: "+").replacing("_", with: "/")
    let padded = plain + String(repeating: "=", count: (4 - plain.count % 4) % 4)
    return Data(base64Encoded: padded).flatMap { try? JSON(parsing: $0) }
}
