import Foundation
import Synchronization
import UsherCore

struct SandboxRequest {
    var method: String
    var path: [String]
    var query: [String: String]
    var rawQuery: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    /// The fields of a posted form.
    var fields: [String: String] { Self.form(String(decoding: body, as: UTF8.self)) }

    func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }

    static func form(_ text: String) -> [String: String] {
        Dictionary(
            text.utf8.split(separator: UInt8(ascii: "&")).map { pair in
                let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1).map(decoded)
                return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { first, _ in first })
    }

    /// A name or value of a form as it was meant; empty where it is not encoded right.
    private static func decoded(_ part: Substring.UTF8View) -> String {
        guard part.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(Substring(part)) }
        return String(Substring(part)).replacing("+", with: " ").removingPercentEncoding ?? ""
    }
}
