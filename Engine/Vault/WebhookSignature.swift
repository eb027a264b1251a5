import Crypto
import Foundation
import UsherCore

/// Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and the body's own bytes.
/// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package enum WebhookSignature {
    private static let prefix = "whsec_"

    /// A secret as its receiver is shown it.
    /// - Parameter random: 24 to 64 bytes.
    package static func secret(_ random: [UInt8]) -> Secret { Secret(prefix + Data(random).base64EncodedString()) }

    /// The value of `webhook-signature`: one signature for each secret that is valid, the newest first.
    /// - Throws: ``ErrorCode/internalError`` for a secret that is not of the form `whsec_…`.
    package static func header(id: String, seconds: Int64, body: [UInt8], secrets: [Secret]) throws(UsherError) -> String {
        var signatures: [String] = []
        for secret in secrets {
            guard secret.reveal().hasPrefix(prefix), let key = Data(base64Encoded: String(secret.reveal().dropFirst(prefix.count))) else {
                throw UsherError(.internalError, "A webhook's secret is damaged.")
            }
            let signed = Data("\(id).\(seconds).".utf8) + Data(body)
            let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))
            signatures.append("v1," + Data(code).base64EncodedString())
        }
        return signatures.joined(separator: " ")
    }
}
