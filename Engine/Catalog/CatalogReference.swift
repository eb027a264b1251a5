import UsherCore

/// All keys of `meeting-types.yaml`, for people to read: made of the schema, so that neither says what the other does not.
package enum CatalogReference {
    /// A line for each key: where it stands, what it takes, what it means.
    package static func text(_ registry: ProviderRegistry) -> String {
        lines(CatalogSchema.json(registry), "").joined(separator: "\n")
    }

    private static func lines(_ schema: JSON, _ path: String) -> [String] {
        var seen: Set<String> = []
        return keys(schema, path).filter { seen.insert($0).inserted }
    }

    private static func keys(_ schema: JSON, _ path: String) -> [String] {
        let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
        var found: [String] = []
        for member in schema["properties"]?.members ?? [] where member.value["description"] != nil {
            let place = path.isEmpty ? member.key : "\(path).\(member.key)"
            found.append(line(place, member.value, isRequired: required.contains(member.key)))
            found += keys(member.value, place)
        }
        let parts = ["allOf", "anyOf"].flatMap { schema[$0]?.array ?? [] }
        found += parts.flatMap { keys($0, path) }
        for branch in ["then", "else"] { if let part = schema[branch] { found += keys(part, path) } }
        if let each = schema["additionalProperties"], each.members != nil { found += keys(each, path + ".<id>") }
        if let each = schema["items"] { found += keys(each, path + "[]") }
        return found
    }

    private static func line(_ place: String, _ schema: JSON, isRequired: Bool) -> String {
        var parts = [schema["description"]?.string ?? ""]
        if let words = schema["enum"]?.array { parts.append("One of: \(words.map(written).joined(separator: ", ")).") }
        if let value = schema["default"] { parts.append("Default: \(written(value)).") }
        if isRequired { parts.append("Required.") }
        return "\(place)\n    \(parts.joined(separator: " "))"
    }

    private static func written(_ value: JSON) -> String { value.string ?? value.serialized }
}
