/// A value that programs are shown, as JSON with a schema (JSON Schema 2020-12, as OpenAPI 3.1 has it).
package protocol JSONDescribed: Sendable {
    /// The schema of ``json``.
    static var schema: JSON { get }
    /// The named schemas that ``schema`` refers to.
    static var references: [any JSONNamed.Type] { get }
    /// The value itself.
    var json: JSON { get }
}

/// A schema with a name of its own: others refer to it.
package protocol JSONNamed: Sendable {
    /// `Booking`: stable, since clients are generated from it.
    static var schemaName: String { get }
    /// What the name stands for.
    static var definition: JSON { get }
    /// The named schemas that the definition refers to.
    static var parts: [any JSONNamed.Type] { get }
    /// What it stands for, where the names do not tell all.
    static var about: String { get }
}

extension JSONNamed {
    /// A reference to the definition, where an OpenAPI document keeps it.
    package static var reference: JSON { ["$ref": .string("#/components/schemas/\(schemaName)")] }

    /// Refers to nothing.
    package static var parts: [any JSONNamed.Type] { [] }

    /// The names tell all.
    package static var about: String { "" }
}

// MARK: Simple values

extension JSONDescribed {
    /// Refers to nothing.
    package static var references: [any JSONNamed.Type] { [] }
}

extension String: JSONDescribed {
    /// A text.
    package static var schema: JSON { ["type": "string"] }
    /// A string.
    package var json: JSON { .string(self) }
}

extension Int64: JSONDescribed {
    /// A whole number.
    package static var schema: JSON { ["type": "integer"] }
    /// A number.
    package var json: JSON { .int(self) }
}

extension Bool: JSONDescribed {
    /// Yes or no.
    package static var schema: JSON { ["type": "boolean"] }
    /// `true` or `false`.
    package var json: JSON { .bool(self) }
}

extension Instant: JSONDescribed {
    /// A time by RFC 3339.
    package static var schema: JSON { ["type": "string", "format": "date-time"] }
    /// A string by RFC 3339, in UTC.
    package var json: JSON { .string(rfc3339) }
}

extension Optional: JSONDescribed where Wrapped: JSONDescribed {
    /// The value's schema, or null.
    package static var schema: JSON {
        let schema = Wrapped.schema
        guard let type = schema["type"]?.string else { return ["oneOf": [schema, ["type": "null"]]] }
        let members = (schema.members ?? []).map { member -> JSON.Member in
            switch member.key {
            case "type": .init("type", [.string(type), "null"])
            case "enum": .init("enum", .array((member.value.array ?? []) + [.null]))
            default: member
            }
        }
        return .object(members)
    }
    /// What the value refers to.
    package static var references: [any JSONNamed.Type] { Wrapped.references }
    /// The value, or null.
    package var json: JSON { self?.json ?? .null }
}

extension Array: JSONDescribed where Element: JSONDescribed {
    /// A list.
    package static var schema: JSON { ["type": "array", "items": Element.schema] }
    /// What an item refers to.
    package static var references: [any JSONNamed.Type] { Element.references }
    /// An array in the same order.
    package var json: JSON { .array(map(\.json)) }
}

extension Dictionary: JSONDescribed where Key == String, Value == String {
    /// An object of texts under any names.
    package static var schema: JSON { ["type": "object", "additionalProperties": ["type": "string"]] }
    /// An object, its members by name.
    package var json: JSON { JSON(self) }
}

// MARK: Choices

/// One of a fixed list of words.
package protocol JSONChoice: JSONDescribed, CaseIterable, RawRepresentable where RawValue == String {}

extension JSONChoice {
    /// All words.
    package static var words: JSON { ["type": "string", "enum": .array(allCases.map { .string($0.rawValue) })] }
    /// All words.
    package static var schema: JSON { words }
    /// The word.
    package var json: JSON { .string(rawValue) }
}

extension JSONChoice where Self: JSONNamed {
    /// A reference to the list of words.
    package static var schema: JSON { reference }
    /// All words.
    package static var definition: JSON { words.described(about) }
    /// The list itself.
    package static var references: [any JSONNamed.Type] { [Self.self] }
}
