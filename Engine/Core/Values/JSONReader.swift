/// Reads the members of a JSON object as a caller sent it. All that is wrong in its form is found at once; what a value may say is
/// checked by who takes it, and described here by keywords of JSON Schema. So a reader that is given nothing ends up with the object's
/// schema.
package struct JSONReader {
    private let json: JSON
    /// RFC 6901: where the object lies in the body.
    private let path: String
    /// What is wrong so far.
    package private(set) var findings: [UsherError.Finding] = []
    private var asked: [(key: String, schema: JSON, isRequired: Bool)] = []
    private(set) var references: [any JSONNamed.Type] = []
    /// Whether somebody wants to know the schema: it costs more than the reading.
    private let describes: Bool

    /// - Parameters:
    ///   - json: an object.
    ///   - path: where it lies in the body.
    ///   - describes: whether ``schema`` will be asked for.
    package init(_ json: JSON, at path: String = "", describes: Bool = false) {
        self.json = json
        self.path = path
        self.describes = describes
    }

    private mutating func find(_ pointer: String, _ detail: String) { findings.append(.init(path + pointer, detail)) }

    /// - Throws: ``ErrorCode/validationFailed`` with all that was found, when anything was.
    package func check(_ sentence: String) throws(UsherError) {
        if !findings.isEmpty { throw UsherError(.validationFailed, sentence, findings: findings) }
    }

    /// Finds the members that nobody has asked for: the last thing to do.
    package mutating func refuseUnknown() {
        let known = asked.map(\.key)
        for member in json.members ?? [] where !known.contains(member.key) {
            find("/\(JSON.pointerPart(String(member.key.prefix(80))))", "is not a known field\(hint(member.key, known))")
        }
    }

    /// The schema of what was asked for.
    var schema: JSON {
        [
            "type": "object", "required": .array(asked.filter(\.isRequired).map { .string($0.key) }),
            "properties": .object(asked.map { JSON.Member($0.key, $0.schema) }), "additionalProperties": false,
        ]
    }

    // MARK: Members

    /// A text; `nil` where it is missing or null.
    package mutating func text(_ key: String, _ about: String = "", _ keywords: @autoclosure () -> [JSON.Member] = []) -> String? {
        ask(key, String?.schema.described(about, keywords()))
        return optional(key, "must be a string", \.string)
    }

    /// A text that must be there.
    package mutating func required(_ key: String, _ about: String = "", _ keywords: @autoclosure () -> [JSON.Member] = []) -> String {
        ask(key, String.schema.described(about, keywords()), isRequired: true)
        if value(key) == nil { find("/\(key)", "is required") }
        return optional(key, "must be a string", \.string) ?? ""
    }

    /// A text that must be there unless something else is given in its place.
    package mutating func required(_ key: String, unless isGiven: Bool, _ about: String = "") -> String? {
        ask(key, String?.schema.described(about))
        if !isGiven, value(key) == nil { find("/\(key)", "is required") }
        return optional(key, "must be a string", \.string)
    }

    /// A text or null, which must be written.
    package mutating func nullable(_ key: String, _ about: String = "") -> String? {
        ask(key, String?.schema.described(about), isRequired: true)
        if json[key] == nil { find("/\(key)", "is required; null clears it") }
        return optional(key, "must be a string", \.string)
    }

    /// One of a few words.
    package mutating func choice<Choice: JSONChoice>(_ key: String, _ about: String = "") -> Choice? {
        ask(key, Choice?.schema.described(about))
        guard let text = optional(key, "must be a string", \.string) else { return nil }
        let choice = Choice(rawValue: text)
        let words = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
        if choice == nil { find("/\(key)", "must be \(words)") }
        return choice
    }

    /// A yes or no; `nil` where it is missing or null.
    package mutating func bool(_ key: String, _ about: String = "") -> Bool? {
        ask(key, Bool?.schema.described(about))
        return optional(key, "must be true or false", \.bool)
    }

    /// A list of texts; `nil` where it is missing, null or, found, something else.
    /// - Parameter items: whose schema an item has; the caller checks it.
    package mutating func texts<Item: JSONDescribed>(
        _ key: String, _ about: String = "", _ keywords: @autoclosure () -> [JSON.Member] = [], items: Item.Type
    ) -> [String]? {
        references += Item.references
        ask(key, [Item]?.schema.described(about, keywords()))
        guard let items = optional(key, "must be a list", \.array) else { return nil }
        for (index, item) in items.enumerated() where item.string == nil { find("/\(key)/\(index)", "must be a string") }
        let texts = items.compactMap(\.string)
        return texts.count == items.count ? texts : nil
    }

    /// An object of texts under names of the caller's; empty where it is missing or null.
    package mutating func pairs(_ key: String, _ schema: @autoclosure () -> JSON) -> [String: String] {
        ask(key, schema())
        var pairs: [String: String] = [:]
        for member in optional(key, "must be an object of strings", \.members) ?? [] {
            if let text = member.value.string {
                pairs[member.key] = text
            } else {
                find("/\(key)/\(JSON.pointerPart(member.key))", "must be a string")
            }
        }
        return pairs
    }

    /// A list of objects that must be there.
    package mutating func objects<Item: JSONRequest>(
        _ key: String, _ about: String, _ keywords: @autoclosure () -> [JSON.Member], as: Item.Type
    ) -> [Item] {
        references.append(Item.self)
        ask(key, JSON.object([.init("type", "array"), .init("items", Item.reference)]).described(about, keywords()), isRequired: true)
        if value(key) == nil { find("/\(key)", "is required") }
        let items = optional(key, "must be a list", \.array) ?? []
        return items.enumerated().map { index, item in
            let place = "/\(key)/\(index)"
            var reader = JSONReader(item, at: path + place)
            let value = Item(&reader)
            guard item.members != nil else {
                // It keeps its place, so that what is found in those after it names theirs.
                find(place, "must be an object")
                return value
            }
            reader.refuseUnknown()
            findings += reader.findings
            return value
        }
    }

    private mutating func ask(_ key: String, _ schema: @autoclosure () -> JSON, isRequired: Bool = false) {
        asked.append((key, describes ? schema() : .null, isRequired))
    }

    /// `nil` where it is missing or null.
    private func value(_ key: String) -> JSON? {
        guard let value = json[key], !value.isNull else { return nil }
        return value
    }

    private mutating func optional<Kind>(_ key: String, _ wrong: String, _ kind: (JSON) -> Kind?) -> Kind? {
        guard let value = value(key) else { return nil }
        let found = kind(value)
        if found == nil { find("/\(key)", wrong) }
        return found
    }
}

/// What a caller sends: an object that is read member by member.
package protocol JSONRequest: JSONNamed {
    /// As a caller might send it.
    static var examples: [JSON] { get }
    /// Asks for each member, always all of them and in the same order, whatever is there.
    init(_ reader: inout JSONReader)
}

extension JSONRequest {
    /// None.
    package static var examples: [JSON] { [] }

    private static var asked: JSONReader {
        var reader = JSONReader(.object([]), describes: true)
        _ = Self(&reader)
        return reader
    }

    /// The schema of what the initialiser asks for.
    package static var definition: JSON {
        asked.schema.described(about, examples.isEmpty ? [] : [.init("examples", .array(examples))])
    }

    /// What its members refer to.
    package static var parts: [any JSONNamed.Type] { asked.references }

    /// Reads a whole object.
    /// - Returns: what was asked for, with all that is wrong in it.
    package static func read(_ json: JSON) -> (value: Self, findings: [UsherError.Finding]) {
        var reader = JSONReader(json)
        let value = Self(&reader)
        reader.refuseUnknown()
        return (value, reader.findings)
    }
}
