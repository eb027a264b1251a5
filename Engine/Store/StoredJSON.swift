import Foundation
import UsherCore

/// Values that are kept as JSON text.
enum Stored {
    private static let encoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()
    private static let decoder = JSONDecoder()

    static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func value<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        do { return try decoder.decode(type, from: Data(text.utf8)) } catch {
            throw DatabaseError(.corrupt, "a stored \(type) cannot be read; perhaps a newer Usher wrote it: \(error)")
        }
    }

    static func optional(_ value: (some Encodable)?) throws -> SQLValue {
        try value.map { .text(try text($0)) } ?? .null
    }
}
