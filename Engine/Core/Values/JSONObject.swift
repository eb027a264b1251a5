/// A value that programs are shown as an object: each of its fields is written once, with its name, what it says and where it comes
/// from. The object and its schema follow.
package protocol JSONObject: JSONDescribed, JSONNamed {
    /// In the order in which they are shown.
    static var fields: [JSONField<Self>] { get }
}

extension JSONObject {
    /// A reference to ``definition``.
    package static var schema: JSON { reference }
    /// The object itself.
    package static var references: [any JSONNamed.Type] { [Self.self] }
    /// An object of the fields.
    package static var definition: JSON { JSONField.object(fields).described(about) }
    /// What the fields refer to.
    package static var parts: [any JSONNamed.Type] { fields.flatMap(\.references) }
    /// All fields, in order.
    package var json: JSON { JSONField.json(self, Self.fields) }
}

/// A member of an object that stands for a value.
package struct JSONField<Value: Sendable>: Sendable {
    let key: String
    let schema: JSON
    let references: [any JSONNamed.Type]
    /// Left out where there is nothing to say.
    let isOptional: Bool
    let value: @Sendable (Value) -> JSON?

    private init(
        _ key: String, _ schema: JSON, _ references: [any JSONNamed.Type], isOptional: Bool, _ value: @escaping @Sendable (Value) -> JSON?
    ) {
        self.key = key
        self.schema = schema
        self.references = references
        self.isOptional = isOptional
        self.value = value
    }

    /// - Parameters:
    ///   - about: what it says, for whoever reads the description of the API.
    ///   - more: further keywords of the schema, such as `format`.
    package init<Member: JSONDescribed>(
        _ key: String, _ about: String, _ more: [JSON.Member] = [], value: @escaping @Sendable (Value) -> Member
    ) {
        self.init(key, Member.schema.described(about, more), Member.references, isOptional: false) { value($0).json }
    }

    /// A text that is one of a type's words, or whose form a type describes.
    package init<Shape: JSONDescribed>(
        _ key: String, _ about: String, as shape: Shape.Type, value: @escaping @Sendable (Value) -> String
    ) {
        self.init(key, Shape.schema.described(about), Shape.references, isOptional: false) { .string(value($0)) }
    }

    /// A member that is left out where it is `nil`.
    package static func ifPresent<Member: JSONDescribed>(
        _ key: String, _ about: String, value: @escaping @Sendable (Value) -> Member?
    ) -> JSONField {
        JSONField(key, Member.schema.described(about, []), Member.references, isOptional: true) { value($0)?.json }
    }

    /// An object without a name of its own.
    package static func group(_ key: String, _ about: String, _ fields: [JSONField]) -> JSONField {
        JSONField(key, object(fields).described(about), fields.flatMap(\.references), isOptional: false) { json($0, fields) }
    }

    /// The same field of a part of another value.
    package func of<Whole>(_ part: @escaping @Sendable (Whole) -> Value) -> JSONField<Whole> {
        let value = value
        return JSONField<Whole>(key, schema, references, isOptional: isOptional) { value(part($0)) }
    }

    static func json(_ value: Value, _ fields: [JSONField]) -> JSON {
        .object(fields.compactMap { field in field.value(value).map { JSON.Member(field.key, $0) } })
    }

    static func object(_ fields: [JSONField]) -> JSON {
        [
            "type": "object", "required": .array(fields.filter { !$0.isOptional }.map { .string($0.key) }),
            "properties": .object(fields.map { JSON.Member($0.key, $0.schema) }),
        ]
    }
}

extension JSON {
    /// A schema with further keywords.
    package func described(_ about: String, _ more: [Member] = []) -> JSON {
        let about = about.isEmpty ? [] : [Member("description", .string(about))]
        return .object((members ?? []) + more + about)
    }
}

extension [JSON.Member] {
    /// The text is an address.
    package static var uri: [JSON.Member] { [.init("format", "uri")] }

    /// The text has so many characters.
    package static func length(_ range: ClosedRange<Int>) -> [JSON.Member] {
        (range.lowerBound > 0 ? [.init("minLength", .int(Int64(range.lowerBound)))] : [])
            + [.init("maxLength", .int(Int64(range.upperBound)))]
    }

    /// The text is one of these.
    package static func among(_ words: String...) -> [JSON.Member] { [.init("enum", .array(words.map(JSON.string)))] }
}
