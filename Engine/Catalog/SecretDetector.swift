import Foundation
import UsherCore

/// Whether something in the file smells like a credential.
enum SecretDetector {
    private static let words = [
        "secret", "password", "passwd", "token", "api-key", "apikey", "api_key", "private-key", "private_key", "client-secret",
    ]
    private static let prefixes = [
        "-----BEGIN", "usher_", "whsec_", "GOCSPX-", "sk_live_", "sk_test_", "xoxb-", "xoxp-", "ghp_", "eyJ", "AKIA",
    ]

    static func isSecret(key: String) -> Bool {
        let key = key.lowercased()
        return words.contains { key.contains($0) }
    }

    static func isSecret(value: String) -> Bool {
        let bytes = value.utf8
        guard bytes.count >= 20 else { return false }
        if let scheme = value.range(of: "://"), let at = value[scheme.upperBound...].firstIndex(of: "@"),
            value[scheme.upperBound..<at].contains(":"), !value[scheme.upperBound..<at].contains("/")
        {
            return true
        }
        // A secret may be in the middle of a sentence: `the code is GOCSPX-…`.
        return bytes.split(whereSeparator: { $0 <= 0x20 || "\"'`=<>()".utf8.contains($0) }).contains { word in
            guard word.count >= 20 else { return word.starts(with: "-----BEGIN".utf8) }
            return prefixes.contains { word.starts(with: $0.utf8) } || looksRandom(word)
        }
    }

    /// 24 characters or more without a blank, of all three kinds, changing kind as often as chance would.
    private static func looksRandom(_ value: Substring.UTF8View) -> Bool {
        guard value.count >= 24 else { return false }
        var kinds: [UInt8] = []
        for byte in value {
            switch byte {
            case 48...57: kinds.append(0)
            case 65...90: kinds.append(1)
            case 97...122: kinds.append(2)
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "_"), UInt8(ascii: "-"): kinds.append(3)
            default: return false
            }
        }
        guard Set(kinds).isSuperset(of: [0, 1, 2]) else { return false }
        let changes = zip(kinds, kinds.dropFirst()).count { $0 != $1 }
        return changes * 5 >= kinds.count * 2
    }
}
