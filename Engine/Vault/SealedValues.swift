import Foundation
import UsherCore

extension Vault {
    /// Seals a value as JSON.
    package func seal(value: some Encodable, context: String) throws -> String {
        try seal(String(decoding: JSONEncoder().encode(value), as: UTF8.self), context: context)
    }

    /// Opens what ``seal(value:context:)`` sealed.
    /// - Throws: also where it is no such value.
    package func open<Value: Decodable>(_ type: Value.Type, _ sealed: String, context: String) throws(UsherError) -> Value {
        let text = try open(sealed, context: context)
        do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
            // Not the error: it may quote the value.
            throw UsherError(.internalError, "A stored secret cannot be read; perhaps a newer Usher wrote it.")
        }
    }
}
