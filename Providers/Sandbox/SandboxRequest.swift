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
            text.split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1).map { $0.replacing("+", with: " ").removingPercentEncoding ?? "" }
                return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
            }, uniquingKeysWith: { first, _ in first })
    }
}
